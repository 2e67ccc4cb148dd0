"""Results as answers: the JSON objects of the command contract, and the same facts as lines for a reader.

Others script against the keys here: add to them, never rename. Over several seeds a value is the mean, and `NAME_se`
its standard error (over the draws, for one seed with Monte Carlo moments); a value that one seed lacks is undefined
(null), because the mean of the others would not say so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfsim.cli.class_answers import class_answers
from rfsim.disk import store
from rfsim.quantities.parameters import GIVEN

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = 1
CURVES = ("train", "test", "score", "gen")
# a decomposition in float64 leaves about 1e-15 √p; beyond this it has gone wrong
RESIDUAL_LIMIT = 1e-9


def spectrum_answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim spectrum --json`: eigenvalues ascending, parts ascending, the Gaussian constants (equations.md T9)."""
    edges = {name: mean(data[name]) for name in ("lower", "upper", "gap_below")}
    parts = [
        {"name": str(name), "count": int(data["count"][k]), "mass": float(data.mass[k])}
        | {field: float(values[k]) for field, values in edges.items()}
        for k, name in enumerate(data.part.values)
    ]
    answer = head(data) | {
        "eigenvalues": mean(data.eigenvalue),
        "bulks": parts,
        "constants": {name: float(data[name]) for name in ("a", "b", "v2", "s2")},
    }
    return store.plain(answer | errors(data, "eigenvalues", "eigenvalue"))


def train_answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim train --json`: the losses at each train_time, both sets of timescales, the largest residual."""
    answer = head(data) | {"train_time": data.train_time.values}
    for name in CURVES:
        answer |= {name: mean(data[name])} | errors(data, name, name)
    for name in GIVEN.split():
        if name in data:
            answer |= {name: mean(data[name])} | errors(data, name, name)
    answer["tau_gen"], answer["tau_mem"] = _timescales(data)
    answer["residual"] = float(data.residual.max())
    if classes := class_answers(data):
        answer["classes"] = classes
    if "test_without" in data:
        answer["without"] = {
            str(part): {name: mean(data[f"{name}_without"].sel(part=part)) for name in ("train", "test")}
            for part in data.part.values
        }
    return store.plain(answer)


def summary(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim show --json`: what a stored result is, without its numbers; of a sweep, how many cells are done."""
    return store.plain(
        ({"cells": _cells(data)} if data.attrs[store.KIND] == "sweep" else {})
        | {
            "schema": SCHEMA,
            "kind": data.attrs[store.KIND],
            "settings": store.settings(data),
            "versions": json.loads(data.attrs["versions"]),
            "wall_time_seconds": data.attrs.get("wall_time_seconds"),  # None of a checkpoint
            "variables": {
                str(name): {"shape": {str(d): n for d, n in v.sizes.items()}, "dtype": str(v.dtype)}
                | {key: v.attrs[key] for key in ("long_name", "units") if key in v.attrs}
                for name, v in {**data.coords, **data.data_vars}.items()
            },
        }
    )


def _cells(data: xr.Dataset) -> dict[str, int]:
    """Cells of a sweep by status."""
    flags = zip(np.ravel(data.status.attrs["flag_values"]), data.status.attrs["flag_meanings"].split(), strict=True)
    return {word: int((data.status.values == value).sum()) for value, word in flags}


def text(answer: dict[str, Any]) -> str:
    """An answer as one line of JSON: no NaN, no Infinity."""
    return json.dumps(answer, allow_nan=False, ensure_ascii=False)


def spectrum_lines(data: xr.Dataset) -> list[str]:
    """The parts of the spectrum as a table; merged: no gap to the part below in at least one seed."""
    merged = data.merged.any("seed").values
    rows = [
        [part["name"], str(part["count"]), *(short(part[k]) for k in ("mass", "lower", "upper", "gap_below"))]
        + (["merged"] if merged[k] else [])
        for k, part in enumerate(spectrum_answer(data)["bulks"])
    ]
    return [*size_lines(data), *table([["part", "count", "mass", "lower", "upper", "gap_below"], *rows])]


def train_lines(data: xr.Dataset) -> list[str]:
    """The losses at each train_time and both sets of timescales as tables."""
    answer = train_answer(data)
    columns = [name for name in answer if name.removesuffix("_se") in ("train_time", *CURVES, *GIVEN.split())]
    rows = zip(*([short(value) for value in answer[name]] for name in columns), strict=True)
    without = [
        [f"without {part}", *(f"{name} {short(values[-1])}" for name, values in losses.items())]
        for part, losses in answer.get("without", {}).items()
    ]
    lines = [*size_lines(data), *table([columns, *map(list, rows)]), *time_lines(answer), *class_lines(answer)]
    return [*lines, *(table(without) if without else []), *_faster(answer["problem"])]


def _faster(problem: dict[str, Any]) -> list[str]:
    """That the Krylov route is faster, where it is and gives what was computed but for the parts."""
    from rfsim.problem.origins import Sizes
    from rfsim.sample.spectra import Method
    from rfsim.sample.spectra.routes import choose

    if problem["route"] != "dense":
        return []
    method, sizes = (
        Method(problem["model"], moments=problem["moments"]),
        Sizes(*(problem[one] for one in ("dim", "n", "p"))),
    )
    found = choose(method, sizes, by_part=problem["by_part"], fresh_noise=problem["fresh_noise"])
    told = "route dense, which times of parts need; --route krylov gives the same losses faster"
    return [told] if found.route == "krylov" else []


def class_lines(answer: dict[str, Any]) -> list[str]:
    """The classes of an answer as a table, losses at the last train_time."""
    rows = [
        [
            f"class {one.get('label', k)}",
            *(f"{name} {short(one[name])}" for name in ("share", "variance")),
            *(f"{name} {short(one[name][-1])}" for name in ("train", "test", "gen")),
            *(f"{name} {short(one[name])}" for name in ("tau_gen", "tau_mem")),
        ]
        for k, one in enumerate(answer.get("classes", ()))
    ]
    return table(rows) if rows else []


def time_lines(answer: dict[str, Any]) -> list[str]:
    """Both sets of timescales, by route."""
    return [
        f"{name}  " + "  ".join(f"{route} {short(value)}" for route, value in answer[name].items())
        for name in ("tau_gen", "tau_mem")
    ]


def summary_lines(data: xr.Dataset) -> list[str]:
    """What `summary` holds, for a reader."""
    facts = summary(data)
    cells = facts.get("cells")
    variables = [
        [name, ", ".join(f"{d} {n}" for d, n in v["shape"].items()) or "scalar", v["dtype"], v.get("long_name", "")]
        for name, v in facts["variables"].items()
    ]
    seconds = facts["wall_time_seconds"]
    computed = "" if seconds is None else f", computed in {seconds:.2f} s"
    return [
        f"{facts['kind']} result, schema {facts['schema']}{computed}",
        *(["cells: " + ", ".join(f"{count} {word}" for word, count in cells.items() if count)] if cells else []),
        "settings",
        *table([[f"  {key}", json.dumps(v, ensure_ascii=False)] for key, v in facts["settings"].items()]),
        "versions",
        "  " + "  ".join(f"{name} {version}" for name, version in facts["versions"].items()),
        "variables",
        *table([[f"  {row[0]}", *row[1:]] for row in variables]),
    ]


def failed_parts(data: xr.Dataset) -> list[str]:
    """One line for each seed whose decomposition did not reach float64's accuracy; empty where all did."""
    return [
        f"seed {seed}: the decomposition leaves a residual of {residual:.1e}, above {RESIDUAL_LIMIT:g}; do not use it"
        for seed, residual in zip(data.seed.values, data.residual.values, strict=True)
        if not residual <= RESIDUAL_LIMIT
    ]


