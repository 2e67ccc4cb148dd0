"""Leakage against the ridge over all levels and level by level; instability of directions; transfer between parts."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.plotting import (
    canvas,
    instability_panel,
    leakage_panel,
    legend_above,
    log_axis,
    problem_line,
    ridge_axis,
    seeds_line,
    sequence,
    styled,
    transfer_bar,
    transfer_panel,
)
from rfsim.plotting.looks import Look
from rfsim.plotting.style import number

STYLE = "paper"
RIDGES = (0.0, 0.1, 1.0)


def _levels(ax: Axes, results: Results) -> None:
    """The leakage outside gen of every level."""
    result = results["memorized"]
    at, times = ridge_axis(ax, result.ridge.values), result.diffusion_time.values
    handles = []
    for k, color in zip(range(2, len(times)), sequence(len(times) - 2), strict=True):
        label = rf"$t={number(times[k - 1])}\to{number(times[k])}$"
        rows = result.leakage.sel(part="gen", level=k).transpose("ridge", "seed").values
        handles.append(seeds_line(ax, at, rows, Look(label, color, "-", "o")))
    ax.set_yscale("log")
    ax.set_ylabel("leaked share of gen")
    legend_above(ax, handles)


def leakage(results: Results) -> Figure:
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.8)
    with styled(STYLE):
        leakage_panel(axes[0, 0], results["memorized"])
        _levels(axes[0, 1], results)
        _title(figure, results)
    return figure


def instability(results: Results) -> Figure:
    result = results["memorized"]
    levels = result.level.values[[0, len(result.level) // 2, -1]]
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.15)
    with styled(STYLE):
        for ax, level in zip(axes[0], levels, strict=True):
            instability_panel(ax, result, int(level))
            here, there = result.diffusion_time.values[[level, level - 1]]
            ax.text(0.97, 0.97, rf"$t={number(here)}\to{number(there)}$", transform=ax.transAxes, ha="right", va="top")
        _same_limits(axes[0])
        _title(figure, results)
    return figure


def _same_limits(axes: np.ndarray) -> None:
    for side in ("x", "y"):
        ends = np.array([getattr(ax, f"get_{side}lim")() for ax in axes])
        for ax in axes:
            ax.set(**{f"{side}lim": (ends[:, 0].min(), ends[:, 1].max())})
    for ax in axes:
        log_axis(ax, "y")  # its ticks follow the limits


def transfer(results: Results) -> Figure:
    result = results["memorized"]
    levels = result.level.values[[1, -1]]
    figure, axes = canvas(len(levels), len(RIDGES), style=STYLE, width="double", aspect=0.8)
    with styled(STYLE):
        for row, level in zip(axes, levels, strict=True):
            here, there = result.diffusion_time.values[[level, level - 1]]
            for ax, ridge in zip(row, RIDGES, strict=True):
                transfer_panel(ax, result, ridge, int(level))
                title = rf"$t={number(there)}\to{number(here)}$, $\gamma={number(ridge)}$"
                ax.set_title(title, loc="left", fontsize=matplotlib.rcParams["font.size"])
        transfer_bar(figure, axes.ravel().tolist())
        _title(figure, results)
    return figure


def _title(figure: Figure, results: Results) -> None:
    pieces = [piece for piece in problem_line(results["memorized"]) if "from" not in piece and r"\gamma" not in piece]
    figure.suptitle(", ".join(pieces), x=0.01, ha="left")


DRAW = {"leakage": leakage, "instability": instability, "transfer": transfer}
