"""Memorized fraction of teachers and students over samples and time, of students over ridge and distillation time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import (
    BORDER_COLOR,
    MARKER_COLOR,
    MODEL_LOOKS,
    canvas,
    color_bar,
    legend_below,
    mark_handles,
    on_colors,
    plane_line,
    plane_panel,
    styled,
)
from rfsim.plotting.style import number

STYLE = "paper"
LEVEL = 0.1  # of the lines on maps
STAR = {"color": MARKER_COLOR, "linewidth": 0.7, "linestyle": (0, (1, 1.5))}
ONE, MANY = "one step", "all steps"


def _fractions(result: xr.Dataset) -> dict[tuple[str, str], xr.DataArray]:
    """f_mem, mean over seeds, by model and way of sampling."""
    found = result.sel(quality="memorized_fraction")
    most = int(result.steps.max())
    columns = {
        ("teacher", MANY): found.teacher,
        ("student", MANY): found.student_steps.sel(steps=most),
        ("teacher", ONE): found.teacher_steps.sel(steps=1),
        ("student", ONE): found.student,
    }
    return {key: one.mean("seed") for key, one in columns.items()}


def memorization_maps(results: Results) -> Figure:
    maps, ridges = _fractions(results["samples"]), _fractions(results["ridges"])
    norm = Normalize(0, max(float(one.max()) for one in (*maps.values(), *ridges.values())))
    marks: set[int] = set()
    figure, axes = canvas(2, 4, style=STYLE, width="double", aspect=1.15)
    with styled(STYLE):
        for k, ((model, how), values) in enumerate(maps.items()):
            ax = axes[0, k]
            here = values.squeeze("distill_time", drop=True) if "distill_time" in values.dims else values
            here = here.transpose("teacher_time", "samples_per_dim")
            marks |= _panel(ax, here, norm, f"{model}, {how}", left=k == 0)
            ax.set_xlabel(r"$\psi_n$")
        for k, how in enumerate((MANY, ONE)):
            values = ridges["student", how].transpose("distill_time", "ridge")
            marks |= _panel(axes[1, k], values, norm, f"student, {how}", left=k == 0)
        color_bar(figure, axes[:, -1].tolist(), norm, r"memorized fraction $f_\mathrm{mem}$")
        handles = _along(axes[1, 2], results["ridges"], ridges, "ridge", {"distill_time": -1})
        _along(axes[1, 3], results["ridges"], ridges, "distill_time", {"ridge": 0})
        axes[1, 2].axvline(float(results["ridges"].gamma_star.median()), **STAR)
        axes[1, 3].set_ylabel("")
        handles.append(Line2D([], [], label=r"$\gamma_\star$", **STAR))
        handles.append(on_colors(rf"$f_\mathrm{{mem}}={LEVEL:g}$", BORDER_COLOR))
        legend_below(figure, [*handles, *mark_handles(marks)])
        figure.suptitle(_told(results), x=0.01, ha="left")
    return figure


def _panel(ax: Axes, values: xr.DataArray, norm: Normalize, title: str, *, left: bool) -> set[int]:
    marks = plane_panel(ax, values, norm, left=left)
    plane_line(ax, values, LEVEL)
    ax.set_title(title, loc="left")
    return marks


def _along(
    ax: Axes, result: xr.Dataset, means: dict[tuple[str, str], xr.DataArray], name: str, held: dict[str, int]
) -> list[Line2D]:
    """f_mem of students and of their teacher along one axis of the second map, 0 at the left; returns the legend's."""
    axis = result[name].values.astype(float)
    positive = axis[axis > 0]
    x = np.where(axis > 0, axis, positive.min() / (positive[1] / positive[0]))
    handles = []
    for model in ("teacher", "student"):
        for how, dash in ((MANY, "-"), (ONE, (0, (3, 1.2)))):
            values = means[model, how]
            look = MODEL_LOOKS[model]
            y = values.isel(held).values if model == "student" else np.full(x.size, float(values.isel(ridge=0)))
            marker = look.marker if model == "student" else None
            ax.plot(x, y, color=look.color, linestyle=dash, marker=marker, markersize=2.5)
            handles.append(Line2D([], [], color=look.color, linestyle=dash, label=f"{model}, {how}"))
    ax.set_xscale("log")
    ax.set_ylim(0, None)
    ax.set_xlabel({"ridge": r"ridge $\gamma$", "distill_time": r"distillation time $\tau_S$"}[name])
    ax.set_ylabel(r"$f_\mathrm{mem}$")
    if name == "ridge":
        ax.set_xticks([x[0], *positive], ["0", *(f"{one:g}" if one in (1e-3, 1e-1, 1) else "" for one in positive)])
        ax.set_xticks([], minor=True)
    return handles


def _told(results: Results) -> str:
    first, second = (store.settings(results[name])["problem"] for name in ("samples", "ridges"))
    d, psi_p = first["dim"], first["features_per_dim"]
    return (
        rf"$d={d}$, $p={round(d * psi_p)}$, {first['levels']} levels, "
        rf"$\sigma=\mathrm{{{first['activation']}}}$, {first['data']} data; "
        rf"above $\gamma=0$, $\tau_S={number(first['distill_times'][0])}$; "
        rf"below $\psi_n={number(second['samples_per_dim'])}$, "
        rf"$\tau_T={number(second['teacher_time'])}$"
    )


DRAW = {"memorization-maps": memorization_maps}
