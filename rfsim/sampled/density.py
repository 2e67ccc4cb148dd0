"""The spectral density of a U that is only multiplied, as a labelled result.

Named in the plural because `rfsim.density` is the front door's function.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import MOST_VALUES, whole
from rfsim.computing.machine import require_memory
from rfsim.computing.precision import in_complex128, in_float64
from rfsim.problem.draws import Draw, DrawOptions, told
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance, instance
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Report, each_seed
from rfsim.results.runs import Run
from rfsim.sample.spectra import Method
from rfsim.sample.spectra.accurate import training_moments
from rfsim.sample.spectra.lanczos import (
    PROBES,
    STEPS,
    Quadrature,
    edges,
    largest_block,
    mass,
    quadrature,
    shortened,
    smoothed,
)
from rfsim.sample.spectra.operators import Factored, gaussian_operators, sampled_operators
from rfsim.theory import LimitPart, parts
from rfsim.theory.run import LimitRun

POINTS, WIDTH = 400, 0.05  # of the smoothed density; its width is in ln λ
TOLERANCE = 1e-6  # of U's truncated orders, relative to its smallest eigenvalue
ABOVE_ZERO = 0.1  # of the smallest other eigenvalue: the border to those that are 0


class Border(NamedTuple):
    """A part as theory names it, "mini+main" where no gap separates two, and the interval its mass is taken over."""

    name: str
    lower: float
    upper: float


@known_keywords
@in_float64
@told(DrawOptions)
def density(
    problem: Problem,
    *,
    probes: int = PROBES,
    steps: int = STEPS,
    model: str = "gaussian",
    report: Report | None = None,
    **draw: Unpack[DrawOptions],
) -> xr.Dataset:
    """The spectral density of the sampled U by stochastic Lanczos quadrature (`spectra.lanczos`).

    No eigenvalue is computed and, of the Gaussian-equivalent model and of frozen noise, no features × features matrix
    held. The mass of each part is taken between the middles, in ln λ, of the gaps that theory finds around it at the
    same ψ_n, ψ_p (equations.md T11, §5).

    Args:
        problem: What is sampled. U has no ridge; one that is given says how exact U is asked for: eigenvalues are
            resolved beside it.
        probes: Random vectors, at least 2.
        steps: Products with U that each probe takes.
        model: "gaussian" for the Gaussian-equivalent model (§2), or "real".
        report: Hears of each step.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.

    Returns:
        node, weight, node_residual (seed, probe, step) as in `lanczos.Quadrature`; mass (seed, part) with mass_error,
        its standard error over probes, and mass_change, what the last quarter of the steps changed in it: more steps
        are needed where that is not small beside mass_error, as it is next to a narrow gap. Beside them rank_mass
        (part), the exact mass by rank (§8), and the interval mass_from, mass_to (part); edge and edge_residual (seed,
        end), the smallest and the largest Ritz value; density (seed, eigenvalue) per unit ln λ, every node spread over
        `density_width` in ln λ; the constants a, b, v2, s2 (T9).

    Raises:
        ValueError: For settings that do not fit together.
        MemoryError: Before allocating, for sizes beyond the memory limit.

    >>> found = density(Problem(samples_per_dim=2, features_per_dim=4), dim=10, probes=2, steps=5)
    >>> found.node.sizes["step"]
    5
    """
    started = time.perf_counter()
    counted = whole("probes", probes, 2, MOST_VALUES), whole("steps", steps, 1, MOST_VALUES)
    run = _Run(problem, Draw(**draw), report, counted, model)
    borders = _borders(run)

    def measured(seed: int) -> Quadrature:
        found = instance(run.problem, run.origin, run.sizes, seed)
        run.tell(found, "products with U")
        return quadrature(_second(run, found), probes=counted[0], steps=counted[1], seed=seed)

    def result(done: Sequence[Quadrature]) -> xr.Dataset:
        settings = {"route": "lanczos", "probes": counted[0], "steps": counted[1]}
        return run.label("density", _dataset(run, borders, done), settings, started)

    return each_seed(run.seeds, measured, result)


class _Run(Run):
    """A run whose memory is a factor of U, or U itself, and a block of Lanczos vectors."""

    def __init__(
        self, problem: Problem, drawn: Draw, report: Report | None, counted: tuple[int, int], model: str
    ) -> None:
        self.counted = counted
        super().__init__(problem, drawn, report, method=Method(model=model), copies=0)

    @property
    def implicit(self) -> bool:
        """Whether a factor of U takes its place."""
        return self.method.model == "gaussian" or math.isfinite(self.problem.noise_copies)

    def _require_memory(self, copies: int) -> None:
        d, n, p = self.sizes
        probes, steps = self.counted
        needed = needed_bytes(d, n, p, self.problem.noise_copies, model=self.method.model, probes=probes, steps=steps)
        require_memory(float(needed), f"dim {d} with {n} samples and {p} features")


def needed_bytes(
    dim: ArrayLike,
    samples: ArrayLike,
    features: ArrayLike,
    noise_copies: ArrayLike,
    *,
    model: str,
    probes: ArrayLike,
    steps: ArrayLike,
) -> NDArray[np.float64]:
    """Bytes at the peak of a density: a factor of U, or U itself, and a block of Lanczos vectors; sizes broadcast."""
    d, n, p, m = (np.asarray(value, dtype=float) for value in (dim, samples, features, noise_copies))
    averaged = np.isinf(m)
    factored = np.where(averaged, n + d, 2 * n * np.where(averaged, 1, m))  # frozen ones are built on the host
    if model == "gaussian":
        held = np.where(averaged, factored, factored + 4 * n)  # G, the noise and φ of one copy, while the next is made
    else:
        held = np.where(averaged, 3 * p, factored)
    taken = np.asarray(steps)
    block = largest_block(probes, np.minimum(taken, p), p)
    return 8.0 * p * (held + block * (taken + 20) + 2 * d) + 2**29


def _second(run: _Run, draw: Instance) -> Factored | Any:
    """U of one draw: a factor where it has one."""
    if run.method.model == "gaussian":
        return gaussian_operators(run.problem, draw, run.constants).second
    if run.implicit:
        return sampled_operators(run.problem, draw).second
    return training_moments(run.problem, draw, TOLERANCE, None).second


@in_complex128
def _borders(run: Run) -> list[Border]:
    """Theory's parts at the ψ_n and ψ_p of the sample, and the middles of the gaps between them."""
    d, n, p = run.sizes
    problem = replace(run.problem, samples_per_dim=n / d, features_per_dim=p / d)
    found: Sequence[LimitPart] = parts(LimitRun(problem, run.origin).limit)
    middles = [
        math.sqrt(below.upper * above.lower) if below.upper > 0 else ABOVE_ZERO * above.lower
        for below, above in itertools.pairwise(found)
    ]
    ends = [-math.inf, *middles, math.inf]
    return [Border(part.name, low, high) for part, (low, high) in zip(found, itertools.pairwise(ends), strict=True)]


