"""SGD against the exact flow: losses at several rates, what batches add to them, and when memorization sets in."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, batch_delay, batch_excess, batch_share
from rfsim.disk import store
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, problem_line, sequence, simulation_family, styled

STYLE = "paper"
EXACT = "exact"
BATCH = 4  # of the curves
SHOWN = (0.35, 0.7, 1.4, 2.2)  # train_time of a step
LATE = 100.0  # train_time after which the excess is taken
SHARES = (4e-3, 1.0)  # of the axis
MARKERS = "osD^vP"


def sgd_noise(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.72)
    exact = results[EXACT]
    found = {name: one for name, one in results.items() if name != EXACT and not json.loads(one.attrs["diverged"])}
    rates = sorted((one for one in found.values() if _batch(one) == BATCH), key=_step)
    shown = {rf"$\eta/d^2={_step(one):g}$": one for one in rates if _step(one) in SHOWN}
    with styled(STYLE):
        for ax, loss in zip(axes[0], ("train", "gen"), strict=True):
            simulation_family(ax, shown, loss, clock="train_time", exact=True)
        axes[0, 0].set_yscale("log")
        axes[0, 0].set_ylim(0.4, min(12, axes[0, 0].get_ylim()[1]))
        _excess(axes[1, 0], found, exact)
        _onset(axes[1, 1], found, exact)
        for ax, letter in zip(axes.ravel(), "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
        line = ", ".join(problem_line(exact))
        figure.suptitle(f"{line}; SGD with fresh noise; (a), (b): batch {BATCH}", x=0.01, ha="left")
    return figure


def _batch(result: xr.Dataset) -> int:
    return int(store.settings(result)["batch"])


def _step(result: xr.Dataset) -> float:
    """train_time of a step."""
    return round(float(result.train_time[-1] / result.step[-1]), 6)


def _excess(ax: Axes, found: Results, exact: xr.Dataset) -> None:
    """L_train over the filter's, less 1, against S, a marker per batch, and S/(1 − S)."""
    handles = _by_batch(ax, found, exact, lambda one: batch_excess(one, LATE))
    s = np.geomspace(*SHARES, 200)[:-1]
    (line,) = ax.plot(s, s / (1 - s), color=MARKER_COLOR, linewidth=0.8, zorder=0.5, label="$S/(1-S)$")
    ax.set_yscale("log")
    ax.set_ylim(0.5 * SHARES[0], 30)
    ax.set_ylabel(r"$L_\mathrm{train}$ over the filter's, less 1")
    legend_above(ax, [line, *handles], handle_length=1.2)


def _onset(ax: Axes, found: Results, exact: xr.Dataset) -> None:
    """τ_half over the filter's against S."""
    handles = _by_batch(ax, found, exact, lambda one: np.array([batch_delay(one, exact)]))
    ax.axhline(1, color=MARKER_COLOR, linewidth=0.8, zorder=0.5)
    ax.set_ylim(0, 2)
    ax.set_ylabel(r"$\tau_\mathrm{half}$ over the filter's")
    legend_above(ax, handles, handle_length=1.2)


def _by_batch(ax: Axes, found: Results, exact: xr.Dataset, measure) -> list[Line2D]:
    """measure(result) → (seeds,), mean and standard error against S; the legend's handles."""
    batches, handles = sorted({_batch(one) for one in found.values()}), []
    for batch, color, marker in zip(batches, sequence(len(batches)), MARKERS, strict=False):
        same = [one for one in found.values() if _batch(one) == batch]
        s = [float(batch_share(one, exact).mean()) for one in same]
        values = [measure(one) for one in same]
        errors = [one.std(ddof=1) / np.sqrt(one.size) if one.size > 1 else 0.0 for one in values]
        look = {"color": color, "marker": marker, "markersize": 3.5}
        ax.errorbar(s, [one.mean() for one in values], errors, linestyle="", elinewidth=0.8, **look)
        handles.append(Line2D([], [], linestyle="", label=f"batch {batch}", **look))
    ax.set_xlabel("share of the noise $S$")
    ax.set(xscale="log", xlim=SHARES)
    return handles


DRAW = {"sgd-noise": sgd_noise}
