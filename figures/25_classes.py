"""Losses by class along training, samples on the limit; and when each class is learned and memorized, by its share."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, log_axis, sequence, styled

STYLE = "paper"
DASHES = {"train": (0, (4, 2)), "test": "-", "gen": "-", "mem": (0, (4, 2))}
NAMES = {
    "train": r"$\mathcal{L}_\mathrm{train}^c$",
    "test": r"$\mathcal{L}_\mathrm{test}^c$",
    "gen": r"$\tau_\mathrm{gen}^c$",
    "mem": r"$\tau_\mathrm{mem}^c$",
}
PANELS = (("0.5", "1.5", "0.1"), ("0.2", "1.8", "0.01"))  # variances and t of the times


def classes(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    with styled(STYLE):
        _losses(axes[0, 0], results)
        for ax, panel in zip(axes[0, 1:], PANELS, strict=True):
            _times(ax, results, *panel)
        for ax, letter in zip(axes[0], "abc", strict=True):
            ax.set_title(f"({letter})", loc="right")
        s, times = store.settings(results["limit"]), store.settings(_over_shares(results, *PANELS[0])[0][1])
        line = rf"$\sigma=\mathrm{{{s['activation']}}}$, $\psi_n={s['samples_per_dim']:g}$"
        sampled = (
            rf"(a): {s['data']}, $t={s['diffusion_time']:g}$, $\psi_p={s['features_per_dim']:g}$, lines $d\to\infty$, "
            rf"points $d={_largest(results)[0]}$"
        )
        shown = "; ".join(
            rf"({letter}): $\sigma_c^2={low}, {high}$, $t={t}$"
            for letter, (low, high, t) in zip("bc", PANELS, strict=True)
        )
        late = rf"$\psi_p={times['features_per_dim']:g}$, $d\to\infty$"
        figure.suptitle(f"{line}; {sampled}\n{shown}; {late}", x=0.01, ha="left")
    return figure


def _largest(results: Results) -> tuple[int, xr.Dataset]:
    return max(
        ((int(name[4:]), one) for name, one in results.items() if name.startswith("dim-")), key=lambda one: one[0]
    )


def _losses(ax: Axes, results: Results) -> None:
    limit, (_, sample) = results["limit"], _largest(results)
    colors, handles = sequence(limit.sizes["class"]), []
    for k, color in enumerate(colors):
        for name in ("train", "test"):
            values = limit[f"{name}_class"].isel({"class": k})
            ax.plot(limit.train_time, values, color=color, linestyle=DASHES[name])
            points = sample[f"{name}_class"].isel({"class": k}).mean("seed")
            ax.plot(sample.train_time[::3], points[::3], color=color, linestyle="none", marker=".", markersize=3)
        told = rf"$\sigma_c^2={float(limit.class_variance[k]):g}$"
        handles.append(Line2D([], [], color=color, label=told))
    ax.set_xscale("log")
    ax.set_xlabel(r"training time $\tau$")
    ax.set_ylabel("loss of the class")
    legend_above(ax, [*handles, *_kinds("train", "test")])


def _over_shares(results: Results, low: str, high: str, t: str) -> list[tuple[float, xr.Dataset]]:
    begin = f"limit-{low}-{high}-t-{t}-share-"
    return sorted(
        ((float(name.removeprefix(begin)), one) for name, one in results.items() if name.startswith(begin)),
        key=lambda one: one[0],
    )


def _times(ax: Axes, results: Results, low: str, high: str, t: str) -> None:
    found = _over_shares(results, low, high, t)
    shares, colors, handles = np.array([share for share, _ in found]), sequence(2), []
    for k, (color, variance) in enumerate(zip(colors, (low, high), strict=True)):
        for kind in ("gen", "mem"):
            values = [float(one[f"tau_{kind}_class"][k]) for _, one in found]
            ax.plot(shares, values, color=color, linestyle=DASHES[kind], marker=".", markersize=3)
        handles.append(Line2D([], [], color=color, label=rf"$\sigma_c^2={variance}$"))
    log_axis(ax, "y")
    ax.set_xlabel("share of the higher variance")
    ax.set_ylabel(r"training time $\tau$")
    legend_above(ax, [*handles, *_kinds("gen", "mem")])


def _kinds(*names: str) -> list[Line2D]:
    return [Line2D([], [], color=MARKER_COLOR, linestyle=DASHES[name], label=NAMES[name]) for name in names]


DRAW = {"classes": classes}
