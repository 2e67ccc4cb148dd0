"""The law of generated samples in the wide limit as a labelled result (equations.md W6 to W10)."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_float64
from rfsim.limit.generation import FLOWS, SAMPLERS, one_jump
from rfsim.limit.generation import generated as law_of
from rfsim.limit.sample_covariance import NODES, SampleCovariance
from rfsim.limit.wide_spectrum import tables
from rfsim.limit.wide_students import Level, wide_student
from rfsim.problem.activations import hermite_coefficients
from rfsim.problem.diffusion import ode_step, signal, total_variance
from rfsim.problem.model import TRAIN_TIMES, Problem, require_unused, times
from rfsim.problem.time_paths import steps_given
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report
from rfsim.theory.generated_measures import MEASURES, measured
from rfsim.theory.ladder import Ladder, read_schedule
from rfsim.theory.run import LimitRun

SECOND = 1e-10  # of σ's size: a second Hermite coefficient that is rounding
FINE = 1024  # nodes of the whole spectrum, for quantiles
PRIOR = 0.1  # of the variance at T: what the data may still have there


@known_keywords
@in_float64
def generated(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    *,
    time_min: float = 0.02,
    time_max: float = 3.0,
    levels: int = 20,
    path: ArrayLike | None = None,
    sampler: str = "ddim",
    train_schedule: str = "constant",
    student: bool = False,
    distill_times: ArrayLike = (math.inf,),
    ridge_per_feature: bool = False,
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """The law of generated samples as ψ_p → ∞ after d → ∞, with a teacher at each training time.

    Equations.md W6 to W9; Latourelle-Vigeant et al. 2026, Theorems 4 and 5, with the slope by which features of
    Gaussian weights read samples of another variance [ours]; students by W10 [ours], derived and not proved. Samples
    are N(0, Λ(Σ̂)), Σ̂ = XXᵀ/n of the training data, and none of them meets a training point.

    Args:
        problem: What is trained on at every level, features_per_dim inf and m = ∞. Its diffusion_time is not used, and
            refused where one is given.
        train_times: τ of the teachers, (times,), the same at all levels; inf allowed.
        time_min: ε, the diffusion time of samples.
        time_max: T, where sampling starts from N(0, I).
        levels: N; steps lead down a geometric grid of N + 1 times.
        path: All of them, from T down to ε, (levels + 1,), in the place of levels, time_min and time_max.
        sampler: "ddim", "euler", "heun"; "ode", their limit of many steps; "sde", Euler–Maruyama; "sde-limit".
        train_schedule: "constant"; or in the place of train_times "best", at each level the train_time of the lowest
            L_test, or "theta:0.001=1.2,3=100", τ = θ(t)/(2Δa²) with ln θ linear in t between the diffusion times that
            are given; "theta:5" is one θ for all levels.
        student: Also consistency students of the teachers, by `ddim` steps, in one step and in two.
        distill_times: τ_S of the students, (distill_times,); inf allowed.
        ridge_per_feature: Whether the ridge is that of the problem × features_per_dim; no other one counts.
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed; what it
            raises ends the run.

    Returns:
        Over way ("steps", "one_jump": DDIM from T to ε) and train_time, NaN for other schedules than "constant":
        frechet_per_dim, kl_per_dim and kl_reverse_per_dim against the law of x_ε, NaN but for isotropic data;
        kl_mean_per_dim, of the mean covariance (W8; LV26, with the law of x_ε for that of x); variance_mean and
        variance_quantile (quantile) of the eigenvalues of the samples' covariance, recovered and truth (direction)
        along eigenvectors of Σ. level_time and level_score (level, train_time): the teachers' times and E_score. With
        students student_NAME (distill_time, student_way, train_time), student_way "one_step", "two_steps"; map_gap,
        ∫(F_N − teacher's steps)²dμ̂. residual: what they move by with half of all nodes.

    Raises:
        ValueError: In one line, for a finite features_per_dim or noise_copies, a σ with a second Hermite coefficient, a
            ridge that does not grow with ψ_p, a time_max at which the data are still there, and what `time_grid`
            refuses.

    >>> problem = Problem(samples_per_dim=2, features_per_dim=float("inf"), activation="linear")
    >>> found = generated(problem, [float("inf")])
    >>> found.frechet_per_dim.values.round(6).tolist()
    [[0.112634], [0.568902]]
    """
    require_unused(problem, "theory.generated", diffusion_time="give time_min and time_max")
    if math.isfinite(problem.features_per_dim):
        raise ValueError(
            f"theory.generated knows features_per_dim inf alone; got {problem.features_per_dim:g}: rfsim.distill "
            "generates samples at finite widths"
        )
    tau, later = times(train_times), times(distill_times, "distill_times")
    if problem.ridge and not ridge_per_feature:
        raise ValueError(
            f"ridge {problem.ridge:g} does not count at features_per_dim inf, where eigenvalues grow with "
            "features_per_dim: give ridge_per_feature, or leave it out"
        )
    schedule = read_schedule(train_schedule)
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler must be one of {', '.join(SAMPLERS)}; got {sampler!r}")
    if student and sampler != "ddim":
        raise ValueError(f"students are known of ddim steps alone; got sampler {sampler!r}: leave one of them out")
    grid = steps_given(path, levels=levels, time_min=time_min, time_max=time_max)
    run = LimitRun(replace(problem, diffusion_time=float(grid[-1])), wide=True)
    _require_known(run, grid)
    own = schedule != "constant"  # times of each level
    run.settings.pop("diffusion_time")
    extra = {"time_min": float(grid[0]), "time_max": float(grid[-1]), "levels": grid.size - 1}
    extra |= {"sampler": sampler} | ({} if path is None else {"path": grid.tolist()})
    extra |= {"train_schedule": train_schedule} | ({} if own else {"train_times": tau.tolist()})
    extra |= {"student": student} | ({"distill_times": later.tolist()} if student else {})
    extra |= {"ridge_per_feature": True} if ridge_per_feature else {}
    run.begin(begin, extra)
    ladder = Ladder(run, run.ridge(per_feature=ridge_per_feature), schedule, tau)
    if report:
        report("levels", {})
    law = _rule(run)

    def w(t: float) -> NDArray[np.float64]:
        return ladder.score(t, law.points)

    read = partial(ladder.read, weights=law.weights)
    made = law_of(sampler, grid[[0, -1]] if sampler in FLOWS else grid, w, read)
    ways = {"steps": made.variance, "one_jump": one_jump(grid[0], grid[-1], w, read)}
    data = measured(run, law, float(grid[0]), "way", ways, made.change)
    for name, of, long in (
        ("level_time", ladder.teachers, "training time of each level"),
        ("level_score", ladder.score_error, "E_score of each level's teacher"),
    ):
        values = np.stack([of(float(t)) for t in grid[1:]])
        data[name] = ("level", "train_time"), values, {"long_name": long, "units": "1"}
    data = data.assign_coords(
        train_time=("train_time", np.array([np.nan]) if own else tau, {"long_name": "training time τ", "units": "1"}),
        level=("level", grid[1:], {"long_name": "diffusion time t", "units": "1"}),
    )
    if student:
        if report:
            report("students", {})
        assert made.factor is not None  # of ddim, which students need
        each = [_student(run, ladder, grid, law, float(one), made.factor) for one in later]
        students = xr.concat(each, "distill_time", data_vars="all")
        told = {"long_name": "distillation time τ_S", "units": "1"}
        data = data.merge(students.assign_coords(distill_time=("distill_time", later, told)))
    found = run.label("theory-generated", data, extra)
    return found.drop_vars(["a", "b", "v2", "s2"])  # each level has its own


def _require_known(run: LimitRun, grid: NDArray[np.float64]) -> None:
    """ValueError where the equations assume what is not so."""
    left = signal(float(grid[-1])) ** 2 * float(run.population.values.max())
    if left > PRIOR:
        enough = math.log(run.population.values.max() / PRIOR) / 2
        raise ValueError(
            f"time_max {grid[-1]:g} leaves the data a variance of {left:.2g} where sampling starts from N(0, I); give "
            f"at least {enough:.3g}, which leaves {PRIOR:g}"
        )
    sigma = run.problem.activation
    if sigma.odd:
        return
    for t in grid[[0, -1]]:
        gamma = math.sqrt(total_variance(run.population.power, float(t)))
        c = hermite_coefficients(sigma, gamma, 8)
        if abs(c[2]) > SECOND * np.linalg.norm(c[1:]):
            raise ValueError(
                f"activation {sigma.name!r} has a second Hermite coefficient, {c[2]:.3g} at Γ = {gamma:.3g}, of which "
                "the law of generated samples is not known; tanh, erf, sine and linear have none"
            )


def _rule(run: LimitRun) -> SampleCovariance:
    """Fine enough for quantiles to be read off it."""
    atoms = run.population.values.size
    nodes = max(NODES, FINE // atoms - FINE // atoms % 2)
    return tables(run.limit, nodes).law


def _student(
    run: LimitRun,
    ladder: Ladder,
    grid: NDArray[np.float64],
    law: SampleCovariance,
    distill_time: float,
    steps: NDArray[np.float64],
) -> xr.Dataset:
    """Students of every teacher at one distillation time: one step, and two by way of the middle level (W10)."""
    teachers = np.stack([ladder.teachers(t) for t in grid[1:]])
    one, two, gap = [], [], []
    middle = (grid.size - 1) // 2  # 0 where there is one level: two steps are one
    start = np.ones((1, law.points.size))
    for column, teacher in zip(teachers.T, steps, strict=True):
        levels = [Level(float(t), ladder.limit(t), float(tau)) for t, tau in zip(grid[1:], column, strict=True)]
        maps = wide_student(run.problem.activation, float(grid[0]), levels, law, distill_time, ladder.ridge)

        def jump(level: int, variance: NDArray[np.float64], maps: NDArray[np.float64] = maps) -> NDArray[np.float64]:
            """The map of a level where samples have this variance."""
            skip = ode_step("ddim", float(grid[level]), float(grid[0])).x
            return (skip + ladder.read(float(grid[level]), variance, law.weights) * (maps[level - 1] - skip))[0]

        whole = jump(grid.size - 1, start)
        one.append(whole**2)
        kept = signal(float(grid[middle] - grid[0])) ** 2  # of what is noised up to the middle level again
        noised = kept * one[-1] + 1 - kept
        two.append(jump(middle, noised[None]) ** 2 * noised if middle else noised)
        gap.append((whole - teacher) ** 2 @ law.weights)
    ways = {"one_step": np.stack(one), "two_steps": np.stack(two)}
    data = measured(run, law, float(grid[0]), "student_way", ways, 0.0)
    data = data[list(MEASURES)].rename({name: f"student_{name}" for name in MEASURES})
    return data.assign(map_gap=("train_time", np.array(gap), {"long_name": "∫(F_N − teacher's steps)²dμ̂"}))
