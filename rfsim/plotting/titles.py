"""What a figure's title says of its result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from rfsim.disk import store
from rfsim.distillation.plan import Student
from rfsim.plotting.forms import ready
from rfsim.plotting.style import number
from rfsim.plotting.sweep_axes import assigned
from rfsim.plotting.symbols import symbol_of
from rfsim.problem.activations.naming import short
from rfsim.problem.populations import in_file
from rfsim.quantities.catalog import PLAIN_PAGE, of_kind
from rfsim.quantities.forms import PLANE
from rfsim.quantities.parameters import DRAW, PREPARED

TOLD = ("samples_per_dim", "features_per_dim", "noise_copies", "activation", "data")
SHOWN = 4  # seeds that are listed one by one


def problem_line(result: xr.Dataset) -> list[str]:
    """What a result was made of, in the papers' symbols.

    Args:
        result: Of any kind but a sweep.

    Returns:
        Pieces of a title, mathtext.

    Raises:
        ValueError: Where its settings lack what the title says.
    """
    s = store.settings(result)
    s = s | {"features_per_dim": s["feature_ratios"]} if "feature_ratios" in s else s  # an axis of the figure
    if lacking := [name for name in TOLD if name not in s]:
        raise ValueError(f"the settings of this result lack {', '.join(lacking)}, which its title says")
    name = str(s["data"])
    name = name if (data := in_file(name)) is None else data.moved(Path(data.path.name)).removeprefix("eigenvalues:")
    # file names may hold anything: what the fonts lack becomes "?", and "$" must not open mathtext
    name = name.encode("latin-1", "replace").decode("latin-1").replace("\n", " ")
    name = (name if len(name) <= 28 else name[:27] + "…").replace("$", r"\$")
    activation = short(s["activation"]).replace("_", r"\_")
    sizes = [rf"$d={s['dim']}$", _seeds(result, s)] if "dim" in s else [r"$d\to\infty$"]
    return [
        # what is a list is an axis of the figure, which has its name there
        *(_set(s, name) for name in PLANE if not isinstance(s[name], list)),
        *([_set(s, "diffusion_time")] if "diffusion_time" in s else _levels(result, s)),
        _set(s, "noise_copies"),
        *([_set(s, "ridge")] if "ridge" in s else []),
        # of a distillation the figure is of its exact flows, beside which an optimizer may stand
        *(_steps(result, s) if "optimizer" in s and "diffusion_time" in s else []),
        rf"$\sigma=\mathrm{{{activation}}}$",
        f"{name} data",
        *sizes,
        *_own(result, s),
    ]


def _own(result: xr.Dataset, s: dict[str, Any]) -> list[str]:
    """Options of a quantity whose figure says nothing of its own."""
    quantity = of_kind(str(result.attrs[store.KIND]))
    if quantity is None or quantity.page != PLAIN_PAGE:
        return []
    own = [one for one in quantity.parameters if one.role == "option" and one not in (*PREPARED, *DRAW)]
    told = [one for one in own if not one.makes and s.get(one.name) is not None]
    return [assigned(one.name, s[one.name]) + (f" {one.unit}" if one.unit != "1" else "") for one in told]


def _set(s: dict[str, Any], name: str) -> str:
    """A parameter by its symbol, and its value."""
    return rf"${symbol_of(name)}={number(s[name])}$"


def _steps(result: xr.Dataset, s: dict[str, Any]) -> list[str]:
    """What a simulation descends by."""
    name = s["optimizer"].replace("_", r"\_")
    average = [f"EMA {number(s['ema'])}"] if s["ema"] else []
    kind = s.get("schedule", "").partition(":")[0]
    return [
        rf"{name}, $\eta={float(ready(result, 'rate').rate):.3g}$" + (f", {kind} schedule" if kind else ""),
        f"batch {s['batch']}, {s['noise']} noise",
        *average,
    ]


def _seeds(result: xr.Dataset, s: dict[str, Any]) -> str:
    """The seeds there are: those of the run where the result was not cut or joined."""
    known = result.variables.get("seed")
    seeds = np.arange(s["seed"], s["seed"] + s["seeds"]) if known is None else np.sort(known.values, axis=None)
    first, last = int(seeds[0]), int(seeds[-1])
    if seeds.size == 1:
        return f"seed {first}"
    if last - first == seeds.size - 1:
        return f"seeds {first}–{last}"
    return f"seeds {', '.join(map(str, seeds))}" if seeds.size <= SHOWN else f"{seeds.size} seeds"


def _levels(result: xr.Dataset, s: dict[str, Any]) -> list[str]:
    """The diffusion times of a distillation, its teacher, and the student that is drawn, the first there is."""
    if "diffusion_times" in s:
        return _limit_levels(result, s) if "teacher_time" in s else []  # else each panel says its own
    levels = f" in {s['levels']} levels" if "levels" in s else ""
    reached = rf"$t={number(s['time_min'])}$–${number(s['time_max'])}${levels}"
    if "path" in s:
        reached = f"$t={', '.join(map(number, s['path']))}$" if s["levels"] < SHOWN else f"{reached} of one's own"
    if "renoise" in s:
        reached = rf"{reached}, $\chi={number(s['renoise'])}$"
    if "variants" not in s:  # teachers and students are lines of the figure
        return [reached]
    students = {Student(**one).label: one for one in s["variants"]}
    label = str(result.variant.values.flat[0]) if "variant" in result.coords else ""
    student = students.get(label, s["variants"][0])
    return [
        reached,
        rf"teacher $\tau={number(s['teacher_time'])}$",
        f"{student['parameterization']} from {student['start']}",
    ]


def _limit_levels(result: xr.Dataset, s: dict[str, Any]) -> list[str]:
    """The same of a distillation in the limit, of which the students at the last distill_time are drawn."""
    grid = s["diffusion_times"]
    steps = len(grid) - 1
    last = np.sort(ready(result, "test").distill_time.values, axis=None)[-1]
    return [
        rf"$t={number(grid[0])}$–${number(grid[-1])}$ in {steps} step{'s' if steps > 1 else ''}",
        rf"teacher $\tau={number(s['teacher_time'])}$",
        *([rf"$\gamma={number(s['teacher_ridge'])}$"] if s["teacher_ridge"] else []),
        rf"students from {s['start']}, $\tau_S={number(float(last))}$",
    ]
