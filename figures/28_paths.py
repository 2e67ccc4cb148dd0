"""A student's samples over steps, by its start T, its share of fresh noise and where its levels stand."""

from __future__ import annotations

import math

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import MODEL_LOOKS, canvas, legend_below, sequence, styled

STYLE = "paper"
DASH = (0, (4, 2))
COLUMNS = {
    "frechet_per_dim": r"$W_2^2/d$",
    "sliced_wasserstein": "sliced $W_2$",
    "memorized_fraction": r"$f_\mathrm{mem}$",
}
PATHS = {"even": "v", "low": "^"}
PATH_COLOR = "#777777"


def paths(results: Results) -> Figure:
    starts = sorted({float(name.split("-")[1]) for name in results})
    figure, axes = canvas(len(starts), len(COLUMNS), style=STYLE, width="double", aspect=1.0)
    with styled(STYLE):
        handles: list[Line2D] = []
        for row, last in zip(axes, starts, strict=True):
            for ax, (measure, words) in zip(row, COLUMNS.items(), strict=True):
                handles = _panel(ax, results, last, measure)
                ax.set_ylabel(words)
                ax.set_title(f"$T={last:g}$", loc="right")
        for ax in axes[-1]:
            ax.set_xlabel("steps of sampling")
        legend_below(figure, handles)
        s = store.settings(next(iter(results.values())))
        ridges = ", ".join(f"{one['ridge']:g}" for one in s["variants"][:2])
        figure.suptitle(
            rf"tanh, isotropic data, $\psi_n={s['samples_per_dim']:g}$, $\psi_p={s['features_per_dim']:g}$, "
            rf"$d={s['dim']}$, $\gamma={ridges}$, teacher $\tau=10^8$, $\tau_S=10^6$",
            x=0.01,
            ha="left",
        )
    return figure


def _panel(ax: Axes, results: Results, last: float, measure: str) -> list[Line2D]:
    found = {float(name.split("-")[2]): one for name, one in results.items() if name.startswith(f"geometric-{last:g}-")}
    full = found[1.0]
    steps = full.steps.values
    black, orange = MODEL_LOOKS["teacher"], MODEL_LOOKS["student"]
    handles = [_line(ax, full.teacher_steps.sel(quality=measure), black.color, "o", "-", "teacher")]
    shares = sorted(found)
    for share, color in zip(shares, sequence(len(shares)), strict=True):
        for k, dash in ((0, "-"), (1, DASH)):
            label = rf"$\chi={share:g}$" + ("" if k == 0 else ", with ridge")
            handles.append(_line(ax, _student(found[share], k, measure), color, ".", dash, label))
    handles.append(_line(ax, _student(full, 2, measure), orange.color, "D", "-", "two-time"))
    for name, marker in PATHS.items():
        own = results[f"{name}-{last:g}-1"]
        handles.append(_line(ax, _student(own, 0, measure), PATH_COLOR, marker, (0, (1, 1)), rf"{name} levels"))
    ax.set_xscale("log", base=2)
    ax.set_xticks(steps, [str(step) for step in steps])
    ax.minorticks_off()
    if measure == "memorized_fraction":
        ax.set_ylim(bottom=0)
    else:
        ax.set_yscale("log")
    return handles


def _student(result: xr.Dataset, variant: int, measure: str) -> xr.DataArray:
    return result.student_steps.isel(variant=variant, distill_time=-1).sel(quality=measure)


def _line(ax: Axes, values: xr.DataArray, color: str, marker: str, dash: object, label: str) -> Line2D:
    rows = values.transpose("seed", "steps").values
    error = rows.std(0, ddof=1) / math.sqrt(len(rows))
    ax.errorbar(values.steps.values, rows.mean(0), error, color=color, marker=marker, linestyle=dash)
    return Line2D([], [], color=color, marker=marker, linestyle=dash, label=label)


DRAW = {"paths": paths}