def head(data: xr.Dataset, axes: Sequence[str] = ("train_times",)) -> dict[str, Any]:
    """How every answer begins: schema and settings, less those that are an axis of the answer."""
    problem = {name: value for name, value in store.settings(data).items() if name not in axes}
    return {"schema": SCHEMA, "problem": problem}


def _timescales(data: xr.Dataset) -> tuple[dict[str, float], dict[str, float]]:
    def means(name: str, route: str) -> dict[str, float]:
        return {str(key): float(value) for key, value in zip(data[route].values, mean(data[name]), strict=True)}

    return means("tau_gen", "gen_route"), means("tau_mem", "mem_route")


def mean(values: xr.DataArray) -> NDArray[np.float64]:
    """Over the seeds; NaN where one of them has none."""
    return values.values.mean(axis=values.get_axis_num("seed"))


def errors(data: xr.Dataset, key: str, variable: str) -> dict[str, NDArray[np.float64]]:
    """`KEY_se`: over seeds; of one seed with Monte Carlo moments, over the draws; nothing else has one."""
    if data.sizes["seed"] > 1:
        return {f"{key}_se": standard_error(data[variable])}
    if f"{variable}_error" in data:
        return {f"{key}_se": data[f"{variable}_error"].isel(seed=0).values}
    return {}


def standard_error(values: xr.DataArray) -> NDArray[np.float64]:
    """Of `mean`, for two seeds or more."""
    with np.errstate(invalid="ignore"):  # an infinite value has no spread: NaN, so null
        return values.values.std(axis=values.get_axis_num("seed"), ddof=1) / math.sqrt(values.sizes["seed"])


def size_lines(data: xr.Dataset) -> list[str]:
    """Sizes and seeds in one line."""
    problem = store.settings(data)
    seeds = (
        f"mean of {problem['seeds']} seeds from {problem['seed']}"
        if problem["seeds"] > 1
        else f"seed {problem['seed']}"
    )
    return [f"d {problem['dim']}  n {problem['n']}  p {problem['p']}  {seeds}"]


def short(value: float | str | None) -> str:
    """A value of an answer in six digits, a dash for null."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.6g}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows aligned in columns; a row may be longer than the first."""
    columns = max(map(len, rows))
    widths = [max((len(row[k]) for row in rows if k < len(row)), default=0) for k in range(columns)]
    return ["  ".join(cell.ljust(widths[k]) for k, cell in enumerate(row)).rstrip() for row in rows]
