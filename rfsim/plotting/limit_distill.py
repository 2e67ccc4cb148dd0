"""A distillation in the limit: what leaks out of gen at each step, where it is unstable, and the students by level."""

from __future__ import annotations

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from rfsim.disk import store
from rfsim.plotting.forms import ready
from rfsim.plotting.layout import Flag, flags_above
from rfsim.plotting.legends import legend_above
from rfsim.plotting.limit import DOTS
from rfsim.plotting.looks import MARKER_COLOR, MODEL_LOOKS, part_look, sequence
from rfsim.plotting.samples import log_axis, ridge_axis
from rfsim.plotting.style import in_style, number

STEPS, LEVELS = 3, 6  # most of them that a figure shows
WIDE = 10.0  # ratio of a loss's ends, from which on its axis is logarithmic
LOWEST = 1e-8  # share, below which a part is left out of the axis where all of what leaks lies above


@in_style
def step_leakage_panel(ax: Axes, result: xr.Dataset, step: int) -> None:
    """Share of what gen hands up at one step that lands outside gen, and where, against the ridge γ (D13).

    On log axes; γ = 0 left of a break. Dotted: the closed form (D18) and, in grey, the threshold; γ⋆ above it where it
    is inside.

    Args:
        ax: Axes to draw on.
        result: Of `theory.distill`.
        step: Which, from 1.
    """
    result = ready(result, "leakage", "share", "gamma_star", "leakage_closed", "from_time", "to_time")
    one = result.sel(step=step)
    at = ridge_axis(ax, result.ridge.values)
    outside = MODEL_LOOKS["teacher"]
    handles = ax.plot(at, one.leakage, color=outside.color, marker=outside.marker, label="outside gen")
    seen = [*one.leakage.values]
    lowest = min([LOWEST, *(value / 2 for value in seen if value > 0)])
    for name in reversed(_present(one.share)):
        values = one.share.sel(part=name).values
        if "gen" in name or not np.nanmax(values) > lowest:
            continue
        look = part_look(name)
        handles += ax.plot(at, values, color=look.color, linestyle=look.dash, marker=look.marker, label=f"in {name}")
        seen += [*values]
    thin = 0.6 * matplotlib.rcParams["lines.linewidth"]
    if one.leakage_closed.notnull().all():
        handles += ax.plot(at, one.leakage_closed, color="black", linestyle=DOTS, label="outside, closed form")
    threshold = store.settings(result)["threshold"]
    label = f"threshold {number(threshold)}"
    handles.append(ax.axhline(threshold, color=MARKER_COLOR, linestyle=DOTS, linewidth=thin, zorder=0.5, label=label))
    ax.set_yscale("log")
    ax.set_ylim(max(lowest, 0.5 * min([threshold, *(value for value in seen if value > 0)])), 1.3)
    ax.set_ylabel(rf"leaked share, $t={float(one.from_time):.3g}\to{float(one.to_time):.3g}$")
    star = float(one.gamma_star)
    rise = 0.0
    if star > 0 and ax.get_xscale() == "log":
        rise = flags_above(ax, [Flag(star, rf"$\gamma^\star={star:.3g}$", "-")])
    legend_above(ax, handles, rise)


@in_style
def step_instability_panel(ax: Axes, result: xr.Dataset) -> None:
    """Mean of qᵀDq/λ over each part against the diffusion time that the step leads from (D14).

    Args:
        ax: Axes to draw on.
        result: Of `theory.distill`.
    """
    result = ready(result, "instability", "from_time")
    times = result.from_time.values
    handles = []
    for name in reversed(_present(result.instability)):
        look = part_look(name)
        values = result.instability.sel(part=name).values
        handles += ax.plot(times, values, color=look.color, linestyle=look.dash, marker=look.marker, label=look.label)
    _times_axis(ax, times)
    log_axis(ax, "y")
    ax.set_ylabel(r"instability $q\cdot Dq/\lambda$")
    legend_above(ax, handles)


@in_style
def level_energy_panel(ax: Axes, result: xr.Dataset, step: int) -> None:
    """Energy of the student of one level over its teacher's, by part, against its ridge γ, at the last distill_time.

    A part in which the teacher has no energy is left out.

    Args:
        ax: Axes to draw on.
        result: Of `theory.distill`.
        step: Whose upper end is the level, from 1.
    """
    one = _last(ready(result, "suppression", "from_time")).sel(step=step)
    own = one.suppression
    at = ridge_axis(ax, one.ridge.values)
    handles = []
    for name in reversed(_present(own)):
        look = part_look(name)
        how = {"color": look.color, "linestyle": look.dash, "marker": look.marker, "label": look.label}
        handles += ax.plot(at, own.sel(part=name), **how)
    log_axis(ax, "y")
    ax.axhline(1, color="black", linewidth=0.5 * matplotlib.rcParams["lines.linewidth"], zorder=0.5)
    ax.set_ylabel(rf"energy over teacher's, $t={float(one.from_time):.3g}$")
    legend_above(ax, handles)


@in_style
def student_panel(ax: Axes, result: xr.Dataset, name: str) -> None:
    """A loss of the students against their ridge γ, a line for each level, at the last distill_time (D16).

    Args:
        ax: Axes to draw on.
        result: Of `theory.distill`.
        name: "test", "train" or "map_error".
    """
    result = _last(ready(result, name, "from_time"))
    own = result[name]
    at = ridge_axis(ax, result.ridge.values)
    levels = spread(result.sizes["step"], LEVELS)
    times = result.from_time.values
    handles = []
    for k, color in zip(levels, sequence(len(levels)), strict=True):
        handles += ax.plot(at, own.isel(step=k), color=color, marker="o", label=f"$t={times[k]:.3g}$")
    if own.max() > WIDE * own.min():
        log_axis(ax, "y")
    ax.set_ylabel(LABELS[name])
    legend_above(ax, handles)


LABELS = {
    "test": r"$L_\mathrm{test}$ of the student",
    "train": r"$L_\mathrm{train}$ of the student",
    "map_error": r"map's error $\mathbb{E}\|f(x)-x\|^2/d$",
}


def spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, both ends among them.

    Args:
        count: Of places.
        most: Of those taken.

    Returns:
        The places, ascending.

    >>> spread(3, 4), spread(9, 4)
    ([0, 1, 2], [0, 3, 5, 8])
    """
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, most))})


def _last(result: xr.Dataset) -> xr.Dataset:
    """At the last distill_time."""
    return result.isel(distill_time=int(result.distill_time.values.argmax()))


def _present(values: xr.DataArray) -> list[str]:
    """Parts that are defined anywhere."""
    return [str(name) for name in values.part.values if values.sel(part=name).notnull().any()]


def _times_axis(ax: Axes, times: np.ndarray) -> None:
    ax.set_xlabel(r"diffusion time $t$ from which the step leads")
    ax.set_xscale("log")
    room = (times[-1] / times[0]) ** 0.05 if times.size > 1 else 2.0
    ax.set_xlim(times[0] / room, times[-1] * room)
    shown = times[spread(times.size, LEVELS)]
    ax.set_xticks(shown, [f"{time:.3g}" for time in shown])
    ax.xaxis.set_minor_locator(NullLocator())