def _dataset(run: Run, borders: Sequence[Border], done: Sequence[Quadrature]) -> xr.Dataset:
    names = [border.name for border in borders]
    masses = _masses(borders, done)
    earlier = _masses(borders, [shortened(one, -(-3 * one.nodes.shape[1] // 4)) for one in done])
    ends = np.array([edges(one) for one in done])
    by_rank = [sum(run.counts[name] for name in border.split("+")) / run.sizes.features for border in names]
    low, high = ends[:, 0, 0].min(), ends[:, 1, 0].max()
    points = np.geomspace(max(low, 1e-8 * high) * math.exp(-4 * WIDTH), high * math.exp(4 * WIDTH), POINTS)
    nodes, weights, residuals = (np.stack(part) for part in zip(*(one[:3] for one in done), strict=True))
    each, probe, ended = ("seed", "part"), ("seed", "probe", "step"), ("seed", "end")
    c = run.constants
    return xr.Dataset(
        {
            "node": (probe, nodes, {"long_name": "Ritz value θ of U", "units": "1"}),
            "weight": (probe, weights, {"long_name": "share of the probe's measure at θ"}),
            "node_residual": (probe, residuals, {"long_name": "‖Ux − θx‖ of the Ritz vector"}),
            "mass": (each, masses[..., 0], {"long_name": "share of the features"}),
            "mass_error": (each, masses[..., 1], {"long_name": "standard error of the mass over probes"}),
            "mass_change": (
                each,
                masses[..., 0] - earlier[..., 0],
                {"long_name": "what the last quarter of the steps changed in the mass"},
            ),
            "rank_mass": ("part", np.array(by_rank), {"long_name": "share of the features by rank"}),
            "mass_from": ("part", np.array([border.lower for border in borders])),
            "mass_to": ("part", np.array([border.upper for border in borders])),
            "edge": (ended, ends[..., 0], {"long_name": "Ritz value at the end of the spectrum", "units": "1"}),
            "edge_residual": (ended, ends[..., 1], {"long_name": "‖Ux − θx‖ there"}),
            "density": (
                ("seed", "eigenvalue"),
                np.stack([smoothed(one, points, WIDTH) for one in done]),
                {"long_name": "λρ(λ), mass per unit ln λ, nodes spread over density_width", "units": "1"},
            ),
            "density_width": WIDTH,
        }
        | {"a": c.a, "b": c.b, "v2": c.v2, "s2": c.s2},
        coords={
            "seed": list(run.seeds[: len(done)]),
            "part": names,
            "end": ["smallest", "largest"],
            "eigenvalue": ("eigenvalue", points, {"long_name": "eigenvalue λ of U", "units": "1"}),
        },
    )


def _masses(borders: Sequence[Border], done: Sequence[Quadrature]) -> NDArray[np.float64]:
    """Masses and their standard errors, (seeds, parts, 2)."""
    return np.array([[mass(one, border.lower, border.upper) for border in borders] for one in done])
