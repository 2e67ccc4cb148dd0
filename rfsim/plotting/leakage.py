"""Leakage of a distillation against the ridge: the share of gen that lands outside gen one level up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from rfsim.disk import store
from rfsim.plotting.forms import ready
from rfsim.plotting.layout import Flag, flags_above
from rfsim.plotting.legends import legend_above
from rfsim.plotting.limit import DOTS
from rfsim.plotting.looks import MARKER_COLOR, MODEL_LOOKS, part_look
from rfsim.plotting.samples import Bars, bars_line, ridge_axis
from rfsim.plotting.style import in_style, number

CHOSEN, CHOSEN_WORD = "#E4E4A7", "chosen"  # the stripe of a chosen value, light in grey print, and its name


@in_style
def leakage_panel(ax: Axes, result: xr.Dataset, *, chosen: float | None = None) -> Callable[[float], None]:
    """Share of a coefficient row of gen that lands outside gen one level up, and where, against the ridge γ (§8).

    Medians over rows and levels with their error bars, on log axes; γ = 0 left of a break. Band: range of the levels'
    medians outside gen. Black dots: the median over levels as d → ∞, where the result has it. Dotted, grey: the
    threshold, and γ⋆ above it where it is inside.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill`.
        chosen: One of the ridges, marked by a wide stripe.

    Returns:
        What moves the stripe to another ridge.
    """
    result = ready(result, "leakage", "leakage_all", "leakage_all_error", "gamma_star")
    ridges = result.ridge.values
    handles, seen = [], []
    at = ridge_axis(ax, ridges)
    for name in [str(part) for part in result.part.values[::-1]]:
        rows = result.leakage_all.sel(part=name).transpose("seed", "ridge").values
        error = result.leakage_all_error.sel(part=name).values[0]
        if len(rows) > 1:
            error = rows.std(0, ddof=1) / math.sqrt(len(rows))
        mean = rows.mean(0)
        if not np.any(mean > 0):
            continue
        look = MODEL_LOOKS["teacher"] if name == "gen" else part_look(name)
        label = "outside gen" if name == "gen" else f"in {name}"
        handles.append(bars_line(ax, at, Bars(mean, mean - error, mean + error), look, label, marker=look.marker))
        seen += [*mean]
        if name == "gen" and "limit_leakage" in result:
            limit = result.limit_leakage.dropna("level", how="all").median("level").values
            label = r"outside gen, $d\to\infty$"
            handles += ax.plot(at, limit, color=look.color, linestyle=DOTS, zorder=3, label=label)
            seen += [*limit]
        if name == "gen":
            levels = result.leakage.sel(part=name).mean("seed").dropna("level", how="all").values
            if levels.size:
                ax.fill_between(at, levels.min(1), levels.max(1), color=look.color, alpha=0.15, linewidth=0)
    threshold = store.settings(result)["threshold"]
    thin: dict[str, Any] = {"color": MARKER_COLOR, "linewidth": 0.6 * matplotlib.rcParams["lines.linewidth"]}
    label = f"threshold {number(threshold)}"
    handles.append(ax.axhline(threshold, linestyle=(0, (1, 1)), zorder=0.5, label=label, **thin))
    ax.set_yscale("log")
    floor = min([threshold, *(value for value in seen if value > 0)])
    ax.set_ylim(max(1e-6, 0.5 * floor), 1.3)
    ax.set_ylabel("leaked share of gen")
    stripe = ax.axvline(at[0], color=CHOSEN, zorder=0.4, visible=chosen is not None)
    stripe.set_linewidth(6 * matplotlib.rcParams["lines.linewidth"])
    if chosen is not None:
        handles.append(Patch(color=CHOSEN, label=_chosen(chosen)))
    star = float(result.gamma_star.values.mean())
    rise = 0.0
    if star > 0 and ax.get_xscale() == "log":
        rise = flags_above(ax, [Flag(star, rf"$\gamma^\star={star:.3g}$", "-")])
    legend_above(ax, handles, rise)
    legend = ax.get_legend()
    told = [text for text in (legend.get_texts() if legend else ()) if text.get_text().startswith(CHOSEN_WORD)]

    def move(ridge: float) -> None:
        (place,) = at[ridges == ridge]
        stripe.set_data([place, place], [0, 1])
        for text in told:
            text.set_text(_chosen(ridge))

    if chosen is not None:
        move(chosen)
    return move


def _chosen(ridge: float) -> str:
    return rf"{CHOSEN_WORD}, $\gamma={number(ridge)}$"
