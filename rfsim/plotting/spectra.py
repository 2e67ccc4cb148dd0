"""The spectrum of U, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from rfsim.disk import store
from rfsim.plotting.forms import ready, several
from rfsim.plotting.layout import broken_axis
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import PART_LOOKS
from rfsim.plotting.style import in_style, number
from rfsim.problem.ranks import PARTS


@in_style
def spectrum_panel(
    ax: Axes, result: xr.Dataset, *, scale: str = "log", seed: int | None = None, parts: str | Sequence[str] = PARTS
) -> None:
    """Histogram of the eigenvalues λ of U, stacked by part: areas are masses, atoms are stems (§5, §8).

    On the log axis the height is λρ(λ), the mass per unit ln λ; on the linear axis ρ(λ), on a log scale of its own
    (parts then in front of each other) where the parts' peaks are more than twenty-fold apart. A stem's height is its
    mass as a share of the panel's height; eigenvalues that are 0 stand left of the break of a log axis. The legend
    gives each part's mass.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.spectrum` or `rfsim.train`.
        scale: "log" or "linear".
        seed: To draw; all of them by default.
        parts: Names of those to draw.

    Raises:
        ValueError: Where the result lacks the seed or has none of the parts.
    """
    result = ready(result, "eigenvalue", "feature_part", "mass")
    edges, heights, atoms = part_histograms(result, scale=scale, seed=seed, parts=parts)
    log = scale == "log"
    weight = np.diff(edges) / np.diff(np.log(edges)) if log else np.ones(len(edges) - 1)
    _bars(ax, edges, {name: values * weight for name, values in heights.items()}, may_be_log=not log)
    low, high = edges[0], edges[-1]
    if log:
        ax.set_xscale("log")
    room = (high / low) ** 0.03 if log else 0.03 * (high - low)
    limits = (low / room, high * room) if log else (low - room, high + room)
    positive = [position for _, position, _ in atoms if position > 0]
    if positive:
        limits = (min(limits[0], 0.8 * min(positive)), max(limits[1], 1.2 * max(positive)))
    zero_at = 0.0
    if any(position == 0 for _, position, _ in atoms):
        if log:
            zero_at = limits[0] * (limits[0] / limits[1]) ** 0.08
            limits = broken_axis(ax, limits, zero_at)
        else:
            limits = (min(limits[0], -room), limits[1])
    ax.set_xlim(limits)
    for name, position, mass in atoms:
        at = position if position > 0 else zero_at
        color = PART_LOOKS[name].color
        ax.plot([at, at], [0, mass], color=color, transform=ax.get_xaxis_transform(), clip_on=False)
        ax.plot([at], [mass], "o", color=color, transform=ax.get_xaxis_transform(), clip_on=False)
    ax.set_xlabel(r"eigenvalue $\lambda$ of $U$")
    ax.set_ylabel(r"$\lambda\,\rho(\lambda)$ (mass per $\ln\lambda$)" if log else r"density $\rho(\lambda)$")
    _part_legend(ax, result, heights, atoms)


class Histograms(NamedTuple):
    """Eigenvalues by part on common edges; masses are shares of all eigenvalues, of every part and seed drawn.

    Attributes:
        edges: Of the bins, ascending, (bins + 1,).
        density: Per unit λ, (bins,), by part.
        atoms: As (part, position, mass).
    """

    edges: NDArray[np.float64]
    density: dict[str, NDArray[np.float64]]
    atoms: list[tuple[str, float, float]]


def part_histograms(
    result: xr.Dataset,
    *,
    scale: str = "log",
    seed: int | None = None,
    parts: str | Sequence[str] = PARTS,
    bins: int | None = None,
) -> Histograms:
    """Histograms of a result's eigenvalues by part, with the edges and atoms of `spectra.density`; seeds pooled.

    Bins and atoms of all parts together hold mass 1; of some parts, or of a result that was cut to some parts or
    eigenvalues, their share.

    Args:
        result: Of `rfsim.spectrum` or `rfsim.train`.
        scale: Of the bins, "log" or "linear".
        seed: To take; all of them by default.
        parts: Names of those to take.
        bins: Number of bins; by default a few eigenvalues a bin.

    Returns:
        The histograms.

    Raises:
        ValueError: Where the result lacks the seed or has none of the parts.
    """
    parts = several(parts, PARTS, "a part")
    result = ready(result, "eigenvalue", "feature_part")
    if seed is not None and seed not in result.seed.values:
        raise ValueError(f"the result has the seeds {result.seed.values.tolist()}; got {seed}")
    lam = np.atleast_2d((result if seed is None else result.sel(seed=seed)).eigenvalue.values)
    label = np.broadcast_to(np.array(PARTS)[result.feature_part.values], lam.shape)
    kept = np.isin(label, [name for name in parts if "part" not in result.coords or name in result.part.values])
    if not kept.any():
        raise ValueError(f"the result has no part {' or '.join(parts)}")
    features = store.settings(result)["p"] if "settings" in result.attrs else lam.shape[1]
    total, lam, label = len(lam) * features, lam[kept], label[kept]
    # a few eigenvalues a bin, so that the shape shows through the counting noise
    bins = bins or int(np.clip(2 * np.sqrt(np.count_nonzero(lam > 0)), 12, 80 if scale == "log" else 50))
    from rfsim.sample.spectra import density  # which loads SciPy

    edges, _, found = density(lam, bins=bins, scale=scale)
    atoms, loose = [], np.ones(lam.size, dtype=bool)
    for position in found[:, 0]:
        here = np.abs(lam - position) <= 1e-8 * max(abs(position), 1e-13 * lam.max())
        loose &= ~here
        shares = {str(name): float((here & (label == name)).sum() / total) for name in set(label[here])}
        atoms += [(name, float(max(position, 0)), share) for name, share in shares.items()]
    if edges[0] <= 0:  # nothing but atoms
        edges = np.array([0.5, 2.0]) * max(1e-300, lam.max())
    counts = {
        name: np.histogram(np.clip(lam[loose & (label == name)], edges[0], edges[-1]), edges)[0]
        for name in PARTS
        if (label == name).any()
    }
    return Histograms(edges, {name: c / total / np.diff(edges) for name, c in counts.items()}, sorted(atoms))


def _bars(ax: Axes, edges: NDArray[np.float64], heights: dict[str, NDArray[np.float64]], *, may_be_log: bool) -> None:
    total = np.sum(list(heights.values()), axis=0)
    peaks = {name: values.max() for name, values in heights.items() if values.any()}
    thin = {"color": "#222222", "linewidth": 0.5 * matplotlib.rcParams["lines.linewidth"]}
    if not peaks:
        ax.set_yticks([])
    elif may_be_log and max(peaks.values()) > 20 * min(peaks.values()):
        floor = 0.5 * min(values[values > 0].min() for values in heights.values() if values.any())
        for name in sorted(peaks, key=lambda name: -peaks[name]):
            top = np.maximum(heights[name], floor)
            ax.stairs(top, edges, baseline=floor, fill=True, color=PART_LOOKS[name].color, linewidth=0)
        ax.set_yscale("log")
        ax.set_ylim(floor, 1.5 * total.max())
        ax.stairs(np.maximum(total, floor), edges, baseline=floor, **thin)
    else:
        base = np.zeros_like(total)
        for name in peaks:
            top = base + heights[name]
            ax.stairs(top, edges, baseline=base, fill=True, color=PART_LOOKS[name].color, linewidth=0)
            base = top
        ax.set_ylim(0, 1.05 * total.max())
        ax.stairs(total, edges, **thin)


def _part_legend(ax: Axes, result: xr.Dataset, heights: dict, atoms: list[tuple[str, float, float]]) -> None:
    in_atoms = {name: sum(mass for part, _, mass in atoms if part == name) for name in heights}
    handles: list[Artist] = []
    for name in heights:
        mass = float(result.mass.sel(part=name))
        text, color = f"{name} {mass:.3g}", PART_LOOKS[name].color
        if mass - in_atoms[name] > 1e-12:
            handles.append(Patch(color=color, label=text, linewidth=0))
        for part, position, weight in atoms:
            if part == name:
                text = rf"{name} {weight:.3g} at $\lambda={number(position)}$"
                handles.append(Line2D([], [], color=color, marker="o", label=text))
    legend_above(ax, handles, handle_length=1.4)
