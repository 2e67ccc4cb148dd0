"""One draw, solved by its method: a spectrum, the population seen from it, and replicates where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from rfsim.learning.protocol import Target
from rfsim.problem.activations import Constants
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.sample.spectra.eigen import eigh
from rfsim.sample.spectra.gaussian import gaussian_spectrum, gaussian_target
from rfsim.sample.spectra.implicit import gaussian_krylov
from rfsim.sample.spectra.krylov import krylov_spectrum
from rfsim.sample.spectra.method import Method
from rfsim.sample.spectra.montecarlo import Estimates
from rfsim.sample.spectra.sample import SampleSpectrum, decomposition, sample_spectrum
from rfsim.sample.spectra.targets import (
    class_targets,
    condition_targets,
    fresh_noise_moments,
    population_moments,
    sample_target,
)


class Solved(NamedTuple):
    """A spectrum and what is seen from it (§3).

    Attributes:
        spectrum: Its basis left empty, so that a p × p matrix can go, unless it is asked for.
        target: The population, if asked for.
        replicates: The same with one group of Monte Carlo draws left out; none where the moments are exact.
        fresh: The training points with fresh noise, if asked for.
        classes: Of each class in turn, what plays it as a population and its training points (None without any), once;
            nothing where the data have no classes or these were not asked for, and by other routes than the dense one.
        condition: Of a population beside inputs, its mean given these and what they leave, once.
    """

    spectrum: SampleSpectrum
    target: Target | None
    replicates: Iterator[Solved]
    fresh: Target | None = None
    classes: Iterable[tuple[Target | None, Target | None]] = ()
    condition: Iterable[Target] = ()


def solve(
    problem: Problem,
    draw: Instance,
    constants: Constants,
    method: Method,
    tell: Callable[[str], None],
    *,
    population: bool = True,
    fresh_noise: bool = False,
    basis: bool = False,
) -> Solved:
    """U of one draw by the method asked for, and its population unless told otherwise (T8).

    Args:
        problem: What is asked.
        draw: Its population, points and weights.
        constants: a, v² and s² of (T9), for the Gaussian-equivalent model.
        method: Model, route and Monte Carlo draws.
        tell: Hears what is being done.
        population: Whether to compute Ũ and Ṽ.
        fresh_noise: Whether to add the training points with fresh noise, for the real model by the dense route.
        basis: Whether to keep the eigenvectors, of the real model's exact moments by the dense route.

    Returns:
        The spectrum and its targets.

    Raises:
        ValueError: Where the noise average needs too many orders, or float64 does not resolve an eigenvalue.
        RuntimeError: In float32.
    """
    if method.draws is not None:
        tell("Monte Carlo moments and eigenvalues")
        estimates = Estimates(problem, draw, draw.sigma, method.draws)
        kept = (None, *range(estimates.groups))
        solved = (_estimated(problem, draw, estimates, without, population) for without in kept)
        return next(solved)._replace(replicates=solved)
    if method.route == "krylov":
        tell("moments and Krylov space")
        if method.model == "gaussian":
            return _solved(*gaussian_krylov(problem, draw, constants))
        return _solved(*krylov_spectrum(problem, draw))
    tell("moments and eigenvalues")
    if method.model == "gaussian":
        spectrum = gaussian_spectrum(problem, draw, constants)
        target = gaussian_target(problem, draw, constants, spectrum) if population else None
    else:
        spectrum = sample_spectrum(problem, draw)
        if population:
            tell("population and change of basis")
        target = sample_target(spectrum, population_moments(problem, draw, spectrum)) if population else None
        fresh = None
        if fresh_noise:
            tell("training points with fresh noise")
            fresh = sample_target(spectrum, fresh_noise_moments(problem, draw, spectrum))
        by_class = class_targets(problem, draw, spectrum) if population and draw.classes is not None else ()
        given = () if target is None else condition_targets(problem, draw, spectrum, target)
        return _solved(spectrum, target, basis=basis)._replace(fresh=fresh, classes=by_class, condition=given)
    return _solved(spectrum, target, basis=basis)


def _estimated(problem: Problem, draw: Instance, estimates: Estimates, without: int | None, population: bool) -> Solved:
    moments = estimates.train(without)
    spectrum = decomposition(problem, draw, moments, *eigh(moments.second))
    return _solved(spectrum, sample_target(spectrum, estimates.population(without)) if population else None)


def _solved(spectrum: SampleSpectrum, target: Target | None, *, basis: bool = False) -> Solved:
    return Solved(spectrum if basis else spectrum._replace(basis=np.zeros(0)), target, iter(()))
