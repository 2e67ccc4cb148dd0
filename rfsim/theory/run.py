"""What every quantity of the limit shares: its equations' parameters, its settings, the label of its result."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Unpack

import xarray as xr

from rfsim.checking import notes
from rfsim.disk import store
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.timescales import rate_time
from rfsim.limit import from_samples
from rfsim.limit.limits import Limit, constants, limit
from rfsim.limit.populations import Population, from_array, population
from rfsim.problem.activations import Constants
from rfsim.problem.diffusion import noise_variance, total_variance
from rfsim.problem.draws import DataOptions
from rfsim.problem.model import Problem, require_finite_width
from rfsim.problem.origins import Source, limit_settings, source
from rfsim.results.progress import Begin


def require_tolerance(tolerance: float) -> None:
    """ValueError unless a tolerance lies between 0 and 1."""
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie between 0 and 1; got {tolerance:g}")


def require_averaged(problem: Problem) -> None:
    """ValueError for finite m at ψ_p = ∞, of which the curves are not known."""
    if math.isinf(problem.features_per_dim) and math.isfinite(problem.noise_copies):
        raise ValueError(
            f"at features_per_dim inf noise is averaged; got noise_copies {problem.noise_copies:g}: leave them out, or "
            "take theory.spectrum or theory.ridge_plane, which have both"
        )


class LimitOptions(DataOptions, total=False):
    """The data behind a problem, and what of their covariance the limit takes.

    Attributes:
        array: As in `DataOptions`.
        center: As in `DataOptions`.
        scale: As in `DataOptions`.
        covariance: "sample", that of the array; "shrunk" or "deconvolved", an estimate of Σ's eigenvalues from it.
    """

    covariance: str


def covariance_of(
    problem: Problem, origin: Source | None = None, *, covariance: str = "sample", **data: Unpack[DataOptions]
) -> tuple[Population, Source]:
    """ρ_Σ of a problem's data, and where they come from, their settings told; ValueError where there is none."""
    origin = source(problem, **data) if origin is None else origin
    if origin.array is None:
        if covariance != "sample":
            raise ValueError(
                f"covariance {covariance!r} is estimated from samples; data {str(problem.data)!r} have their own Σ: "
                "leave it out"
            )
        return population(problem.data), origin
    rows, columns = origin.array.shape
    if covariance == "sample":
        if rows < from_samples.ENOUGH * columns:
            notes.say(
                f"Σ is the covariance of {rows} samples of {columns} columns, whose eigenvalues lie farther apart than "
                "those of Σ; covariance deconvolved estimates Σ's"
            )
        return from_array(origin.array), origin
    found = from_array(origin.array, covariance, centered=data.get("center", True))
    return found, origin._replace(settings=origin.settings | {"covariance": covariance})


class LimitRun:
    """A problem in the limit: of an array of data only the covariance is used, with all of its rows."""

    def __init__(
        self,
        problem: Problem,
        origin: Source | None = None,
        *,
        wide: bool = False,
        copies: bool = False,
        classes: bool = False,
        **data: Unpack[LimitOptions],
    ) -> None:
        """Raise ValueError where the population has no covariance or σ no constants there.

        origin: the data, where they were read before; wide: whether the limit of many features is known, ψ_p = ∞;
        copies: whether at finite m too.
        classes: whether populations of classes are.
        """
        self.wide = math.isinf(problem.features_per_dim)
        if self.wide and not wide:
            require_finite_width(problem.features_per_dim)
        if not copies:
            require_averaged(problem)
        self.started = time.perf_counter()
        self.problem = problem
        self.population, origin = covariance_of(problem, origin, **data)
        self.named = origin.array is None
        self.limit: Limit = limit(problem, self.population, wide=wide, classes=classes)
        self.settings: dict[str, Any] = limit_settings(problem, origin)
        self.constants: Constants = constants(problem, self.population)[0]
        self.delta = noise_variance(problem.diffusion_time)
        self.total_variance = total_variance(self.population.power, problem.diffusion_time)

    @property
    def width(self) -> float:
        """What eigenvalues are told times ψ_p over: ψ_p, and 1 at ψ_p = ∞, where they are told over ψ_p."""
        return 1.0 if self.wide else self.problem.features_per_dim

    @property
    def kappa(self) -> float:
        """κ = 2Δ/ψ_p (T7)."""
        return learning_rate_constant(self.delta, self.width)

    def time(self, eigenvalue: float) -> float:
        """The train_time ψ_p/(Δ λ) of an eigenvalue."""
        return rate_time(eigenvalue, self.delta, self.width)

    def ridge(self, *, per_feature: bool) -> float:
        """The ridge in the units of the eigenvalues; at ψ_p = ∞ one that does not grow with it is none, told (W4)."""
        given = float(self.problem.ridge)
        if per_feature:
            return given * self.width
        if not self.wide:
            return given
        if given:
            notes.say(
                f"ridge {given:g} does not count at features_per_dim inf, where eigenvalues grow with the features: "
                "this is the limit without one; ridge_per_feature takes ridge × features_per_dim"
            )
        return 0.0

    @property
    def score_power(self) -> float:
        """(1/d) E‖∇ log P_t‖²."""
        return float(self.limit.score_power)

    @property
    def finite_copies(self) -> bool:
        """Whether the noise is frozen."""
        return math.isfinite(self.problem.noise_copies)

    def begin(self, begin: Begin | None, extra: Mapping[str, Any] | None = None) -> None:
        """Say which settings the result will carry, those of `label` with the same `extra`."""
        if begin:
            begin(self._told(extra))

    def label(self, kind: str, data: xr.Dataset, extra: Mapping[str, Any] | None = None) -> xr.Dataset:
        """`data` as a result of this problem, with the constants (T9)."""
        constants = {name: getattr(self.constants, name) for name in ("a", "b", "v2", "s2")}
        if self.wide:
            data = data.assign_attrs(per="dimension")
        wall = time.perf_counter() - self.started
        return store.label(data.assign(constants), kind, self._told(extra), wall_time=wall)

    def _told(self, extra: Mapping[str, Any] | None) -> dict[str, Any]:
        return {**self.settings, **(extra or {})}
