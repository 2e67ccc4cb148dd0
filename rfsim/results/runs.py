"""What every sampled quantity's run shares: resolved sizes, the draws of each seed, progress and the label."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.jackknife import GROUPS
from rfsim.computing.machine import require_memory
from rfsim.disk import store
from rfsim.learning.curves import MANY
from rfsim.learning.filters import learning_rate_constant
from rfsim.problem.activations import Constants, centered
from rfsim.problem.classes import ClassTable, class_table
from rfsim.problem.diffusion import diffuse, noise_variance, signal
from rfsim.problem.draws import Draw
from rfsim.problem.laws import AnyLaw, ClassLaw, score_power
from rfsim.problem.model import Problem, constants, constants_by_class, mean_constants
from rfsim.problem.origins import Sizes, Source, inputs_of, settings
from rfsim.problem.populations import Condition
from rfsim.problem.realization import Instance, feature_variance, instance, named_population, power
from rfsim.results.progress import Begin, Report
from rfsim.sample.spectra import Method, Solved, part_counts, solve

CONDITION_COPIES = 2  # p × p matrices more: the mean given y, and its turn to the eigenbasis


class Run:
    """What the quantities share: resolved sizes, the draws of each seed, progress, the label."""

    def __init__(
        self,
        problem: Problem,
        drawn: Draw,
        report: Report | None = None,
        *,
        method: Method | Callable[[Sizes], Method],
        copies: int,
        conditions: bool = False,
    ) -> None:
        """`method` may be chosen by the sizes; `conditions`: whether inputs beside x_t are known.

        MemoryError where `copies` matrices of p × p pass the memory limit.
        """
        self.problem, self.report = problem, report
        self.seeds = drawn.numbers
        self.origin: Source
        self.sizes: Sizes
        self.origin, self.sizes = drawn.of(problem, conditions=conditions)
        # how many there are, and E‖y‖²/d_y; None without a condition
        self.inputs: tuple[int, float] | None = inputs_of(problem, self.origin, self.sizes.dim)
        self.method = method(self.sizes) if callable(method) else method
        self.method.check(problem, self.sizes)
        if self.inputs and (self.method.model, self.method.route, self.method.draws) != ("real", "dense", None):
            raise ValueError(
                "beside a condition the real model, exact moments and route dense are known; got model "
                f"{self.method.model}, moments {self.method.moments}, route {self.method.route}"
            )
        if self.origin.labels and (self.method.model, self.method.route, self.method.draws) != ("real", "dense", None):
            raise ValueError(
                "losses by label are of the real model, exact moments and route dense; got model "
                f"{self.method.model}, moments {self.method.moments}, route {self.method.route}"
            )
        self._require_memory(copies)
        self.population: AnyLaw | None = named_population(problem, self.origin, self.sizes)
        if isinstance(self.population, ClassLaw) and self.method.model == "gaussian":
            raise ValueError(
                f"model gaussian has one variance for all points; data {str(problem.data)!r}: use model real"
            )
        self.classes: ClassTable | None = class_table(problem.data, self.origin, self.population)
        self.delta = noise_variance(problem.diffusion_time)
        self.settings = settings(problem, self.origin, self.sizes, seed=drawn.seed, seeds=drawn.seeds)
        self.settings |= self.method.settings
        data_power = power(problem, self.origin, self.sizes)
        # before anything large: a scale of data that σ's constants refuse is refused at once
        self.constants: Constants = constants(problem, data_power, self.inputs and self.inputs[1])
        if isinstance(self.population, ClassLaw):
            self.constants = mean_constants(self.population.shares, constants_by_class(problem, self.population))
        self.total_variance = feature_variance(problem, self.origin, self.sizes)

    @property
    def features_per_dim(self) -> float:
        """ψ_p as resolved."""
        return self.settings["features_per_dim"]

    @property
    def kappa(self) -> float:
        """κ = 2Δ/ψ_p (T7)."""
        return learning_rate_constant(self.delta, self.features_per_dim)

    @property
    def counts(self) -> dict[str, int]:
        """Counts of the parts of U by rank (§8)."""
        d, n, p = self.sizes
        # of the Gaussian-equivalent model, a purely linear σ alone is short of directions
        limited = self.method.model == "real" or self.constants.v2 == self.constants.s2 == 0
        sigma = centered(self.problem.activation, math.sqrt(self.total_variance))
        degrees, beside = sigma.degrees if limited else None, self.inputs[0] if self.inputs else 0
        return part_counts(p, n, d, self.problem.noise_copies, degrees, inputs=beside)

    @property
    def score_power(self) -> float | None:
        """(1/d) E‖∇ log P_t‖², given y beside inputs; None where the law is not known."""
        if self.population is None:
            return None
        t = self.problem.diffusion_time
        if isinstance(self.problem.data, Condition):
            told = self.problem.data.at(self.sizes.dim)
            return float(told.weights @ (1 / (signal(t) ** 2 * told.residual + self.delta)))
        return score_power(diffuse(self.population, t))

    def _require_memory(self, copies: int) -> None:
        d, n, p = (float(size) for size in self.sizes)
        if self.inputs:
            d, copies = d + self.inputs[0], copies + CONDITION_COPIES
        needed = needed_bytes(d, n, p, self.problem.noise_copies, method=self.method, copies=copies)
        require_memory(float(needed), f"dim {d:.12g} with {n:.12g} samples and {p:.12g} features")

    def solved(self, *, population: bool = True, fresh_noise: bool = False, basis: bool = False) -> Iterator[Solved]:
        """What the method makes of each seed's draw."""
        for seed in self.seeds:
            draw = instance(self.problem, self.origin, self.sizes, seed)
            tell = partial(self.tell, draw)
            yield solve(
                self.problem,
                draw,
                self.constants,
                self.method,
                tell,
                population=population,
                fresh_noise=fresh_noise,
                basis=basis,
            )

    def tell(self, draw: Instance, step: str, *, of: str = "") -> None:
        """Tell the listener what is done for a draw, or for a part `of` it."""
        if self.report:
            self.report(of + step, {"seed": draw.seed, "seeds": len(self.seeds), "first": self.seeds[0]})

    def begin(self, begin: Begin | None, extra: Mapping[str, Any]) -> None:
        """Say which settings the result will carry, those of `label` with the same `extra`, unless it is cut short."""
        if begin:
            begin(self._told(len(self.seeds), extra))

    def label(self, kind: str, data: xr.Dataset, extra: Mapping[str, Any], started: float) -> xr.Dataset:
        """Data as a result of this run."""
        wall = time.perf_counter() - started
        # fewer seeds where the run was interrupted
        return store.label(data, kind, self._told(data.sizes["seed"], extra), wall_time=wall)

    def _told(self, seeds: int, extra: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.settings, "seeds": seeds, **extra}


