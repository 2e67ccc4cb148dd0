"""Losses over ridge and training time, both paths on one clock, matched times, the flow's error over a ridge's."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rfsim.claims import Results, matched, points, stopped, stopped_over_ridged
from rfsim.disk import store
from rfsim.plotting import (
    BORDER_COLOR,
    LOSS_LOOKS,
    canvas,
    color_bar,
    legend_above,
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
EVERY = 3  # of the train_times of a map
DOTTED = {"color": "#666666", "linewidth": 0.7, "linestyle": (0, (1, 1.5))}
BOUND = 1.69  # of Ali, Kolter, Tibshirani 2019


def ridge_and_time(results: Results) -> Figure:
    samples, limit = results["samples"], results["limit"]
    last = limit.features_per_dim.size - 1  # the fewest samples and the most features
    _, _, kappa, at = list(points(limit))[last]
    drawn = list(points(samples))[last][-1].mean("seed", keep_attrs=True)
    dim = store.settings(samples)["problem"]["dim"]
    maps = {rf"samples, $d={dim}$": drawn, r"limit, $d\to\infty$": at}
    figure, axes = canvas(2, 3, style=STYLE, width="double", aspect=0.95)
    norm, marks = color_norm(at.test.values), set()
    with styled(STYLE):
        for ax, (name, one) in zip(axes[0], maps.items(), strict=False):
            marks |= _map(ax, one.test, kappa, norm)
            ax.set_title(name, loc="left")
        color_bar(figure, axes[0, :2].tolist(), norm, LOSS_LOOKS["test"].label)
        gap = color_norm(at.gen.values)
        marks |= _map(axes[1, 0], at.gen, kappa, gap)
        color_bar(figure, [axes[1, 0]], gap, LOSS_LOOKS["gen"].label)
        _paths(axes[0, 2], limit)
        _matched(axes[1, 1], results)
        _bounded(axes[1, 2], limit)
        s = store.settings(samples)["problem"]
        point = rf"maps: $\psi_n={number(float(at.samples_per_dim))}$, $\psi_p={number(float(at.features_per_dim))}$"
        line = rf"$t={s['diffusion_time']:g}$, $\sigma=\mathrm{{{s['activation']}}}$, {s['data']} data, {point}"
        figure.suptitle(line, x=0.01, ha="left")
        bound = Line2D([], [], label=f"1, and the bound {BOUND:g} for least squares", **DOTTED)
        border = on_colors(r"$\kappa\gamma\tau=1$", BORDER_COLOR)
        legend_below(figure, [border, *mark_handles(marks), bound])
    return figure


def _map(ax: Axes, values: xr.DataArray, kappa: float, norm: Normalize) -> set[int]:
    """A loss over (γ, τ), and the line κγτ = 1; returns the marks of cells without a color."""
    few = values.isel(train_time=[*range(0, values.sizes["train_time"] - 1, EVERY), -1])
    marks = plane_panel(ax, few.transpose("train_time", "ridge"), norm)
    low, high = values.ridge.values[[1, -1]].tolist()
    ax.plot([low, high], [1 / (kappa * low), 1 / (kappa * high)], color=BORDER_COLOR, scalex=False, scaley=False)
    return marks


def _paths(ax: Axes, limit: xr.Dataset) -> None:
    """L_test along both paths: against κτ without a ridge, against 1/γ at τ = ∞."""
    colors = _colors(limit)
    for (_, _, kappa, here), color in zip(points(limit), colors, strict=True):
        tau, path = stopped(here, "test")
        ax.plot(kappa * tau, path, color=color)
        ax.plot(1 / here.ridge.values[1:], here.test.values[1:, -1], color=color, linestyle=(0, (3, 1.2)))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(3e-2, 1e4)
    ax.set_xlabel(r"$\kappa\tau$ or $1/\gamma$")
    ax.set_ylabel(LOSS_LOOKS["test"].label)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    handles = [
        Line2D([], [], color="black", label=r"stopped, against $\kappa\tau$"),
        Line2D([], [], color="black", linestyle=(0, (3, 1.2)), label=r"ridge, against $1/\gamma$"),
    ]
    legend_above(ax, handles)


def _matched(ax: Axes, results: Results) -> None:
    """κγτ at equal L_test: the limit's lines, and samples with their standard errors."""
    samples, limit = results["samples"], results["limit"]
    drawn = list(points(samples))
    for k, ((_, _, kappa, here), color) in enumerate(zip(points(limit), _colors(limit), strict=True)):
        found = matched(here, kappa)
        ax.plot(list(found), list(found.values()), color=color)
        seeds = [matched(drawn[k][-1].isel(seed=j), kappa) for j in range(samples.sizes["seed"])]
        shared = [gamma for gamma in found if all(gamma in one for one in seeds)]
        values = np.array([[one[gamma] for one in seeds] for gamma in shared]).reshape(len(shared), len(seeds))
        error = values.std(1, ddof=1) / np.sqrt(len(seeds))
        ax.errorbar(shared, values.mean(1), error, color=color, marker="o", linestyle="", markersize=2.5, linewidth=0.8)
    _over_ridges(ax, r"$\kappa\gamma\tau$ at equal $L_\mathrm{test}$", 1.0)
    legend_above(ax, [Line2D([], [], color="black", marker="o", linestyle="", markersize=2.5, label="samples")])


def _bounded(ax: Axes, limit: xr.Dataset) -> None:
    """E_score of the flow stopped at 1/(κγ) over that of the ridge γ, and the bound for least squares."""
    handles = []
    for (n, p, kappa, here), color in zip(points(limit), _colors(limit), strict=True):
        ax.plot(*stopped_over_ridged(here, kappa), color=color)
        handles.append(Line2D([], [], color=color, label=rf"$({number(n)},\,{number(p)})$"))
    _over_ridges(ax, "$E_\\mathrm{score}$, stopped at\n$1/\\kappa\\gamma$ over ridged", BOUND)
    legend_above(ax, handles, handle_length=1.0)


def _over_ridges(ax: Axes, label: str, mark: float) -> None:
    ax.axhline(mark, zorder=0.5, **DOTTED)
    ax.set_xscale("log")
    ax.set_xlabel(r"ridge $\gamma$")
    ax.set_ylabel(label)
    ax.set_ylim(0, None)


def _colors(result: xr.Dataset) -> list[str]:
    return sequence(result.samples_per_dim.size * result.features_per_dim.size)


DRAW = {"ridge-and-time": ridge_and_time}
