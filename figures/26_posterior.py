"""Errors of generated means and variances given the inputs against the features, by signal-to-noise ratio."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import canvas, legend_above, sequence, styled

STYLE = "paper"
DOTS = (0, (1, 1))
PANELS = {
    "mean_error": "ME",
    "predictive_variance": "PV",
    "calibration": r"PV over distance to $x_\varepsilon$",
}


def posterior(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    with styled(STYLE):
        for ax, letter, (name, label) in zip(axes.flat, "abc", PANELS.items(), strict=True):
            _over(ax, results, name, label)
            ax.set_title(f"({letter})", loc="right")
        s = store.settings(next(iter(results.values())))
        figure.suptitle(
            rf"samples at $\varepsilon={s['time_min']:g}$, $\sigma=\mathrm{{{s['activation']}}}$, $d={s['dim']}$, "
            rf"$\psi_n={s['samples_per_dim']:g}$, $\psi_y=1$, $\gamma=10^{{{np.log10(s['ridge']):.0f}}}$; "
            f"{s['inputs']} inputs, {s['generated']} samples of each, {s['seeds']} seeds",
            x=0.01,
            ha="left",
        )
    return figure


def _by_ratio(results: Results) -> dict[str, dict[float, xr.Dataset]]:
    found: dict[str, dict[float, xr.Dataset]] = {}
    for name, one in results.items():
        _, ratio, psi_p = name.split("-")
        found.setdefault(ratio, {})[float(psi_p)] = one.isel(train_time=0)
    return {ratio: dict(sorted(found[ratio].items())) for ratio in sorted(found, key=float)}


def _over(ax: Axes, results: Results, name: str, label: str) -> None:
    by_ratio = _by_ratio(results)
    handles, markers = [], "osD"
    for (ratio, several), color, marker in zip(by_ratio.items(), sequence(len(by_ratio)), markers, strict=True):
        values = np.array([one[name].values for one in several.values()])
        error = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
        ax.errorbar(list(several), values.mean(axis=1), error, color=color, marker=marker, markersize=3)
        if name == "mean_error":
            handles.append(Line2D([], [], color=color, marker=marker, markersize=3, label=f"SNR {ratio}"))
        if name == "predictive_variance":
            level = float(next(iter(several.values())).true_predictive_variance)
            ax.axhline(level, color=color, linestyle=DOTS, linewidth=0.8)
    if name == "calibration":
        ax.axhline(1, color="black", linestyle=DOTS, linewidth=0.8)
    if name != "mean_error":  # whose legend names the ratios of all
        handles.append(Line2D([], [], color="black", linestyle=DOTS, linewidth=0.8, label="posterior"))
    ax.set(xscale="log", yscale="log", xlabel=r"features per dimension $\psi_p$", ylabel=label)
    psi_n = float(store.settings(next(iter(results.values())))["samples_per_dim"])
    border = ax.axvline(psi_n, color="0.6", linewidth=0.8, zorder=0.5)
    border.set_label("$p=n$")
    legend_above(ax, [*handles, border])


DRAW = {"posterior": posterior}
