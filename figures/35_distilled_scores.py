"""Test losses of distilled scores over distill_time on several inputs; the best mixing of self-distillation."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import (
    LOSS_LOOKS,
    canvas,
    categories,
    legend_below,
    log_axis,
    problem_line,
    ridge_axis,
    seeds_line,
    styled,
)

STYLE = "paper"


def _cells(results: Results, start: str) -> dict[str, xr.Dataset]:
    return {name: one for name, one in results.items() if name.startswith(start)}


def inputs(results: Results) -> Figure:
    """A panel for each level: L_test of the memorized teacher's students over the teacher's own."""
    family = _cells(results, "copies-")
    most = max(int(name.split("-")[1]) for name in family)
    result = family[f"copies-{most}-teacher-1e+08"]
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.75)
    methods = [one["method"].removeprefix("score:") for one in store.settings(result)["variants"]]
    times = result.distill_time.values
    shown, handles = np.isfinite(times), []
    with styled(STYLE):
        for ax, level in zip(axes.flat, result.level.values, strict=True):
            own = result.sel(level=level)
            for place, (name, look) in enumerate(zip(methods, categories(len(methods)), strict=True)):
                loss = (own.student_test / own.teacher_test).isel(variant=place).mean("seed").values
                drawn = {"color": look.color, "linestyle": look.dash, "marker": look.marker, "label": name}
                (line,) = ax.plot(times[shown], loss[shown], markevery=(2 * place, 12), **drawn)
                handles += [line] if ax is axes[0, 0] else []
            ax.axhline(1, color="black", linewidth=0.5)
            ax.set_xscale("log")
            log_axis(ax, "y")
            ax.set_title(f"$t={result.diffusion_time.values[level]:.3g}$", loc="left")
            ax.set_xlabel(r"distillation time $\tau_S$")
            ax.set_ylabel(r"$L_\mathrm{test}$ over teacher's")
        legend_below(figure, handles)
        figure.suptitle(", ".join(one for one in problem_line(result) if "from" not in one), x=0.01, ha="left")
    return figure


def selves(results: Results) -> Figure:
    """ξ⋆ and L_test with and without it over the ridge, a line for each level."""
    family = {float(name.removeprefix("self-")): one for name, one in _cells(results, "self-").items()}
    ridges = np.array(sorted(family))
    several = [family[ridge].isel(variant=0, distill_time=-1) for ridge in ridges]
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.85)
    levels = several[0].level.values
    with styled(STYLE):
        for ax in axes[0]:
            at = ridge_axis(ax, ridges)
        handles = []
        for level, look in zip(levels, categories(len(levels)), strict=True):
            time = several[0].diffusion_time.values[level]
            named = look._replace(label=f"$t={time:.3g}$")
            rows = [one.mixing.sel(level=level).values for one in several]
            handles.append(seeds_line(axes[0, 0], at, rows, named))
            for loss, dash in (("student", "-"), ("teacher", (0, (1, 1)))):
                rows = [one[f"{loss}_test"].sel(level=level).values for one in several]
                seeds_line(axes[0, 1], at, rows, named._replace(dash=dash))
        axes[0, 0].axhline(0, color="black", linewidth=0.5)
        axes[0, 0].set_yscale("symlog", linthresh=1)
        axes[0, 0].set_ylabel(r"best mixing $\xi_\star$")
        axes[0, 1].set_ylabel(f"{LOSS_LOOKS['test'].label}: mixed, and the teacher's (dots)")
        legend_below(figure, handles)
        pieces = [one for one in problem_line(several[0]) if r"\gamma" not in one and "teacher" not in one]
        figure.suptitle(", ".join(pieces), x=0.01, ha="left")
    return figure


DRAW = {"inputs": inputs, "self-distillation": selves}
