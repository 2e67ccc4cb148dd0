"""Leakage against the ridge over all levels and level by level; instability of directions; transfer between parts."""

from __future__ import annotations

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.plotting import (
    PART_LOOKS,
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
STEP = 0.1
DOTS = (0, (1, 1))


def _levels(ax: Axes, results: Results) -> None:
    """The leakage outside gen of every level, and in the limit (dotted) of every step."""
    result, limit = results["memorized"], results["limit"]
    at, times = ridge_axis(ax, result.ridge.values), result.diffusion_time.values
    handles = []
    for k, color in zip(range(1, len(times)), sequence(len(times) - 1), strict=True):
        own = limit.leakage.sel(step=k).values
        (line,) = ax.plot(
            at, own, color=color, linestyle=DOTS, label=rf"$t={number(times[k - 1])}\to{number(times[k])}$"
        )
        if k == 1:  # nothing is handed up to it: the limit alone
            handles.append(line)
            continue
        label = str(line.get_label())
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


def leakage_limit(results: Results) -> Figure:
    """(a) Outside gen over the ridge by dim, and the limit; (b) by part at γ = 0 over 1/d, and the limit at 0."""
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.8)
    found = {int(label.removeprefix("step-")): one for label, one in results.items() if label.startswith("step-")}
    limit, samples = _at_step(results["limit"], "step"), {d: _at_step(found[d], "level") for d in sorted(found)}
    with styled(STYLE):
        left, right = axes[0]
        at, handles = ridge_axis(left, limit.ridge.values), []
        for (dim, one), color in zip(samples.items(), sequence(len(samples)), strict=True):
            rows = one.leakage.sel(part="gen").transpose("ridge", "seed").values
            handles.append(seeds_line(left, at, rows, Look(f"$d={dim}$", color, "-", "o")))
        handles += left.plot(at, limit.leakage.values, color="black", linestyle=DOTS, label=r"$d\to\infty$")
        left.set_yscale("log")
        left.set_ylabel("leaked share of gen")
        legend_above(left, handles)
        handles = []
        for name in ("null", "mini", "main"):
            look, inverse = PART_LOOKS[name], 1 / np.array(list(samples))
            values = np.stack([one.leakage.sel(ridge=0.0, part=name).values.mean() for one in samples.values()])
            own = float(limit.share.sel(ridge=0.0, part=name))
            handles += right.plot(inverse, values, color=look.color, marker=look.marker, linestyle="-", label=name)
            right.plot([0, inverse[-1]], [own, values[-1]], color=look.color, marker=look.marker, linestyle=DOTS)
        right.set(xlabel="$1/d$", ylabel=r"share of what gen hands up, $\gamma=0$")
        legend_above(right, handles)
        _title(figure, results)
    return figure


def _at_step(result: xr.Dataset, along: str) -> xr.Dataset:
    """A result at the step from t = 0.1."""
    return result.sel({along: int(np.argmin(np.abs(result.diffusion_time.values[1:] - STEP))) + 1})


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


DRAW = {"leakage": leakage, "leakage-limit": leakage_limit, "instability": instability, "transfer": transfer}
