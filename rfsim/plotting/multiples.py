"""Small multiples: panels of one kind that share their axes, over results that differ in one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from rfsim.plotting.families import family_panel
from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.limit import limit_handle, limit_losses, pieces
from rfsim.plotting.looks import PART_LOOKS
from rfsim.plotting.spectra import part_histograms
from rfsim.plotting.style import in_style, style_of

COLLAPSE_TIMES = (1e-3, 1e2)  # in units of the predicted time
STRIP_HEIGHTS = (1e-3, 3.0)


def collapse_grid(
    axes: np.ndarray,
    families: Mapping[str, Mapping[str, xr.Dataset]],
    limits: Mapping[str, Mapping[str, xr.Dataset]] | None = None,
) -> None:
    """L_gen of families of trainings, a row each: against τ, and over its value at τ = ∞ against τ/τ_mem and τ/τ_mini.

    Lines cross where a curve passes half of its final value at the predicted time. The first row carries the legend.

    Args:
        axes: (families, 3).
        families: What names the row → label in the legend → result; all families have the same labels.
        limits: The same families as d → ∞, dotted.

    Raises:
        ValueError: Where axes and families do not fit.
    """
    if axes.shape != (len(families), 3):
        raise ValueError(f"{len(families)} families need axes of shape ({len(families)}, 3); got {axes.shape}")
    for number, (row, (name, family)) in enumerate(zip(axes, families.items(), strict=True)):
        known = limits[name] if limits else {}
        family_panel(row[0], family, also=[limit_handle()] if known else (), legend=number == 0)
        limit_losses(row[0], known)
        row[0].set_ylim(0, None)
        for ax, scale in zip(row[1:], ("formula", "mini"), strict=True):
            family_panel(ax, family, scale_time=scale, relative=True, legend=False)
            limit_losses(ax, known, scale_time=scale, relative=True)
            ax.set_xlim(COLLAPSE_TIMES)
            with style_of(ax):
                thin = {"color": "black", "linewidth": 0.5 * matplotlib.rcParams["lines.linewidth"], "zorder": 0.5}
                ax.axvline(1, **thin)
                ax.axhline(0.5, **thin)
        with style_of(row[0]):
            row[0].text(0.04, 0.96, name, transform=row[0].transAxes, ha="left", va="top")
            row[0].set_ylabel(r"$L_\mathrm{gen}$ per dimension")
            row[1].set_ylabel(r"$L_\mathrm{gen}(\tau)/L_\mathrm{gen}(\infty)$")
            row[2].set_ylabel("")
            row[2].tick_params(axis="y", labelleft=False)
        if number < len(families) - 1:
            for ax in row:
                ax.set_xlabel("")


@in_style
def spectrum_strip(
    ax: Axes,
    result: xr.Dataset,
    label: str,
    limits: tuple[float, float],
    *,
    marks: Sequence[float] = (),
    limit: xr.Dataset | None = None,
) -> None:
    """The spectrum of U as a strip of a stack: λρ(λ) on log axes, stacked by part, named inside; one seed or many.

    Atoms are left out: U averaged over the noise has none at finite d, but for its zeros.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.spectrum` or `rfsim.train`.
        label: Names the strip.
        limits: Of λ, shared by the stack.
        marks: Values of λ to be marked at its foot.
        limit: Of `theory.spectrum`, whose density is drawn as a line.
    """
    edges, heights, _ = part_histograms(result)
    weight = np.diff(edges) / np.diff(np.log(edges))
    base = np.zeros_like(weight)
    for name, values in heights.items():
        top = base + values * weight
        ax.stairs(top, edges, baseline=base, fill=True, color=PART_LOOKS[name].color, linewidth=0)
        base = top
    ax.stairs(base, edges, color="#222222", linewidth=0.5 * matplotlib.rcParams["lines.linewidth"])
    for lam, rho in pieces(limit) if limit is not None else ():
        inside = rho > 0
        ax.plot(lam[inside], (lam * rho)[inside], color="black", linewidth=0.7 * matplotlib.rcParams["lines.linewidth"])
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(limits)
    ax.set_ylim(STRIP_HEIGHTS)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    ax.plot(marks, np.full(len(marks), 0.1), "^", color="black", markersize=2.5, transform=ax.get_xaxis_transform())
    ax.text(0.99, 0.93, label, transform=ax.transAxes, ha="right", va="top")


@in_style
def part_legend(ax: Axes, result: xr.Dataset) -> None:
    """The colors of a result's parts and how many eigenvalues each counts, above the first strip of a stack.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.spectrum` or `rfsim.train`.
    """
    result = ready(result, "count")
    counts = dict(zip(map(str, result.part.values), result["count"].values.tolist(), strict=True))
    handles = [
        Patch(color=PART_LOOKS[name].color, label=f"{name} {count}", linewidth=0) for name, count in counts.items()
    ]
    legend_above(ax, handles, handle_length=1.4)
