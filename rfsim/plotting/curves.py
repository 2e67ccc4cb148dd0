"""Curves over training time: losses and energies, with the timescales as flags."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rfsim.plotting.forms import ready, several
from rfsim.plotting.layout import Flag, flags_above
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import LOSS_LOOKS, MARKER_COLOR, Look, part_look
from rfsim.plotting.style import in_style

MANY = 30  # from so many points on a curve needs no markers
# variable and route in a result → the symbol on the flag; dashed where predicted, solid where read off a curve
FLAGS = {
    ("tau_gen", "formula"): r"$\tau_\mathrm{gen}$",
    ("tau_gen", "curve"): r"$\tau_\mathrm{gen}^\mathrm{\,curve}$",
    ("tau_mem", "formula"): r"$\tau_\mathrm{mem}$",
    ("tau_mem", "mini"): r"$\tau_\mathrm{mini}$",
    ("tau_mem", "curve"): r"$\tau_\mathrm{mem}^\mathrm{\,curve}$",
}
TIME_UNITS = {
    "formula": r"\tau_\mathrm{mem}",
    "main": r"\tau_\mathrm{main}",
    "mini": r"\tau_\mathrm{mini}",
    "curve": r"\tau_\mathrm{mem}^\mathrm{\,curve}",
}


@in_style
def loss_panel(
    ax: Axes,
    result: xr.Dataset,
    quantities: str | Sequence[str] = ("train", "test", "score"),
    *,
    scale_time: str | None = None,
    flags: str | Sequence[str] = ("tau_gen", "tau_mem"),
    flag_names: Mapping[tuple[str, str], str] = FLAGS,
    also: Sequence[Artist] = (),
) -> float:
    """Losses against train_time τ on a log axis, mean over seeds with a band of one standard error.

    τ = 0 has no place there and is left out; τ = ∞ is a triangle on the right edge. A quantity that is NaN throughout
    (E_score of real data) is left out. The losses' axis is linear, or logarithmic where they pass 10. Flags are
    vertical lines at the means of tau_gen and tau_mem inside the axis, dashed for B25's formula and for τ_mini, solid
    for the curve's own.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.train` or `theory.curves`.
        quantities: Losses to draw, names of LOSS_LOOKS, or one.
        scale_time: A route of tau_mem (formula, main, mini, curve): the axis is then τ over that time's mean over
            seeds.
        flags: Variables whose times are flagged.
        flag_names: Names of the flags by variable and route.
        also: What the legend holds beside the losses.

    Returns:
        How far flags and legend rise above the axes, in points.

    Raises:
        ValueError: For an unknown quantity or route, and for a result that is no training.
    """
    quantities = several(quantities, LOSS_LOOKS, "a loss")
    flags = several(flags, dict.fromkeys(variable for variable, _ in flag_names), "a flag")
    if unknown := [name for name in quantities if name not in LOSS_LOOKS]:
        raise ValueError(f"a loss is one of {', '.join(LOSS_LOOKS)}; got {unknown[0]!r}")
    result = ready(result, *quantities, *(flags if "train_time" in result else ()))
    unit = time_unit(result, scale_time)
    curves = {LOSS_LOOKS[name]: rows(result[name]) for name in quantities}
    handles = training_curves(ax, result.train_time.values / unit, curves)
    if not handles:
        ax.text(0.5, 0.5, "not defined for these data", transform=ax.transAxes, ha="center", va="center")
    time_label(ax, scale_time)
    ax.set_ylabel(r"$L_\mathrm{gen}$ per dimension" if tuple(quantities) == ("gen",) else "loss per dimension")
    means = [values.mean(0)[result.train_time.values > 0] for values in curves.values()]
    _log_where_wide(ax, np.concatenate(means))
    rise = flags_above(ax, _timescales(result, flags, unit, flag_names))
    return legend_above(ax, [*handles, *also], rise)


@in_style
def energy_panel(ax: Axes, result: xr.Dataset, *, scale_time: str | None = None) -> None:
    """Energy (1/d) Tr Ā P U P Āᵀ of the weights in each part against train_time, as in `loss_panel` (§8).

    Args:
        ax: Axes to draw on.
        result: Of a training with energies.
        scale_time: As in `loss_panel`.

    Raises:
        ValueError: For a result without energies.
    """
    result = ready(result, "energy")
    unit = time_unit(result, scale_time)
    curves = {
        part_look(name): rows(result.energy.sel(part=name))
        for name in map(str, result.part.values)
        if np.any(result.energy.sel(part=name) > 0)
    }
    handles = training_curves(ax, result.train_time.values / unit, curves)
    time_label(ax, scale_time)
    ax.set_ylabel("energy per dimension")
    legend_above(ax, handles)


def rows(values: xr.DataArray) -> NDArray[np.float64]:
    """Values of a sample (seeds, times), or of the limit as one row (1, times)."""
    return np.atleast_2d(values.values)


def training_curves(ax: Axes, times: NDArray[np.float64], curves: dict[Look, NDArray[np.float64]]) -> list[Line2D]:
    """Mean over seeds of each (seed, times) with its standard error on a log time axis; the legend's handles."""
    order = np.argsort(times)
    finite = order[np.isfinite(times[order]) & (times[order] > 0)]
    last = order[np.isinf(times[order])][:1]
    handles = []
    ax.set_xscale("log")
    for look, values in curves.items():
        if np.isnan(values).all():
            continue
        mean, seeds = values.mean(0), values.shape[0]
        marker = look.marker if finite.size < MANY else None
        (line,) = ax.plot(
            times[finite], mean[finite], color=look.color, linestyle=look.dash, marker=marker, label=look.label
        )
        handles.append(line)
        if seeds > 1:
            error = values.std(0, ddof=1) / np.sqrt(seeds)
            low, high = (mean - error)[finite], (mean + error)[finite]
            ax.fill_between(times[finite], low, high, color=look.color, alpha=0.25, linewidth=0)
        if last.size:  # an empty line would count as a point at the figure's corner and upset the layout
            edge = ax.get_yaxis_transform()
            ax.plot(np.ones(1), mean[last], ">", color=look.color, transform=edge, clip_on=False)
    if handles and last.size:
        handles.append(Line2D([], [], color=MARKER_COLOR, marker=">", linestyle="", label=r"$\tau=\infty$"))
    time_limits(ax, times[finite])
    return handles


