"""The mini-bulk: its border, its part in the late rise of L_test, and onsets of memorization against ψ_n and t."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import LOSS_LOOKS, MARKER_COLOR, PART_LOOKS, canvas, legend_above, log_axis, sequence, styled

STYLE = "paper"
SHARES_AT = 0.1  # diffusion time of the shares
ALONG_TIME_AT = 8  # ψ_n of the onsets against t
ROUTES = {
    "mini": ("-", r"$\tau_\mathrm{half}/\tau_\mathrm{mini}$"),
    "formula": ((0, (4, 2)), r"$\tau_\mathrm{half}/\tau_\mathrm{mem}$ (B25)"),
}


def mini_bulk(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.62)
    gap, points = results["opening"], {name: one for name, one in results.items() if name != "opening"}
    found = sorted((_setting(one, "diffusion_time"), _setting(one, "samples_per_dim"), one) for one in points.values())
    times = [t for t in sorted({t for t, _, _ in found}) if sum(t == other for other, _, _ in found) > 1]
    with styled(STYLE):
        _opening(axes[0, 0], gap)
        _shares(axes[0, 1], [(n, one) for t, n, one in found if t == SHARES_AT], gap)
        _onsets(axes[1, 0], [[(n, one) for t, n, one in found if t == each] for each in times], times)
        along = [[(t, one) for t, n, one in found if n == ALONG_TIME_AT]]
        _onsets(axes[1, 1], along, [])
        axes[1, 0].set_xlabel(r"samples per dimension $\psi_n$")
        axes[1, 1].set_xlabel("diffusion time $t$")
        for ax, letter in zip(axes.ravel(), "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
        s = store.settings(found[0][2])
        line = rf"$\sigma=\mathrm{{{s['activation']}}}$, {s['data']} data, $d\to\infty$"
        shown = (
            rf"(b), (c), (d): $\psi_p={s['features_per_dim']:g}$; (b): $t={SHARES_AT:g}$; (d): $\psi_n={ALONG_TIME_AT}$"
        )
        figure.suptitle(f"{line}; {shown}", x=0.01, ha="left")
    return figure


def _setting(result: xr.Dataset, name: str) -> float:
    return float(store.settings(result)[name])


def _opening(ax: Axes, gap: xr.Dataset) -> None:
    """ψ_p at which the gap opens over ψ_n: it is open above each curve."""
    psi_n = gap.samples_per_dim.values
    handles = []
    for t, color in zip(gap.diffusion_time.values, sequence(gap.sizes["diffusion_time"]), strict=True):
        one = gap.sel(diffusion_time=t)
        (line,) = ax.plot(psi_n, one.opening / psi_n, color=color, marker=".", markersize=3, label=f"$t={t:g}$")
        ax.axhline(math.exp(4 * t), color=color, linestyle=":", linewidth=0.8)
        handles.append(line)
    ax.set_xscale("log")
    log_axis(ax, "y")
    ax.set_ylim(1, None)  # the gap opens above p = n alone
    _plain_ticks(ax, psi_n)
    ax.set_xlabel(r"samples per dimension $\psi_n$")
    ax.set_ylabel(r"$\psi_p/\psi_n$ at the opening")
    legend_above(ax, [*handles, Line2D([], [], color=MARKER_COLOR, linestyle=":", linewidth=0.8, label="$e^{4t}$")])


def _shares(ax: Axes, found: list[tuple[float, xr.Dataset]], gap: xr.Dataset) -> None:
    """L_test at τ = ∞ with all parts and with the filter switched off on one or two."""
    psi_n = np.array([n for n, _ in found])
    late = [one.isel(train_time=0) for _, one in found]
    ax.plot(psi_n, [float(one.test) for one in late], color=LOSS_LOOKS["test"].color, label="all parts")
    apart = [(n, one) for n, one in zip(psi_n, late, strict=True) if "mini" in one.part]
    at = [n for n, _ in apart]
    for name in ("main", "mini"):
        look = PART_LOOKS[name]
        values = [float(one.test_without.sel(part=name)) for _, one in apart]
        ax.plot(
            at, values, color=look.color, linestyle=look.dash, marker=look.marker, markersize=3, label=f"without {name}"
        )
    alone = [1 + float(one.test_pair.sel(part="gen", other="gen")) for one in late]
    look = PART_LOOKS["gen"]
    ax.plot(psi_n, alone, color=look.color, linestyle=look.dash, label="gen alone")
    row = gap.opening.sel(diffusion_time=SHARES_AT).values
    psi_p = _setting(found[0][1], "features_per_dim")
    open_at = gap.samples_per_dim.values[row < psi_p]
    closes = None
    if open_at.size and open_at.max() < gap.samples_per_dim.values.max():
        k = int(np.flatnonzero(row < psi_p).max())
        x, y = np.log(gap.samples_per_dim.values[k : k + 2]), np.log(row[k : k + 2])
        closes = math.exp(x[0] + (x[1] - x[0]) * (math.log(psi_p) - y[0]) / (y[1] - y[0]))
    ax.set_xscale("log")
    _plain_ticks(ax, psi_n)
    ax.set_xlabel(r"samples per dimension $\psi_n$")
    ax.set_ylabel(rf"{LOSS_LOOKS['test'].label} at $\tau=\infty$")
    handles = ax.get_lines()[:4]
    if closes is not None:
        look = {"color": MARKER_COLOR, "linestyle": ":", "linewidth": 0.8}
        handles.append(ax.axvline(closes, label="gap of mini closes", **look))
    legend_above(ax, handles)


def _onsets(ax: Axes, families: list[list[tuple[float, xr.Dataset]]], times: list[float]) -> None:
    """τ_half over τ_mini and over B25's τ_mem; one color per family."""
    colors = sequence(len(families)) if len(families) > 1 else ["black"]
    for family, color in zip(families, colors, strict=True):
        x = [value for value, _ in family]
        for route, (dash, _) in ROUTES.items():
            half = [float(one.tau_mem.sel(mem_route="curve") / one.tau_mem.sel(mem_route=route)) for _, one in family]
            ax.plot(x, half, color=color, linestyle=dash, marker=".", markersize=3)
    ax.set(xscale="log", yscale="log")
    ax.set_ylabel(r"$\tau_\mathrm{half}$ over a predicted time")
    if times:
        _plain_ticks(ax, np.array([value for value, _ in families[0]]))
    handles = [Line2D([], [], color=c, label=f"$t={t:g}$") for t, c in zip(times, colors, strict=False)]
    routes = [Line2D([], [], color=MARKER_COLOR, linestyle=dash, label=words) for dash, words in ROUTES.values()]
    legend_above(ax, [*handles, *routes])


def _plain_ticks(ax: Axes, values: np.ndarray) -> None:
    shown = [value for value in (2, 4, 8, 16, 32, 64) if values.min() <= value <= values.max()]
    ax.set_xticks(shown, [f"{value:g}" for value in shown])
    ax.xaxis.set_minor_formatter(NullFormatter())


DRAW = {"mini-bulk": mini_bulk}
