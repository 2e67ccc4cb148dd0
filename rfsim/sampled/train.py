"""`rfsim.train`: losses over training time, timescales and energies by part, as one labelled result."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.blas import suited
from rfsim.computing.precision import in_float64
from rfsim.disk import store
from rfsim.learning import trainers
from rfsim.learning.trainers import DescentFilter, Trainer, TrainerFilter
from rfsim.problem.draws import Draw, LabelOptions, told
from rfsim.problem.model import TRAIN_TIMES, Problem, require_unused, ridges_given, times
from rfsim.problem.origins import Sizes
from rfsim.problem.populations import Condition
from rfsim.quantities.forms import LEARNED
from rfsim.quantities.meant import known_keywords
from rfsim.results.classes import without_rows
from rfsim.results.datasets import curves_datasets, joined, with_bias_variance
from rfsim.results.halves import without_shifted_times
from rfsim.results.progress import Begin, Report, keeping
from rfsim.results.readouts import kept, require_readouts, trained_readouts
from rfsim.results.runs import Run
from rfsim.sample.spectra import Averages, Method, SampleSpectrum
from rfsim.sample.spectra.method import AUTO
from rfsim.sample.spectra.routes import Choice, choose

TRAIN_COPIES = 7  # p × p matrices at the peak
CLASS_COPIES = 3  # more of them where a class is seen from the eigenbasis, which is kept for it


@known_keywords
@in_float64
@told(LabelOptions)
def train(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    *,
    ridges: ArrayLike | None = None,
    model: str = "real",
    route: str = AUTO,
    moments: str | Averages = "exact",
    by_part: bool = False,
    fresh_noise: bool = False,
    keep_weights: bool = False,
    trainer: str | Trainer = "flow",
    report: Report | None = None,
    begin: Begin | None = None,
    **draw: Unpack[LabelOptions],
) -> xr.Dataset:
    """Losses of training from zero at every train_time, in closed form.

    Equations.md T7 and T8; Bonnaire et al. 2025, Fig. 5.

    Args:
        problem: What is trained on, and its ridge γ.
        train_times: Training times τ (times,), not negative, inf allowed.
        ridges: Ridges γ (ridges,) in the place of the problem's own, which one decomposition per seed serves; the
            result has a dimension of them.
        model: "real", or "gaussian" for the Gaussian-equivalent model (§2).
        route: "dense", by every eigenvalue; "krylov", the same losses several times faster where p is large, without
            eigenvalues, energies and times of parts; "auto", krylov where no losses by part or class are asked for and
            it is faster (`sample.spectra.routes.choose`), dense else. The settings of the result name the route taken,
            its attribute `route` says why. Commands, sweeps and experiments keep what parts tell: there auto is dense.
        moments: `rfsim.Exact()` or `rfsim.MonteCarlo(draws)`, or the text of either, as in `spectrum`.
        by_part: Also the losses with the filter switched off on each part, and their terms by pairs of parts.
        fresh_noise: Also L_emp where noise_copies are finite, for the real model by the dense route.
        keep_weights: Also the read-outs Ā at every train_time and the features W, which `rfsim.score` makes a function
            of; for the real model's exact moments by the dense route.
        trainer: `rfsim.Flow()`; `rfsim.Descent(step)`, gradient descent of `step` train_time per step, whose
            train_times are rounded to whole steps; `rfsim.Distillation(tau)`, a student of a teacher at each
            train_time, trained for tau with the same W and data; or the text of one (`rfsim.learning.trainers`).
        report: Hears of each step.
        begin: Called with the settings of the result before anything is computed, as in `spectrum`.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.
        condition: Noise-free inputs beside x_t, a row (d_y,) for each of the array's, or a file of them; centered and
            scaled as the array is.
        labels: The class of each of the array's rows, a whole number or a short text, or a file of them.

    Returns:
        Beside all of `spectrum`, the variables train, test, score, gen (seed, train_time) — L_train, L_test, E_score
        (NaN where the true score is unknown) and L_gen = L_test − L_train —, train_penalized (with the ridge's
        penalty), emp (L_emp, the training samples with fresh noise), cross (seed, train_time), bias2 and variance
        (train_time; isotropic data, cross averaged over seeds before squaring), energy (seed, part, train_time),
        tau_gen (seed, gen_route) and tau_mem (seed, mem_route), NaN by the curves where those of an array's two halves
        differ before anything is memorized (`rfsim.results.halves`). Losses are per dimension, with weight Δ: the zero
        score has loss 1, up to the noise drawn where m is finite or the moments are Monte Carlo. With by_part,
        train_without, test_without and train_part (seed, part, train_time), and test_pair (seed, part, other,
        train_time), whose sum over both is L_test less that of the zero score. Of a population of classes, exact
        moments and the dense route, and of an array with labels, train_class, test_class and gen_class (seed, class,
        train_time), the losses over the class's training points and over the class, or its held-out rows, and
        tau_gen_class and tau_mem_class (seed, class), by the curve route, beside class_share and class_variance
        (class), the variance around the class's mean; NaN where a class has no such rows in a seed. Of data
        `condition:SNR@PER_DIM`, mean_error, predictive_variance, residual_error and residual_alignment (seed,
        train_time): ME, PV, RE and RA of the denoised x given y (§13). With Monte Carlo moments train_error …
        gen_error (seed, train_time). With descent steps (train_time), the whole steps taken by then; its curves move in
        steps, so that the curve route of tau_gen and tau_mem is known to half a step. With ridges, all that is learned
        has the dimension ridge before its own.

    Raises:
        ValueError: For settings that do not fit together, and for a trainer that diverges.
        MemoryError: Before allocating, for sizes beyond the memory limit.

    >>> result = train(Problem(samples_per_dim=2, features_per_dim=4), [0, 10, float("inf")], dim=10)
    >>> [float(value) for value in result.train.sel(train_time=0)]
    [1.0]
    >>> train(Problem(2, 4), [10], dim=10, ridges=[0.01, 1.0]).train.dims
    ('ridge', 'seed', 'train_time')
    """
    options: TrainOptions = {"model": model, "route": route, "moments": moments, "parts": False}
    options |= {"by_part": by_part, "fresh_noise": fresh_noise, "report": report}
    options["keep_weights"] = keep_weights
    way = trainers.read(trainer)
    if ridges is None:
        (found,) = train_variants(problem, train_times, [Variant(problem.ridge, way)], begin=begin, **options, **draw)
        return _result(found)
    gamma = ridges_given(ridges)
    require_unused(problem, "train with ridges", {"ridge": gamma}, ridge="give it among ridges")
    asked = [Variant(one, way) for one in gamma.tolist()]

    def began(settings: Mapping[str, Any]) -> None:
        nonlocal begin
        if begin is not None:
            begin(_of_ridges(settings, gamma))
            begin = None  # the ridges are one result

    several = train_variants(problem, train_times, asked, begin=began, **options, **draw)
    return _over_ridges([_result(one) for one in several], gamma)


class Variant(NamedTuple):
    """What one decomposition serves many of (§3).

    Attributes:
        ridge: γ, finite and not negative, in units of the eigenvalues of U.
        trainer: As in `train`.
    """

    ridge: float
    trainer: str | Trainer = "flow"


def _result(found: xr.Dataset | ValueError) -> xr.Dataset:
    if isinstance(found, ValueError):
        raise found
    return found


def _of_ridges(settings: Mapping[str, Any], ridges: NDArray[np.float64]) -> dict[str, Any]:
    """The settings of one of several ridges as those of all."""
    return {name: value for name, value in settings.items() if name != "ridge"} | {"ridges": ridges.tolist()}


def _over_ridges(several: Sequence[xr.Dataset], ridges: NDArray[np.float64]) -> xr.Dataset:
    """Results that differ in their ridge as one: what is learned gets the dimension, the spectrum is there once."""
    first = several[0]
    # descent counts its steps whatever the ridge
    names = [name for name, one in first.data_vars.items() if LEARNED.intersection(one.dims) and name != "steps"]
    ridge = xr.DataArray(ridges, dims="ridge", name="ridge", attrs={"long_name": "ridge γ", "units": "1"})
    data = first.drop_vars(names).merge(xr.concat([one[names] for one in several], ridge, join="exact"))
    told = _of_ridges(store.settings(first), ridges)
    return store.label(data, "train-ridges", told, wall_time=sum(one.attrs["wall_time_seconds"] for one in several))


class TrainOptions(TypedDict, total=False):
    """How `train` goes about it: what does not depend on the variant."""

    model: str
    route: str
    moments: str | Averages
    parts: bool
    by_part: bool
    fresh_noise: bool
    keep_weights: bool
    report: Report | None


@in_float64
@told(LabelOptions)
def train_variants(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    variants: Sequence[Variant] = (),
    *,
    model: str = "real",
    route: str = AUTO,
    moments: str | Averages = "exact",
    parts: bool = True,
    by_part: bool = False,
    fresh_noise: bool = False,
    keep_weights: bool = False,
    report: Report | None = None,
    begin: Begin | None = None,
    **draw: Unpack[LabelOptions],
) -> list[xr.Dataset | ValueError]:
    """`train` by each of several variants on the same draws, moments and decompositions, one for each seed.

    Truncation of U, the accuracy of the population and, by the krylov route, the size of the space are those that the
    smallest of the ridges asks for: a larger one asks for no more, so that its losses agree with those of a run of its
    own to the accuracy that `train` promises, and to rounding where nothing is truncated.

    Args:
        problem: What is trained on; its own ridge is not used.
        train_times: Training times τ (times,), not negative, inf allowed.
        variants: The ridge, finite and not negative, and the trainer of each.
        model: As in `train`, and so the rest.
        route: As in `train`.
        moments: Exact or Monte Carlo.
        parts: Whether eigenvalues and what parts tell are kept, for which auto is dense.
        by_part: Also by the parts.
        fresh_noise: Also L_emp at finite noise_copies.
        keep_weights: Also the read-outs.
        report: Hears of each step.
        begin: Called with the settings of each variant's result before anything is computed.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled.
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.
        condition: Noise-free inputs beside x_t, a row (d_y,) for each of the array's, or a file of them; centered and
            scaled as the array is.
        labels: The class of each of the array's rows, a whole number or a short text, or a file of them.

    Returns:
        The result of each variant; in its place the ValueError of one that diverges or is none.

    Raises:
        ValueError: What `train` raises of what the variants share; a Ctrl-C carries the first variant's result.
    """
    started = time.perf_counter()
    tau = times(train_times)
    method = Method(model=model, route=route, moments=moments)
    chosen: list[Choice] = []
    drawn = Draw(**draw)
    classes = drawn.labels is not None or problem.data.of_classes  # whose losses are of the dense route
    conditioned = drawn.condition is not None or isinstance(problem.data, Condition)

    def decided(sizes: Sizes) -> Method:
        if parts or keep_weights or route != AUTO or classes or conditioned:
            return method
        chosen.append(choose(method, sizes, by_part=by_part, fresh_noise=fresh_noise))
        return replace(method, route=chosen[0].route)

    if by_part and not method.labels:
        raise ValueError(f"by_part needs labelled eigenvalues, which route {route} does not give; use route dense")
    if fresh_noise and (model, method.labels, math.isinf(problem.noise_copies)) != ("real", True, False):
        raise ValueError(
            "fresh_noise is for finite noise_copies, the real model and route dense; got noise_copies "
            f"{problem.noise_copies:g}, model {model}, route {method.route}"
        )
    if keep_weights and (model, method.labels, method.draws) != ("real", True, None):
        raise ValueError(
            "keep_weights is for the real model, exact moments and route dense; got "
            f"model {model}, moments {method.moments}, route {method.route}"
        )
    if keep_weights and conditioned:
        raise ValueError("keep_weights keeps read-outs of features of x_t alone: leave it out beside a condition")
    shared = replace(problem, ridge=min((one.ridge for one in variants), default=problem.ridge))
    copies = TRAIN_COPIES + fresh_noise + CLASS_COPIES * classes  # one more where a second target is held
    run = Run(shared, drawn, report, method=decided, copies=copies, conditions=True)
    if keep_weights:
        require_readouts(run, len(tau) * len(variants))
    ways = [_trainer(one) for one in variants]
    found: list[TrainerFilter | ValueError] = [
        way if isinstance(way, ValueError) else way.at(run.kappa, one.ridge)
        for one, way in zip(variants, ways, strict=True)
    ]
    done: list[list[tuple[SampleSpectrum, xr.Dataset]]] = [[] for _ in variants]

    def extra(variant: Variant, trained: TrainerFilter) -> dict[str, Any]:
        return {
            "ridge": trained.ridge,
            "train_times": tau.tolist(),
            "by_part": by_part,
            "fresh_noise": fresh_noise,
            "trainer": str(variant.trainer),
        } | ({"keep_weights": True} if keep_weights else {})

    def result(
        variant: Variant, trained: TrainerFilter, seeds: Sequence[tuple[SampleSpectrum, xr.Dataset]]
    ) -> xr.Dataset:
        data = joined(run, seeds)
        data = data.assign_coords(train_time=("train_time", tau, {"long_name": "training time τ", "units": "1"}))
        if isinstance(trained, DescentFilter):
            data["steps"] = ("train_time", np.asarray(trained.steps(tau)), {"long_name": "steps of descent"})
        data = without_shifted_times(run, without_rows(run, with_bias_variance(run, data)), trained.ridge)
        labelled = run.label("train", data, extra(variant, trained), started)
        return labelled.assign_attrs(route=f"{chosen[0].route}: {chosen[0].why}") if chosen else labelled

    def results() -> list[xr.Dataset | ValueError]:
        return [
            trained if isinstance(trained, ValueError) else result(variant, trained, seeds)
            for variant, trained, seeds in zip(variants, found, done, strict=True)
        ]

    def first() -> xr.Dataset:
        return next(one for one in results() if isinstance(one, xr.Dataset))

    for variant, trained in zip(variants, found, strict=True):
        if not isinstance(trained, ValueError):
            run.begin(begin, extra(variant, trained))
    left = [k for k, trained in enumerate(found) if not isinstance(trained, ValueError)]
    with suited(run.sizes.features), keeping(done[left[0]] if left else [], first):
        for solved in run.solved(fresh_noise=fresh_noise, basis=keep_weights) if left else ():
            going = [trained for k in left if not isinstance(trained := found[k], ValueError)]
            several = curves_datasets(run, solved, tau, going, by_part=by_part)
            for k, trained, data in zip(left, going, several, strict=True):
                if isinstance(data, ValueError):
                    found[k] = data
                    continue
                if keep_weights:
                    filtered = trained.filter(tau)(solved.spectrum.points)
                    data = data.assign(kept(run, len(done[k]), trained_readouts(run, solved.spectrum, filtered)))
                done[k].append((solved.spectrum._replace(basis=np.zeros(0)), data))
            left = [k for k in left if not isinstance(found[k], ValueError)]
            del solved  # a p × p matrix less while the next seed is decomposed
            if not left:
                break
    return results()


def _trainer(variant: Variant) -> Trainer | ValueError:
    """The trainer of a variant, or what is wrong with it."""
    try:
        return trainers.read(variant.trainer)
    except ValueError as error:
        return error
