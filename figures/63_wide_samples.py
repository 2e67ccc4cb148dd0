"""Variances of samples and their distance from the truth against training time beside the limit; linear σ against d."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, log_axis, sequence, styled

STYLE = "paper"
BANDS = ((0.05, 0.95, 0.15), (0.25, 0.75, 0.3))
MARKERS = "osD^v"


def wide_samples(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.62)
    with styled(STYLE):
        _variances(axes[0, 0], results["limit-cubic"].sel(way="steps"), _drawn(results, "cubic"))
        _distances(axes[0, 1], results["limit-cubic"].sel(way="steps"), _drawn(results, "cubic"))
        _distances(axes[1, 0], results["limit-tanh"].sel(way="steps"), _drawn(results, "tanh"))
        short = results["limit-short"].sel(way="steps")
        axes[1, 0].plot(short.train_time, short.frechet_per_dim, color=MARKER_COLOR)
        for (_, _, one), marker in zip(_drawn(results, "short"), MARKERS, strict=False):
            values = (one.frechet_per_dim - one.frechet_bias).mean("seed")
            axes[1, 0].plot(one.train_time, values, color=MARKER_COLOR, marker=marker, markersize=3, linestyle="")
        _linear(axes[1, 1], results)
        for ax, letter in zip(axes.ravel(), "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
        line = r"isotropic data, $\psi_n=2$; (a), (b): $\sigma=h_1+.2h_3$; (c): tanh, gray from $T=1.5$; (d): linear"
        figure.suptitle(line, x=0.01, ha="left")
    return figure


def _drawn(results: Results, name: str) -> list[tuple[int, int, xr.Dataset]]:
    keys = [key.split("-") for key in results if key.startswith(f"{name}-")]
    return sorted(((int(d), int(p), results[f"{name}-{d}-{p}"]) for _, d, p in keys), key=lambda one: one[:2])


def _variances(ax: Axes, limit: xr.Dataset, drawn: list[tuple[int, int, xr.Dataset]]) -> None:
    """Bands of the limit; of the two draws of most dimensions the same quantiles as marks."""
    tau, bounds = limit.train_time.values, limit.variance_quantile
    for low, high, opacity in BANDS:
        ends = (bounds.sel(quantile=q).values for q in (low, high))
        ax.fill_between(tau, *ends, color="black", alpha=opacity, linewidth=0)
    handles = [Line2D([], [], color="black", label="limit: median, 50%, 90%")]
    ax.plot(tau, bounds.sel(quantile=0.5), color="black")
    chosen = {dim: (psi_p, one) for dim, psi_p, one in drawn if psi_p <= 16}
    last = list(chosen.items())[-2:]
    for (dim, (psi_p, one)), color, marker in zip(last, sequence(len(last)), MARKERS, strict=False):
        found = np.quantile(one.variance.values, limit["quantile"].values, axis=-1).mean(1).T
        ax.plot(tau, found, color=color, marker=marker, linestyle="", markersize=3)
        label = rf"$d={dim}$, $\psi_p={psi_p}$"
        handles.append(Line2D([], [], color=color, marker=marker, linestyle="", label=label))
    ax.set_ylabel("variances of samples")
    _times(ax, handles)


def _distances(ax: Axes, limit: xr.Dataset, drawn: list[tuple[int, int, xr.Dataset]]) -> None:
    (line,) = ax.plot(limit.train_time, limit.frechet_per_dim, color="black", label="limit")
    handles = [line]
    for (dim, psi_p, one), color, marker in zip(drawn, sequence(len(drawn)), MARKERS, strict=False):
        values = (one.frechet_per_dim - one.frechet_bias).mean("seed")
        label = rf"$d={dim}$, $\psi_p={psi_p}$"
        (line,) = ax.plot(one.train_time, values, color=color, marker=marker, markersize=3, label=label)
        handles.append(line)
    ax.set_ylabel(r"$W_2^2/d$")
    _times(ax, handles)


def _times(ax: Axes, handles: list[Line2D]) -> None:
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel(r"training time $\tau$")
    legend_above(ax, handles)


def _linear(ax: Axes, results: Results) -> None:
    """The gap to the limit of every draw, and its root mean square."""
    end = float(results["limit-linear"].frechet_per_dim.sel(way="steps")[0])
    dims = np.array(sorted(int(name.split("-")[1]) for name in results if name.startswith("linear-")))
    gaps = [((np.sqrt(results[f"linear-{d}"].variance.values[:, 0]) - 1) ** 2).mean(1) - end for d in dims]
    for dim, gap in zip(dims, gaps, strict=True):
        ax.plot([dim] * gap.size, np.abs(gap), color=MARKER_COLOR, marker=".", linestyle="", markersize=3)
    size = np.array([np.sqrt((gap**2).mean()) for gap in gaps])
    (mean,) = ax.plot(dims, size, color="black", marker="o", markersize=3, label="root mean square over draws")
    (guide,) = ax.plot(dims, size[0] * dims[0] / dims, color=MARKER_COLOR, linestyle=":", label="$1/d$")
    log_axis(ax, "x")
    log_axis(ax, "y")
    ax.set_xlabel("dimension $d$")
    ax.set_ylabel(r"$|W_2^2/d-$ limit$|$")
    legend_above(ax, [mean, guide])


DRAW = {"wide-samples": wide_samples}