def needed_bytes(
    dim: ArrayLike, samples: ArrayLike, features: ArrayLike, noise_copies: ArrayLike, *, method: Method, copies: int
) -> NDArray[np.float64]:
    """Bytes at the peak of a run that holds `copies` matrices of features × features; sizes broadcast."""
    d, n, p, m = (np.asarray(value, dtype=float) for value in (dim, samples, features, noise_copies))
    gaussian, averaged = method.model == "gaussian", np.isinf(m)
    side = np.where(averaged, np.minimum(p, n + d), p) if gaussian else p
    groups = 0 if method.draws is None else 1 + 2 * min(GROUPS, method.draws)
    doubles = (copies + groups) * side**2 + 6 * d * (n + p)
    if gaussian:
        # G and φ of one copy; F, where its Gram matrix is not summed by chunks; and filters at a batch of times
        doubles = doubles + np.where(averaged, np.where(p <= n + d, 2 * (n + d), 3 * MANY), 5 * n) * p
    if gaussian and method.route == "krylov":
        width = np.where(averaged, n + d, n * np.where(averaged, 1, m))
        basis = np.minimum(width, p / 2)
        # a basis that grows on a device is there twice for a moment; beyond half of p the dense route takes its place
        held = np.where(averaged, width, 2 * width + 4 * n) * p + (2 * basis + 6 * d) * p
        doubles = np.maximum(held, np.where(width > p / 2, doubles, 0.0))
    return 8 * doubles + 2**29
