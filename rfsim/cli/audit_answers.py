"""An audit as an answer: who is memorized by teacher, baseline and student, and the two-sample test of their samples.

Shares are of points of all seeds together; lists run over levels, null at those that are not audited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfsim.cli.answers import mean, short, standard_error, table

if TYPE_CHECKING:
    import xarray as xr

TESTED = {"reference": "reference", "teacher": "teacher", "teacher_one_step": "teacher_one"}
TESTED |= {"early_teacher": "early_teacher"}


def audit_answer(own: xr.Dataset, data: xr.Dataset) -> dict[str, Any]:
    """The object "audit" of one student; `data` has the attributes of the whole result."""
    told, tests = data.audit_count.attrs, data.reference_two_sample.attrs
    points = int(told["training_points"])
    one = own.isel(distill_time=0)
    found: dict[str, Any] = {
        "quantile": float(told["quantile"]),
        "fresh_points": int(told["fresh_points"]),
        "training_points": points,
        "held_out_sets": int(tests["held_out_sets"]) if "held_out_sets" in tests else None,
        "set_size": int(tests["set_size"]) if "set_size" in tests else None,
        "teacher": {"memorized": _share(one, "teacher", points), "loss_auc": mean(own.teacher_loss_auc)},
        "baseline": {
            "memorized": _share(one, "baseline", points),
            "loss_auc": mean(own.baseline_loss_auc),
            "test": mean(own.baseline_test),
        },
    }
    for key, name in TESTED.items():
        found.setdefault(key, {})["two_sample"] = _test(own[f"{name}_two_sample"])
    times = enumerate(own.distill_time.values.tolist())
    found["student"] = [{"distill_time": time} | _student(own.isel(distill_time=k), points) for k, time in times]
    return found


def audit_lines(found: dict[str, Any]) -> list[str]:
    """The same for a reader: shares at the lowest level, and the two-sample test."""
    header = ["audit", "distill_time", "memorized", "over baseline", "shared", "inherited", "predicted", "two-sample z"]
    rows = [
        [name, "", short(_first(found[name]["memorized"])), *["-"] * 4, _z(found[name])]
        for name in ("teacher", "baseline")
    ]
    for one in found["student"]:
        keys = ("memorized", "over_baseline", "shared", "inheritance", "predictability")
        rows.append(["student", short(one["distill_time"]), *(short(_first(one[key])) for key in keys), _z(one)])
    controls = ("reference", "teacher_one_step", "early_teacher")
    rows += [[name.replace("_", " "), *["-"] * 6, _z(found[name])] for name in controls]
    return table([header, *rows])


def _student(one: xr.Dataset, points: int) -> dict[str, Any]:
    """Shares by level: |S|/n, |S|/|B|, |S ∩ T ∩ B|/|S|, |S ∩ T ∖ B|/|T ∖ B|."""
    return {
        "memorized": _share(one, "student", points),
        "over_baseline": _ratio(one, "student", "baseline"),
        "shared": _ratio(one, "all", "student"),
        "inheritance": _ratio(one, "student and teacher alone", "teacher alone"),
        "predictability": _known(one.audit_predicted),
        "loss_auc": mean(one.student_loss_auc),
        "two_sample": _test(one.student_two_sample),
    }


def _counted(one: xr.Dataset, name: str) -> NDArray[np.float64]:
    """Points of all seeds in a set, (levels,)."""
    return one.audit_count.sel(audited=name).sum("seed", skipna=False).values


def _share(one: xr.Dataset, name: str, points: int) -> NDArray[np.float64]:
    return _counted(one, name) / (points * one.sizes["seed"])


def _ratio(one: xr.Dataset, part: str, whole: str) -> NDArray[np.float64]:
    """NaN where the whole is empty."""
    given, of = _counted(one, part), _counted(one, whole)
    return np.where(of > 0, given / np.where(of > 0, of, 1.0), np.nan)


def _known(values: xr.DataArray) -> NDArray[np.float64]:
    """The mean of the seeds that have one, (levels,)."""
    known = values.notnull().sum("seed")
    return (values.sum("seed") / known.where(known > 0)).values


def _test(values: xr.DataArray) -> dict[str, Any]:
    """Every number of the test; over several seeds the mean, and of z its standard error."""
    found: dict[str, Any] = {str(name): float(mean(values.sel(two_sample=name))) for name in values.two_sample.values}
    if values.sizes["seed"] > 1:
        found["z_se"] = float(standard_error(values.sel(two_sample="z")))
    return found


def _first(row: list[float | None]) -> float | None:
    """At the lowest level that is audited and known."""
    return next((one for one in row if one is not None), None)


def _z(one: dict[str, Any]) -> str:
    test = one.get("two_sample")
    return short(test["z"]) if test else "-"
