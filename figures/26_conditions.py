"""Errors of the denoised mean and variance against the features, by signal-to-noise ratio; their parts; the losses."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, sequence, styled

STYLE = "paper"
DOTS, DASH = (0, (1, 1)), (0, (4, 2))
PARTS_AT = "16"
ERRORS = {"mean_error": "ME", "predictive_variance": "PV"}


def conditions(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.7)
    with styled(STYLE):
        _over(axes[0, 0], results, "mean_error", "ME")
        _over(axes[0, 1], results, "predictive_variance", "PV")
        _over(axes[1, 0], results, "train", r"$\mathcal{L}_\mathrm{train}$")
        _parts(axes[1, 1], results[f"limit-{PARTS_AT}"])
        for ax, letter in zip(axes.flat, "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
        s = store.settings(results[f"limit-{PARTS_AT}"])
        line = (
            rf"$\sigma=\mathrm{{{s['activation']}}}$, $t={s['diffusion_time']:g}$, $\psi_n={s['samples_per_dim']:g}$, "
            rf"$\psi_y=1$, $\gamma=10^{{{np.log10(s['ridge']):.0f}}}$; lines $d\to\infty$, "
            rf"points {_told(results)}"
        )
        figure.suptitle(f"{line}\n(d) SNR {PARTS_AT}", x=0.01, ha="left")
    return figure


def _ratios(results: Results) -> list[str]:
    return sorted((name[6:] for name in results if name.startswith("limit-")), key=float)


def _points(results: Results, ratio: str) -> dict[float, tuple[int, xr.Dataset]]:
    """Of each ψ_p the sample of the largest d, and that d."""
    found: dict[float, tuple[int, xr.Dataset]] = {}
    for name, one in results.items():
        if name.startswith(begin := f"snr-{ratio}-dim-"):
            d, p = name.removeprefix(begin).split("-")
            found[float(p)] = max(found.get(float(p), (0, one)), (int(d), one), key=lambda pair: pair[0])
    return found


def _told(results: Results) -> str:
    """Those d, and from which ψ_p on it is a smaller one."""
    dims = {p: d for p, (d, _) in sorted(_points(results, PARTS_AT).items())}
    largest = max(dims.values())
    smaller = [rf"$d={d}$ at $\psi_p={p:g}$" for p, d in dims.items() if d < largest]
    return ", ".join([f"$d={largest}$", *smaller])


def _over(ax: Axes, results: Results, name: str, label: str) -> None:
    handles, ratios = [], _ratios(results)
    for ratio, color in zip(ratios, sequence(len(ratios)), strict=True):
        limit = results[f"limit-{ratio}"]
        ax.plot(limit.feature_ratio, limit[name], color=color)
        for p, (_, one) in _points(results, ratio).items():
            values = one[name].values[:, 0]
            error = values.std(ddof=1) / np.sqrt(values.size)
            ax.errorbar(p, values.mean(), error, color=color, marker="o", markersize=3, linestyle="none")
        if name == "predictive_variance":
            ax.axhline(float(limit.true_predictive_variance), color=color, linestyle=DOTS, linewidth=0.8)
        handles.append(Line2D([], [], color=color, label=f"SNR {ratio}"))
    if name == "predictive_variance":
        handles.append(Line2D([], [], color="black", linestyle=DOTS, linewidth=0.8, label="true denoiser"))
    _finish(ax, results[f"limit-{ratios[0]}"], label, handles)


def _parts(ax: Axes, limit: xr.Dataset) -> None:
    handles = []
    for (name, label), color in zip(ERRORS.items(), sequence(2), strict=True):
        linear = limit[f"{name}_linear"]
        ax.plot(limit.feature_ratio, linear, color=color)
        ax.plot(limit.feature_ratio, limit[name] - linear, color=color, linestyle=DASH)
        handles.append(Line2D([], [], color=color, label=label))
    kinds = {"linear part": "-", "the rest": DASH}
    handles += [Line2D([], [], color=MARKER_COLOR, linestyle=dash, label=word) for word, dash in kinds.items()]
    _finish(ax, limit, "parts of ME and PV", handles)


def _finish(ax: Axes, limit: xr.Dataset, label: str, handles: list[Line2D]) -> None:
    ax.set(xscale="log", yscale="log", xlabel=r"features per dimension $\psi_p$", ylabel=label)
    border = ax.axvline(float(store.settings(limit)["samples_per_dim"]), color="0.6", linewidth=0.8, zorder=0.5)
    border.set_label("$p=n$")
    legend_above(ax, [*handles, border])


DRAW = {"conditions": conditions}
