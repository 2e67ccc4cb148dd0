"""One seed's distillation as labelled variables."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.distillation import measures
from rfsim.distillation.audit_tables import audit_variables, coordinates
from rfsim.distillation.exact_learners import SelfDistilled
from rfsim.distillation.integrated import reports
from rfsim.distillation.memorization import Quality
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.run import SeedDistillation
from rfsim.distillation.sample_quality import NORMAL, SampleQuality
from rfsim.distillation.sampling import path, step_counts
from rfsim.problem.diffusion import diffuse, noise_variance
from rfsim.problem.laws import Law
from rfsim.problem.ranks import PARTS

ROUNDING = 1e-9  # relative, of weights that were rotated into an eigenbasis and back
OWN = ("variant", "distill_time")
STEPS = {"teacher_steps": ("steps",), "student_steps": (*OWN, "steps")}
WORDS = {
    "reference": "fresh samples of the true law of x_ε",
    "teacher": "the teacher in all of its steps",
    "teacher_steps": "the teacher in fewer steps",
    "early_teacher": "a teacher stopped before it memorizes",
    "student": "students in as many steps as their method has",
    "student_half": "students by half the draws, likewise",
    "student_steps": "students in several steps",
    "early_student": "students of the early teacher, likewise",
    "regression": "one-step students regressed on the teacher's own endpoints",
}


def table(plan: DistillationPlan, distilled: SeedDistillation, quality: SampleQuality) -> xr.Dataset:
    """Everything that was measured, without the dimension seed."""
    data = xr.Dataset(
        coords={
            "diffusion_time": ("grid", plan.times, {"long_name": "diffusion time t", "units": "1"}),
            "level": np.arange(1, plan.levels + 1),
            "part": list(distilled.parts),
            "variant": [student.label for student in plan.students],
            "distill_time": ("distill_time", np.array(plan.distill_times), {"long_name": "distillation time τ_S"}),
            "ridge": ("ridge", np.array(plan.leakage_ridges), {"long_name": "ridge γ of the leakage"}),
            "steps": step_counts(plan.levels),
            "quality": list(Quality._fields),
        }
        | coordinates(distilled)
    )
    found = (
        _quality(quality)
        | _mixing(plan, distilled)
        | (_integration(plan, distilled) if plan.integrated else {})
        | _energies(distilled)
        | _map_errors(plan, distilled)
        | _leakage(plan, distilled)
        | _spectra(distilled)
        | audit_variables(plan, distilled, quality)
    )
    return data.assign(found | (_samples(plan, distilled, quality) if plan.samples else {}))


def moved(value: NDArray[np.float64], half: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.int8]:
    """1 where half of the draws give another value, by more than half a 95% interval of its standard error.

    What rounding alone moves is not moved: where a student stays as it began, the error itself is rounding.
    """
    return (np.abs(value - half) > np.maximum(NORMAL * error, ROUNDING * np.abs(value))).astype(np.int8)


def _quality(quality: SampleQuality) -> dict[str, xr.Variable]:
    found = quality.measure()
    found["student_half"] = found.pop("half")
    own = dict.fromkeys(("student", "student_half", "student_error", "early_student", "regression"), OWN) | STEPS
    variables = {
        name: xr.Variable((*own.get(name, ()), "quality"), values, {"long_name": WORDS.get(name, "standard error")})
        for name, values in found.items()
    }
    counts = [quality.evaluations(student) for student in range(len(quality.plan.students))]
    flags = moved(found["student"], found["student_half"], found["student_error"])
    return variables | {
        "student_moved": xr.Variable((*OWN, "quality"), flags, {"long_name": "1: moved by the draws"}),
        "evaluations": xr.Variable("variant", counts, {"long_name": "evaluations of the student for a sample"}),
    }


def _mixing(plan: DistillationPlan, distilled: SeedDistillation) -> dict[str, xr.Variable]:
    """ξ of self-distilled students, where there are any."""
    learners = distilled.models["student"]
    if not any(isinstance(one, SelfDistilled) for one in learners):
        return {}
    values = np.full((len(plan.students), len(plan.distill_times), plan.levels), np.nan)
    for row, one in zip(values, learners, strict=True):
        if isinstance(one, SelfDistilled):
            row[:] = np.stack([one.mixing[level] for level in range(1, plan.levels + 1)], axis=1)
    words = "ξ of self-distillation, the best one unless given"
    return {"mixing": xr.Variable((*OWN, "level"), values, {"long_name": words})}


def _integration(plan: DistillationPlan, distilled: SeedDistillation) -> dict[str, xr.Variable]:
    """How students that are integrated came to each distill_time."""
    found = reports(distilled.models["student"], len(plan.distill_times))
    return {
        "integration_steps": xr.Variable(OWN, found["steps"], {"long_name": "steps of the integration"}),
        "integration_error": xr.Variable(OWN, found["errors"], {"long_name": "largest error of a step"}),
    }


def _energies(distilled: SeedDistillation) -> dict[str, xr.Variable]:
    """Energies and suppression by level and part, and losses by level."""
    teacher, student, half = (
        np.stack([getattr(level, name).energy for level in distilled.levels], axis=-3)
        for name in ("teacher", "students", "half")
    )
    per_level = (*OWN, "level", "part")
    variables = {
        "teacher_energy": xr.Variable(("level", "part"), teacher.mean(-2), {"long_name": "(1/d) Tr Ā P U P Āᵀ"}),
        "student_energy": xr.Variable(per_level, student.mean(-2), {"long_name": "(1/d) Tr B̄ P U P B̄ᵀ"}),
    }
    own_features = len(distilled.student.weights) != len(distilled.teachers[0].weights)
    # of each student's own teacher, (variant, 1, level, dim, part)
    references = np.stack([level.references for level in distilled.levels], axis=1)[:, None]
    references = np.full_like(references, np.nan) if own_features else references
    ratio, other = (measures.suppression(one, references) for one in (student, half))
    words = "student's energy over the teacher's"
    variables |= {
        "suppression": xr.Variable(per_level, ratio.value, {"long_name": words}),
        "suppression_half": xr.Variable(per_level, other.value, {"long_name": f"{words}, by half the draws"}),
        "suppression_error": xr.Variable(per_level, ratio.error, {"long_name": "jackknife over output rows"}),
        "suppression_moved": xr.Variable(
            per_level, moved(ratio.value, other.value, ratio.error), {"long_name": "1: moved by the draws"}
        ),
    }
    readable = np.array([form.jumps for form in distilled.forms])
    for loss in ("train", "test"):
        of_teacher = np.array([getattr(level.teacher, loss) for level in distilled.levels])
        of_student = np.stack([getattr(level.students, loss) for level in distilled.levels], axis=-1)
        of_student = np.where(readable[:, None, None], of_student, np.nan)
        variables[f"teacher_{loss}"] = xr.Variable("level", of_teacher, {"long_name": f"L_{loss} of the teacher"})
        variables[f"student_{loss}"] = xr.Variable(
            (*OWN, "level"), of_student, {"long_name": f"L_{loss} of the student read as a score"}
        )
    apart = np.stack([level.students.apart for level in distilled.levels], axis=-1)
    variables["student_proxy"] = xr.Variable(
        (*OWN, "level"),
        np.where(readable[:, None, None], apart, np.nan),
        {"long_name": "(1/d)E‖s_S − s_T‖², the student's score from the teacher's over the population"},
    )
    return variables


def _map_errors(plan: DistillationPlan, distilled: SeedDistillation) -> dict[str, xr.Variable]:
    """How far every student's jump from each level to ε is from the flow's own end, over a Gaussian population."""
    values = np.full((len(plan.students), len(plan.distill_times), plan.levels), np.nan)
    variances = distilled.draw.population.gaussian
    if variances is not None:
        here = [diffuse(Law(np.zeros((1, variances.size)), variances), float(time)).variances for time in plan.times]
        for level, found in enumerate(distilled.levels, start=1):
            for row, form, test, along in zip(
                values, distilled.forms, found.students.test, found.students.along, strict=True
            ):
                skip, out = float(form.skip[level]), float(form.out[level])
                delta = noise_variance(float(plan.times[level]))
                row[:, level - 1] = measures.map_error(skip, out, test, along, (here[level], here[0]), delta)
    words = "(1/d)E‖f(x) − x_ε‖² of the student's jump against the flow of the population"
    return {"student_map_error": xr.Variable((*OWN, "level"), values, {"long_name": words})}


def _leakage(plan: DistillationPlan, distilled: SeedDistillation) -> dict[str, xr.Variable]:
    """Medians by level and over all of them; nothing is handed up to level 1."""
    gen = list(distilled.parts).index("gen")
    above = distilled.levels[1:]
    by_level = np.stack(
        [measures.leakage(level.landing, gen).value for level in above if level.landing is not None], axis=1
    )
    nothing = np.full_like(by_level[:, :1], np.nan)
    whole, half = (
        measures.leakage(np.concatenate([getattr(level, name) for level in above], axis=1), gen)
        for name in ("landing", "landing_half")
    )
    star = measures.gamma_star(np.array(plan.leakage_ridges), whole.value[:, gen], plan.threshold)
    words = "median share that Gen inputs hand up outside gen, and to each other part"
    dims = ("ridge", "part")
    variables = {
        "leakage": xr.Variable(
            ("ridge", "level", "part"), np.concatenate([nothing, by_level], axis=1), {"long_name": words}
        ),
        "leakage_all": xr.Variable(dims, whole.value, {"long_name": f"{words}, over all levels"}),
        "leakage_all_half": xr.Variable(dims, half.value, {"long_name": f"{words}, by half the draws"}),
        "leakage_all_error": xr.Variable(dims, whole.error, {"long_name": "standard error of the median"}),
        "leakage_all_moved": xr.Variable(
            dims, moved(whole.value, half.value, whole.error), {"long_name": "1: moved by the draws"}
        ),
        "gamma_star": xr.Variable(
            (),
            np.nan if star is None else star,
            {"long_name": "γ⋆, NaN where no ridge is enough", "threshold": plan.threshold},
        ),
    }
    if above[0].transfer is not None:
        shares = np.stack([level.transfer for level in above if level.transfer is not None], axis=1)
        nothing = np.full_like(shares[:, :1], np.nan)
        variables["transfer"] = xr.Variable(
            ("ridge", "level", "source", "part"),
            np.concatenate([nothing, shares], axis=1),
            {"long_name": "median share from each part of the level below, in their order"},
        )
    for one in variables.values():
        one.attrs["estimator"] = measures.ESTIMATOR  # files of before have none
    return variables


def _spectra(distilled: SeedDistillation) -> dict[str, xr.Variable]:
    """Exact eigenvalues by level, their parts, and instability where it was asked for."""
    part = np.zeros(distilled.levels[0].points.size, dtype=np.int32)
    for name, where in distilled.parts.items():
        part[where] = PARTS.index(name)
    flags = {"flag_values": list(range(len(PARTS))), "flag_meanings": " ".join(PARTS)}
    variables = {
        "eigenvalue": xr.Variable(
            ("level", "feature"),
            np.stack([level.points for level in distilled.levels]),
            {"long_name": "eigenvalue λ of U"},
        ),
        "feature_part": xr.Variable("feature", part, {"long_name": "part by rank"} | flags),
    }
    if distilled.levels[0].instability is not None:
        values = np.stack([level.instability for level in distilled.levels if level.instability is not None])
        variables["instability"] = xr.Variable(("level", "feature"), values, {"long_name": "instability qᵀDq/λ"})
    return variables


def _samples(plan: DistillationPlan, distilled: SeedDistillation, quality: SampleQuality) -> dict[str, xr.Variable]:
    """The first samples of teacher and students, in one step and in all, and the training points."""
    shown, solver = slice(plan.samples), plan.sampler
    teacher, (one, every) = distilled.teachers[0], (path(plan.levels, steps) for steps in (1, plan.levels))
    models = list(np.ndindex(len(plan.students), len(plan.distill_times)))
    shape = len(plan.students), len(plan.distill_times), plan.samples, distilled.draw.sizes.dim
    nothing = np.full(shape[2:], np.nan)

    def drawn(steps: int | None) -> NDArray[np.float64]:
        found = [quality.sampled("student", v, t, steps) for v, t in models]
        return np.reshape([nothing if samples is None else samples[shown] for samples in found], shape)

    words = [{"long_name": f"samples, in {steps}"} for steps in ("all steps", "one step", "the method's own steps")]
    dims = ("sample", "coordinate")
    return {
        "teacher_sample": xr.Variable(dims, quality.taught(teacher, every, solver)[shown], words[0]),
        "teacher_sample_one": xr.Variable(dims, quality.taught(teacher, one, solver)[shown], words[1]),
        "student_sample": xr.Variable((*OWN, *dims), drawn(None), words[2]),
        "student_sample_all": xr.Variable((*OWN, *dims), drawn(plan.levels), words[0]),
        "training_point": xr.Variable(("point", "coordinate"), distilled.draw.points),
    }
