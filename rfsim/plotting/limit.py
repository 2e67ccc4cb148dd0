"""The d → ∞ theory: its spectrum, its lines over those of a sample, its losses against the ridge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from rfsim.plotting.curves import MANY, has_time, time_limits
from rfsim.plotting.families import family_looks, shown_times, sparse
from rfsim.plotting.forms import ready
from rfsim.plotting.layout import Flag, broken_axis, flags_above
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import LOSS_LOOKS, part_look
from rfsim.plotting.style import in_style, number

DOTS = (0, (1, 1))  # of losses: those of samples are whole or dashed
NEAR = 100.0  # how many times a ridge may lie beyond those computed for the axis to reach to it
SPECTRUM = ("density", "mass", "lower", "upper", "interval_lower", "interval_upper")


@in_style
def limit_spectrum_panel(
    ax: Axes,
    result: xr.Dataset,
    *,
    scale: str = "log",
    parts: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    also: Sequence[Artist] = (),
) -> float:
    """The density of the limit by part, atoms as stems; axes as in `spectrum_panel` (§5).

    Args:
        ax: Axes to draw on.
        result: Of `theory.spectrum`.
        scale: "log" or "linear".
        parts: Names of `result.part`; all of them by default.
        labels: Labels in the legend by part, in place of name and mass.
        also: What the legend holds beside the parts.

    Returns:
        How far the legend rises above the axes, in points.

    Raises:
        ValueError: Where the result has none of the parts.
    """
    result = ready(result, *SPECTRUM)
    names = [str(name) for name in result.part.values if parts is None or name in parts]
    if not names:
        raise ValueError(f"the result has no part {' or '.join(parts or ())}")
    log, handles, labels = scale == "log", [], labels or {}
    atoms: list[tuple[float, float, str]] = []
    ends: list[float] = []
    tallest, lowest = 0.0, np.inf
    for name in names:
        part, color = result.sel(part=name), part_look(name).color
        mass = float(part.mass)
        if part.lower == part.upper:
            atoms.append((float(part.lower), mass, color))
            text = rf"{name} {mass:.3g} at $\lambda={number(float(part.lower))}$"
            handles.append(Line2D([], [], color=color, marker="o", label=labels.get(name, text)))
            continue
        handles.append(Patch(color=color, label=labels.get(name, f"{name} {mass:.3g}"), linewidth=0))
        for lam, rho in pieces(result, name):
            height = lam * rho if log else rho
            ax.fill_between(lam, height, color=color, linewidth=0)
            ax.plot(lam, height, color="#222222", linewidth=0.5 * matplotlib.rcParams["lines.linewidth"])
            ends += [lam[0], lam[-1]]
            tallest, lowest = max(tallest, float(height.max())), min(lowest, float(height.max()))
    if (
        log
        and {"large_density", "large_interval", "large_eigenvalue"} & set(map(str, result.variables))
        and parts is None
    ):
        result = ready(result, "large_density", "large_interval")
        handles.append(_large_form(ax, result))
        tallest = max(tallest, float((result.large_eigenvalue * result.large_density).max()))
    if not log and ends and tallest > 20 * lowest:
        ax.set_yscale("log")
        ax.set_ylim(1e-2 * lowest, 1.5 * tallest)
    elif ends:
        ax.set_ylim(0, 1.05 * tallest)
    _limits(ax, ends, atoms, log)
    most = max([1.0, *(mass for _, mass, _ in atoms)])  # masses per dimension may pass 1
    for at, mass, color in atoms:
        mass /= most
        foot: dict[str, Any] = {"color": color, "transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot([at, at], [0, mass], **foot)
        ax.plot([at], [mass], "o", **foot)
    over = r", over $\psi_p$" if "per" in result.attrs else ""
    ax.set_xlabel(rf"eigenvalue $\lambda$ of $U${over}")
    ax.set_ylabel(r"$\lambda\,\rho(\lambda)$ (mass per $\ln\lambda$)" if log else r"density $\rho(\lambda)$")
    return legend_above(ax, [*handles, *also], handle_length=1.4)


def _large_form(ax: Axes, result: xr.Dataset) -> Line2D:
    """Theorem 3.2's density as a dotted line, cut at the limits of the axis."""
    width = 0.9 * matplotlib.rcParams["lines.linewidth"]
    look: dict[str, Any] = {"color": "black", "linestyle": (0, (1, 1)), "linewidth": width}
    lam = result.large_eigenvalue.values
    for k in np.unique(result.large_interval.values):
        inside = result.large_interval.values == k
        ax.plot(lam[inside], (lam * result.large_density.values)[inside], **look)
    return Line2D([], [], label=r"$\rho_1$, $\rho_2$ of B25, Thm 3.2", **look)


def pieces(result: xr.Dataset, name: str | None = None) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """(λ, ρ) of each interval of one part, or of all, its edges included with density 0; gaps between are empty."""
    result = ready(result, *SPECTRUM)
    found = []
    lam, rho = result.eigenvalue.values, result.density.values
    edges = list(zip(map(str, result.part.values), result.lower.values, result.upper.values, strict=True))
    for k in range(result.sizes["interval"]):
        lower, upper = float(result.interval_lower[k]), float(result.interval_upper[k])
        parts = [part for part, low, high in edges if low <= lower and upper <= high]
        inside = (lam > lower) & (lam < upper)
        if lower == upper or (name is not None and name not in parts) or not inside.any():
            continue
        # the density diverges at an edge that is 0: it begins where it was computed
        start = ([lower], [0.0]) if lower > 0 else ([], [])
        found.append((np.concatenate([start[0], lam[inside], [upper]]), np.concatenate([start[1], rho[inside], [0.0]])))
    return found


