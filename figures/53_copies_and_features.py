"""L_test over noise copies and features, limit and samples, and along p/(n m): the peak at p = n m."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rfsim.claims import Results, extrapolated
from rfsim.disk import store
from rfsim.plotting import (
    BORDER_COLOR,
    LOSS_LOOKS,
    MARKER_COLOR,
    canvas,
    color_bar,
    legend_below,
    mark_handles,
    on_colors,
    plane_panel,
    sequence,
    styled,
)
from rfsim.plotting.style import number
from rfsim.plotting.sweep_maps import color_norm

STYLE = "paper"
PEAK = {"color": MARKER_COLOR, "linewidth": 0.6, "linestyle": (0, (1, 1.5))}


def copies_and_features(results: Results) -> Figure:
    samples, limit = results["samples"], results["limit-map"]
    told = store.settings(samples)["problem"]
    n = float(told["samples_per_dim"])
    drawn = samples.test.isel(dim=-1).squeeze("train_time", drop=True).mean("seed")
    theory = limit.test.squeeze("train_time", drop=True)
    norm, marks = color_norm(theory.values), set()
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.05)
    names = (r"limit, $d\to\infty$", rf"samples, $d={int(samples.dim[-1])}$")
    with styled(STYLE):
        for ax, values, name in zip(axes[0], (theory, drawn), names, strict=False):
            marks |= plane_panel(ax, values.transpose("noise_copies", "features_per_dim"), norm)
            m = np.linspace(*ax.get_ylim(), 200)
            ax.plot(n * m, m, color=BORDER_COLOR, scalex=False, scaley=False)
            ax.set_title(name, loc="left")
        axes[0, 1].set_ylabel("")
        color_bar(figure, axes[0, :2].tolist(), norm, LOSS_LOOKS["test"].label)
        handles = _curves(axes[0, 2], results, n)
        peak = [on_colors("$p=nm$", BORDER_COLOR), Line2D([], [], label="$p=nm$ (right)", **PEAK)]
        legend_below(figure, [*handles, *peak, *mark_handles(marks)], handle_length=1.2)
        seeds = samples.sizes["seed"]
        line = (
            rf"$\psi_n={number(n)}$, $t={told['diffusion_time']:g}$, $\gamma={number(told['ridge'])}$, "
            rf"$\sigma=\mathrm{{{told['activation']}}}$, {told['data']} data, {seeds} seeds"
        )
        figure.suptitle(line, x=0.01, ha="left")
    return figure


def _curves(ax: Axes, results: Results, n: float) -> list[Line2D]:
    """L_test against p/(n m): the limit, and samples with the 1/d term away; returns the legend's entries."""
    theory = results["limit-map"].test.squeeze("train_time", drop=True)
    samples = results["samples"].test.squeeze("train_time", drop=True)
    found = extrapolated(samples)
    colors = sequence(theory.noise_copies.size)
    handles = []
    for m, color in zip(theory.noise_copies.values.tolist(), colors, strict=True):
        ax.plot(theory.features_per_dim / (n * m), theory.sel(noise_copies=m), color=color)
        handles.append(Line2D([], [], color=color, label=f"$m={number(m)}$"))
        if m in samples.noise_copies.values:
            value, error = (one.sel(noise_copies=m).values for one in found)
            x = samples.features_per_dim.values / (n * m)
            ax.errorbar(x, value, error, color=color, marker="o", linestyle="", markersize=2.5, linewidth=0.8)
    ax.axvline(1, zorder=0.5, **PEAK)
    low, high = samples.dim.values[[0, -1]].tolist()
    label = rf"${number(high / (high - low))}L({high})-{number(low / (high - low))}L({low})$"
    label = label.replace("1L(", "L(")
    handles.append(Line2D([], [], color="black", marker="o", linestyle="", markersize=2.5, label=label))
    ax.set_xscale("log")
    ax.set_xlim(0.03, 100)
    ax.set_ylim(np.floor(10 * float(theory.min())) / 10, None)
    ax.set_xlabel("$p/(nm)$")
    ax.set_ylabel(LOSS_LOOKS["test"].label)
    ax.xaxis.set_major_locator(LogLocator(numticks=6))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    return handles


DRAW = {"copies-and-features": copies_and_features}
