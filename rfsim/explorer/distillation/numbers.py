"""What the second tab says in numbers: each is an entry of a result of `rfsim.distill`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.disk import store
from rfsim.distillation.memorization import memorized
from rfsim.explorer.distillation.systems import RIDGES, DistillationChoice
from rfsim.explorer.parts import Table, Value

MEASURES = {
    "memorized_fraction": "memorized share f_mem",
    "memorized_low": "95% from",
    "memorized_high": "to",
    "frechet_per_dim": "Fréchet W₂²/d",
    "sliced_wasserstein": "sliced W₂",
    "membership_auc": "membership AUC",
}
PARTS = ("gen", "main", "mini", "null")


class Cloud(NamedTuple):
    """Samples (rows, 2), and which of them are memorized (rows,)."""

    samples: NDArray[np.float64]
    memorized: NDArray[np.bool_]


class Model(NamedTuple):
    """Who made samples in the plane, how (words), their measures by name, and the samples where they are drawn."""

    name: str
    words: str
    measures: dict[str, float]
    cloud: Cloud | None


class DistillationNumbers(NamedTuple):
    """All that is shown for a choice. plane, crossed: results of one student at one distill_time and one seed."""

    choice: DistillationChoice
    plane: xr.Dataset
    crossed: xr.Dataset
    models: tuple[Model, ...]

    @property
    def points(self) -> NDArray[np.float64]:
        """The training points (n, 2)."""
        return self.plane["training_point"].values


class Entries(NamedTuple):
    """What a choice asks for of both results, as `DistillationNumbers` has it."""

    choice: DistillationChoice
    plane: xr.Dataset
    crossed: xr.Dataset


def entries(choice: DistillationChoice, plane: xr.Dataset, crossed: xr.Dataset) -> Entries:
    """The entries of both results that a choice asks for."""
    here = {"seed": 0, "variant": RIDGES.index(choice.ridge)}
    return Entries(choice, *(data.isel(here).sel(distill_time=choice.distill_time) for data in (plane, crossed)))


def shown(entries: Entries) -> DistillationNumbers:
    """All that is shown of the entries."""
    return DistillationNumbers(*entries, _models(entries.plane))


def _models(own: xr.Dataset) -> tuple[Model, ...]:
    every = int(own.steps.max())
    points, names = own["training_point"].values, own["quality"].values.tolist()
    steps = {count: own.steps.values.tolist().index(count) for count in (1, every)}
    teachers, students = own["teacher_steps"].values, own["student_steps"].values
    rows = (
        ("teacher", f"teacher, {every} steps", teachers[steps[every]], "teacher_sample"),
        ("teacher_one", "teacher, 1 step", teachers[steps[1]], "teacher_sample_one"),
        ("student", "student, 1 step", students[steps[1]], "student_sample"),
        ("student_all", f"student, {every} steps", students[steps[every]], "student_sample_all"),
        ("early_teacher", f"early teacher, {every} steps", own["early_teacher"].values, None),
        ("regression", "regression on the teacher's ends, 1 step", own["regression"].values, None),
        ("reference", "true law", own["reference"].values, None),
    )
    clouds = _clouds({drawn: own[drawn].values for _, _, _, drawn in rows if drawn}, points)
    return tuple(
        Model(name, words, dict(zip(names, values.tolist(), strict=True)), clouds.get(drawn))
        for name, words, values, drawn in rows
    )


def _clouds(drawn: dict[str, NDArray[np.float64]], points: NDArray[np.float64]) -> dict[str | None, Cloud]:
    """Which samples are memorized, of all models at once."""
    with jax.enable_x64(True):
        hits = np.split(memorized(np.concatenate(list(drawn.values())), points), len(drawn))
    return {name: Cloud(samples, own) for (name, samples), own in zip(drawn.items(), hits, strict=True)}


def value(number: Any) -> Value:
    """A number with three digits, "–" where there is none."""
    exact = float(number)
    return Value("–") if math.isnan(exact) else Value(f"{exact:.3g}", exact)


def tables(shown: DistillationNumbers) -> tuple[Table, ...]:
    """Samples, transfer, leakage, suppression."""
    return _samples(shown), _transfer(shown), _leakage(shown), _suppression(shown)


def _samples(shown: DistillationNumbers) -> Table:
    rows = {one.words: tuple(value(one.measures[name]) for name in MEASURES) for one in shown.models}
    n, generated = len(shown.points), shown.plane.sizes["sample"]
    caption = (
        f"Samples in the plane (d = 2, n = {n}, {generated} samples of each model, one seed): an illustration, at "
        "settings that were searched for a teacher that memorizes; evidence is in the figure distillation"
    )
    return Table("samples", caption, ("samples of", *MEASURES.values()), tuple(MEASURES), rows)


def _transfer(shown: DistillationNumbers) -> Table:
    own = shown.crossed.transfer.sel(ridge=shown.choice.ridge, level=shown.choice.level)
    own = own.assign_coords(source=shown.crossed.part.values)
    rows = {f"from {start}": tuple(value(own.sel(source=start, part=end)) for end in PARTS) for start in PARTS}
    there, here = shown.crossed.diffusion_time.values[[shown.choice.level - 1, shown.choice.level]]
    caption = (
        f"Transfer between parts (d = {dim(shown)}): median share of what a direction at diffusion time {there:.3g} "
        f"hands up that lands in each part at {here:.3g}, γ = {shown.choice.ridge:g}"
    )
    return Table("transfer", caption, ("share", *(f"to {end}" for end in PARTS)), PARTS, rows)


def _leakage(shown: DistillationNumbers) -> Table:
    own = shown.crossed
    rows = {}
    for ridge in RIDGES:
        leaked, error = (own[name].sel(ridge=ridge) for name in ("leakage_all", "leakage_all_error"))
        parts = (leaked.sel(part=part) for part in PARTS[1:])
        mark = ", chosen" if ridge == shown.choice.ridge else ""
        found = (leaked.sel(part="gen"), error.sel(part="gen"), *parts)
        rows[f"γ = {ridge:g}{mark}"] = tuple(map(value, found))
    star, threshold = own.gamma_star, store.settings(own)["threshold"]
    rows[f"γ⋆, the least with less than {threshold:g}"] = (value(star), *(Value("") for _ in range(4)))
    columns = ("ridge", "outside gen", "± standard error", *(f"in {part}" for part in PARTS[1:]))
    caption = f"Leakage (d = {dim(shown)}): median share of gen, over all levels, that lands elsewhere one level up"
    return Table("leakage", caption, columns, ("outside", "error", *PARTS[1:]), rows)


def _suppression(shown: DistillationNumbers) -> Table:
    own = shown.crossed.suppression
    rows = {
        part: tuple(value(getattr(own.sel(part=part), how)("level")) for how in ("median", "min", "max"))
        for part in PARTS
    }
    caption = (
        f"Suppression (d = {dim(shown)}): energy of the student's weights over the teacher's, γ = "
        f"{shown.choice.ridge:g}, τ_S = {shown.choice.distill_time:g}"
    )
    columns = ("part", "median of levels", "least", "most")
    return Table("suppression", caption, columns, ("median", "least", "most"), rows)


def dim(shown: DistillationNumbers) -> int:
    """Dimension d of the system whose transfer, leakage and suppression are shown."""
    return int(store.settings(shown.crossed)["dim"])