def time_limits(ax: Axes, times: NDArray[np.float64]) -> None:
    """Limits of a log axis of positive, finite times; without any, no ticks."""
    if times.size:
        low, high = float(times.min()), float(times.max())
        room = (high / low) ** 0.03 if low < high else 10.0
        ax.set_xlim(low / room, high * room)
    else:
        ax.set_xlim(1, 10)
        ax.set_xticks([], minor=False)
        ax.set_xticks([], minor=True)


def _log_where_wide(ax: Axes, values: NDArray[np.float64]) -> None:
    """A log scale for losses that pass 10, ten times the zero score's, none of them negative; three decades below 1."""
    values = values[np.isfinite(values)]
    if values.size and values.min() >= 0 and values.max() > 10:
        ax.set_yscale("log")
        ax.set_ylim(max(1e-3, 0.7 * values.min()), 1.4 * values.max())


def time_unit(result: xr.Dataset, scale_time: str | None) -> float:
    """Unit of the axis of training times.

    Args:
        result: Of a training.
        scale_time: A route of tau_mem, or None.

    Returns:
        That time's mean over seeds, or 1.

    Raises:
        ValueError: For an unknown route, a result that is no training, or one without that time.
    """
    if "train_time" not in result:
        raise ValueError("curves over train_time need a result of rfsim.train; got one without train_time")
    if scale_time is None:
        return 1.0
    if scale_time not in TIME_UNITS:
        raise ValueError(f"scale_time must be one of {', '.join(TIME_UNITS)} or None; got {scale_time!r}")
    result = ready(result, "tau_mem")
    known = scale_time in result.mem_route.values
    unit = float(result.tau_mem.sel(mem_route=scale_time).values.mean()) if known else math.nan
    if not 0 < unit < math.inf:
        raise ValueError(f"the result has no finite tau_mem by the route {scale_time!r}; choose another scale_time")
    return unit


def has_time(result: xr.Dataset, scale_time: str | None) -> bool:
    """Whether the result has that time, finite for every seed."""
    if scale_time not in TIME_UNITS or "tau_mem" not in result or scale_time not in result.mem_route.values:
        return scale_time is None
    return bool(np.isfinite(result.tau_mem.sel(mem_route=scale_time)).all())


def _timescales(
    result: xr.Dataset, variables: Sequence[str], unit: float, names: Mapping[tuple[str, str], str]
) -> list[Flag]:
    found = []
    for (variable, route), name in names.items():
        routes = f"{variable.removeprefix('tau_')}_route"
        if variable in variables and route in result[routes].values:
            values = result[variable].sel({routes: route})
            at = float(values.values.mean()) / unit
            found.append(Flag(at, name, "-" if route == "curve" else (0, (4, 2))))
    return found


def time_label(ax: Axes, scale_time: str | None) -> None:
    """Name the axis of training times.

    Args:
        ax: Axes to draw on.
        scale_time: As in `loss_panel`.
    """
    symbol = r"$\tau$" if scale_time is None else rf"$\tau/{TIME_UNITS[scale_time]}$"
    ax.set_xlabel(f"training time {symbol}")
