"""Results of the d → ∞ theory as answers: the JSON objects of the command contract, and lines for a reader.

The keys are those of the sampled commands where both know a quantity; what is not defined is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfsim.cli.answers import class_lines, head, short, table, time_lines
from rfsim.cli.class_answers import class_answers
from rfsim.disk import store

if TYPE_CHECKING:
    import xarray as xr

CURVES = ("train", "test", "score", "gen", "bias2", "variance", "emp", "train_penalized")
AXES = ("train_times", "ridges")
RIDGE = ("train", "train_penalized", "test", "emp", "bias2", "variance")


def spectrum_answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim theory spectrum --json`: parts ascending, an atom with lower = upper; the density without atoms."""
    fields = ("mass", "lower", "upper", "gap_below", "mean")
    parts = [
        {"name": str(name), "count": None} | {field: float(data[field][k]) for field in fields}
        for k, name in enumerate(data.part.values)
    ]
    answer = head(data, AXES) | {
        "eigenvalues": None,
        "bulks": parts,
        "constants": {name: float(data[name]) for name in ("a", "b", "v2", "s2")},
        "density": {"eigenvalue": data.eigenvalue.values, "density": data.density.values},
        "residual": float(data.density_residual.max()),
    }
    if "form" in data.dims:
        edges = [(key, data[f"large_{key}"].values) for key in ("mass", "lower", "upper")]
        answer["large"] = [
            {"name": str(name)} | {key: float(values[k]) for key, values in edges}
            for k, name in enumerate(data.form.values)
        ]
    return store.plain(answer | _per(data))


def curves_answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim theory curves --json`: as `rfsim train --json`, with bias², variance, L_emp and the penalized L_train."""
    answer = head(data, AXES) | {"train_time": data.train_time.values}
    answer |= {name: data[name].values for name in CURVES}
    for name, route in (("tau_gen", "gen_route"), ("tau_mem", "mem_route")):
        answer[name] = dict(zip(map(str, data[route].values), data[name].values.tolist(), strict=True))
    answer |= {"residual": float(data.residual), "error": data.error.values} | _per(data)
    if classes := class_answers(data):
        answer["classes"] = classes
    if "test_without" in data:
        answer["without"] = {
            str(part): {name: data[f"{name}_without"].sel(part=part).values for name in ("train", "test")}
            for part in data.part.values
        }
    return store.plain(answer)


def ridge_answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim theory ridge --json`: the losses of the ridge minimizer at each ridge, and the best ridge of all."""
    answer = head(data, AXES) | {"ridge": data.ridge.values}
    answer |= {name: data[name].values for name in (*RIDGE, "residual")}
    return store.plain(answer | {"best_ridge": float(data.best_ridge)})


def spectrum_lines(data: xr.Dataset) -> list[str]:
    """The parts as a table."""
    columns = ["name", "mass", "lower", "upper", "gap_below", "mean"]
    rows = [[short(part[field]) for field in columns] for part in spectrum_answer(data)["bulks"]]
    return table([["part", *columns[1:]], *rows])


def curves_lines(data: xr.Dataset) -> list[str]:
    """The losses at each train_time and both sets of timescales."""
    answer = curves_answer(data)
    columns = ["train_time", *(name for name in CURVES if any(value is not None for value in answer[name]))]
    return [*_table(answer, columns), *time_lines(answer), *class_lines(answer)]


def ridge_lines(data: xr.Dataset) -> list[str]:
    """The losses at each ridge, and the best ridge."""
    answer = ridge_answer(data)
    columns = ["ridge", *(name for name in RIDGE if any(value is not None for value in answer[name]))]
    best = f"best ridge {short(answer['best_ridge'])}, where L_test is {short(float(data.best_test))}"
    return [*_table(answer, columns), best]


def failed_points(data: xr.Dataset) -> list[str]:
    """A line for each thing that did not converge: how many points, and the worst residual; empty where all did."""
    checks = [
        ("ridge", "test", "residual", "ridges"),
        ("train_time", "test", "error", "training times"),
        ("feature_ratio", "test", "residual", "feature ratios"),
        ("train_time", "test_without", "part_error", "training times, by part,"),
        ("eigenvalue", "density", "density_residual", "eigenvalues"),
    ]
    found = []
    for axis, values, size, what in checks:
        if axis not in data.dims or values not in data:
            continue
        missing = np.isnan(data[values].transpose(..., axis).values).reshape(-1, data.sizes[axis]).any(0)
        if missing.any():
            worst = f"the worst {size.replace('_', ' ')} is {float(data[size].max()):.1e}"
            found.append(
                f"{missing.sum()} of {missing.size} {what} did not converge, the first at "
                f"{data[axis].values[missing][0]:g}; {worst}; they are left out"
            )
    if "best_ridge" in data and np.isnan(data.best_ridge):
        found.append("the best ridge was not found: the spectrum's edges, between which it is looked for, were not")
    return found


def _per(data: xr.Dataset) -> dict[str, Any]:
    """What masses are shares of, where that is not the features: at features_per_dim inf."""
    return {"per": data.attrs["per"]} if "per" in data.attrs else {}


def _table(answer: dict[str, Any], columns: list[str]) -> list[str]:
    rows = zip(*([short(value) for value in answer[name]] for name in columns), strict=True)
    return table([columns, *map(list, rows)])
