"""Monte Carlo over the noise, as a check of the exact averages: estimates, and their jackknife (equations.md §2).

The draws are split in groups. Leaving out one group at a time gives replicates of everything that is computed from the
moments, however it depends on them, and with them its standard error. The estimate itself converges only as
1/√draws, and what is not linear in the moments (eigenvalues, late losses) is biased by a term of order 1/draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.jackknife import GROUPS
from rfsim.problem.activations import Activation
from rfsim.problem.data import stream
from rfsim.problem.diffusion import forward
from rfsim.problem.laws import AnyLaw, Law
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.sample.moments import Moments, sampled_moments


class Estimates:
    """Grouped estimates of U, V and, once asked for, of Ũ, Ṽ of one draw."""

    def __init__(self, problem: Problem, draw: Instance, sigma: Activation, draws: int) -> None:
        """`draws` noise draws per training point, and as many draws of the population as there are of those."""
        self._problem, self._draw, self._sigma = problem, draw, sigma
        self._shares = np.array_split(np.arange(draws), min(GROUPS, draws))
        self._train = self._groups(Law(draw.points, np.zeros(draw.sizes.dim)), "train", at_random=False)

    @property
    def groups(self) -> int:
        """Number of groups, each of which a replicate leaves out."""
        return len(self._shares)

    def train(self, without: int | None = None) -> Moments:
        """(U, V) over all draws, or over all but one group."""
        return self._average(self._train, without)

    def population(self, without: int | None = None) -> Moments:
        """(Ũ, Ṽ), likewise."""
        return self._average(self._population, without)

    @cached_property
    def _population(self) -> list[Moments]:
        return self._groups(self._draw.population, "population", at_random=True)

    def _groups(self, law: AnyLaw, use: str, *, at_random: bool) -> list[Moments]:
        noisy = (_noisy(self._problem, self._draw, law, use, share, at_random) for share in self._shares)
        return [sampled_moments(self._draw.weights, draws, self._sigma) for draws in noisy]

    def _average(self, groups: Sequence[Moments], without: int | None) -> Moments:
        weights = np.array([0 if k == without else len(share) for k, share in enumerate(self._shares)], dtype=float)
        weights /= weights.sum()

        def mean(values: Iterable) -> Any:
            return sum(w * v for w, v in zip(weights, values, strict=True) if w)

        second, noise = mean(group.second for group in groups), mean(group.noise for group in groups)
        return Moments(second, noise, mean(group.constant for group in groups), 0, 0.0)


def fewest_draws(samples: int, features: int) -> int:
    """The least number of draws per sample with which every replicate of U has full rank.

    >>> fewest_draws(40, 800)
    23
    """
    # a group is an eighth of the draws, rounded up: begin just below
    draws = max(math.ceil(features / samples), GROUPS * features // ((GROUPS - 1) * samples) - GROUPS)
    while (draws - math.ceil(draws / min(GROUPS, max(draws, 2)))) * samples < features:
        draws += 1
    return draws


def _noisy(
    problem: Problem, draw: Instance, law: AnyLaw, use: str, share: NDArray[np.int64], at_random: bool
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """(x_t, ξ), each (samples, dim), for every draw of a share: of the law's centers in turn, or at random."""
    n, d = draw.sizes.samples, draw.sizes.dim
    for k in share:
        rng = stream(draw.seed, f"montecarlo/{use}/{k}")
        chosen = law.at_random(rng, n) if at_random else law.in_turn(0, n)
        clean = law.points(chosen, rng.standard_normal((n, d)))
        xi = rng.standard_normal((n, d))
        yield forward(clean, xi, problem.diffusion_time), xi