@in_style
def limit_density(ax: Axes, result: xr.Dataset, *, scale: str = "log", color: str = "black", dash: Any = "-") -> None:
    """The density of the limit as a line over the histogram of a sample.

    Args:
        ax: Axes to draw on.
        result: Of `theory.spectrum`.
        scale: "log" or "linear", as the histogram's.
        color: Of the line.
        dash: A matplotlib line style.
    """
    width = 0.8 * matplotlib.rcParams["lines.linewidth"]
    for lam, rho in pieces(result):
        height = lam * rho if scale == "log" else rho
        shown = np.where(height > 0, height, np.nan) if ax.get_yscale() == "log" else height
        ax.plot(lam, shown, color=color, linestyle=dash, linewidth=width)


def limit_handle(what: str = "", *, color: str = "black", dash: Any = DOTS) -> Line2D:
    """What a legend says of lines of the limit.

    Args:
        what: Of what they are the limit, in words.
        color: Of the line.
        dash: A matplotlib line style.

    Returns:
        The entry.
    """
    return Line2D([], [], color=color, linestyle=dash, label=", ".join([r"$d\to\infty$", *filter(None, [what])]))


@in_style
def limit_losses(
    ax: Axes,
    results: Mapping[str, xr.Dataset] | xr.Dataset,
    quantity: str = "gen",
    *,
    scale_time: str | None = None,
    relative: bool = False,
    ordered: bool = True,
) -> None:
    """One loss of the limit over a panel of samples: a family in the looks of `family_panel`, or one in black, dotted.

    Args:
        ax: Axes to draw on.
        results: Of `theory.curves` by label, or one.
        quantity: The loss.
        scale_time: As in `family_panel`; a result without that time is left out.
        relative: As in `family_panel`.
        ordered: As in `family_panel`.
    """
    single = isinstance(results, xr.Dataset)
    family = {"": results} if isinstance(results, xr.Dataset) else results
    family = {label: ready(result, quantity) for label, result in family.items()}
    looks = [{"color": "black"}] if single else family_looks(len(family), ordered=ordered)
    width = 0.8 * matplotlib.rcParams["lines.linewidth"]
    for place, (look, result) in enumerate(zip(looks, family.values(), strict=True)):
        if not has_time(result, scale_time):
            continue
        (times, shown), values = shown_times(result, scale_time), result[quantity].values
        if relative:
            values = values / values[np.isinf(times)]
        drawn = sparse(look, place, len(looks), int(shown.sum())) | {"linestyle": DOTS, "fillstyle": "none"}
        ax.plot(times[shown], values[shown], linewidth=width, **drawn)


@in_style
def ridge_panel(ax: Axes, result: xr.Dataset, quantities: Sequence[str] = ("train", "test", "emp")) -> None:
    """Losses of the ridge minimizer against γ on a log axis, the best ridge γ⋆ of all flagged (T12).

    The axis reaches to it where it is not far, and the legend tells one that is far, 0 or ∞.

    Args:
        ax: Axes to draw on.
        result: Of `theory.ridge`.
        quantities: Losses to draw, names of LOSS_LOOKS.
    """
    result = ready(result, *quantities, "best_ridge")
    ridges = result.ridge.values
    shown = ridges > 0
    handles = []
    for name in quantities:
        look, values = LOSS_LOOKS[name], result[name].values[shown]
        if np.isnan(values).all():
            continue
        how = {"color": look.color, "linestyle": look.dash, "marker": look.marker if shown.sum() < MANY else None}
        handles += ax.plot(ridges[shown], values, label=look.label, **how)
    ax.set_xscale("log")
    best, known = float(result.best_ridge), ridges[shown]
    rise = 0.0
    if known.size and known.min() / NEAR < best < known.max() * NEAR:
        room = (max(known.max(), best) / known.min()) ** 0.15  # for its name, which stands right of it
        time_limits(ax, np.append(known, [best, best * room]))
        rise = flags_above(ax, [Flag(best, rf"$\gamma^\star={number(float(f'{best:.3g}'))}$", "-")])
    elif not np.isnan(best):
        handles.append(Line2D([], [], linestyle="", label=rf"$\gamma^\star={number(best)}$"))
    ax.set_xlabel(r"ridge $\gamma$")
    ax.set_ylabel("loss per dimension")
    legend_above(ax, handles, rise)


def _limits(ax: Axes, ends: list[float], atoms: list[tuple[float, float, str]], log: bool) -> None:
    """Limits of the axis of λ: every interval and atom inside, an atom at 0 beyond a break of a log axis."""
    if log:
        ax.set_xscale("log")
    at = [position for position, _, _ in atoms if position > 0 or not log]
    low, high = min([*ends, *at], default=0.5), max([*ends, *at], default=2.0)
    if log:
        room = (high / low) ** 0.03 if low < high else 2.0
        limits = low / room, high * room
    else:
        room = 0.03 * (high - low) or 1.0
        limits = low - room, high + room
    if log and len(at) < len(atoms):
        zero_at = limits[0] * (limits[0] / limits[1]) ** 0.08
        limits = broken_axis(ax, limits, zero_at)
        atoms[:] = [(position or zero_at, mass, color) for position, mass, color in atoms]
    ax.set_xlim(limits)
