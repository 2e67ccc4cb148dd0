"""Double descent of the ridge minimizer: losses along p, bias and variance, several m and ridges, maps, gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import blended_transform_factory

from rfsim.claims import Results
from rfsim.plotting import (
    LOSS_LOOKS,
    MARKER_COLOR,
    canvas,
    legend_above,
    legend_below,
    on_colors,
    problem_line,
    sequence,
    styled,
)
from rfsim.plotting.style import number

STYLE = "paper"
COPIES = (1, 4, 16)
PSI_N = 8.0
RANGE = (0.05, 1e4)
FEATURES = r"features per dimension $\psi_p$"


def _limit(m: float) -> str:
    return f"limit-m-{m:g}"


def _line(ax: Axes, row: xr.DataArray, color: str, dash: Any = "-", *, wide: bool = True) -> None:
    """One quantity against ψ_p, its value at ψ_p = ∞ as a triangle on the right border."""
    ax.plot(row.features_per_dim.values[:-1], row.values[:-1], color=color, linestyle=dash)
    if wide:
        border = blended_transform_factory(ax.transAxes, ax.transData)
        ax.plot([1], [row.values[-1]], "<", color=color, transform=border, clip_on=False, markersize=3.5, zorder=3)


def _samples(results: Results, m: float) -> list[tuple[float, xr.Dataset]]:
    start = f"sample-m-{m:g}-p-"
    return sorted((float(name.removeprefix(start)), one) for name, one in results.items() if name.startswith(start))


def _points(ax: Axes, results: Results, m: float, loss: str, color: str) -> None:
    """Samples against ψ_p: means over seeds with their standard errors."""
    found = _samples(results, m)
    values = [one[loss].values[:, 0] for _, one in found]
    _errorbar(ax, [p for p, _ in found], [v.mean() for v in values], [_error(v) for v in values], color, "o")


def _errorbar(ax: Axes, x: Sequence, y: Sequence, error: Sequence, color: str, marker: str) -> None:
    ax.errorbar(x, y, error, color=color, marker=marker, linestyle="", markersize=3.5, capsize=2)


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / math.sqrt(values.size))


def _axis(ax: Axes, label: bool = True) -> None:
    ax.set_xscale("log")
    ax.set_xlim(RANGE)
    ax.set_xticks([1e-1, 1e0, 1e1, 1e2, 1e3, 1e4])
    ax.set_xlabel(FEATURES if label else "")
    ax.tick_params(axis="x", which="both", labelbottom=label)


def _mark(ax: Axes, x: float, color: str = MARKER_COLOR, dash: Any = (0, (1, 1.5))) -> None:
    ax.axvline(x, color=color, linewidth=0.6, linestyle=dash, zorder=0.5)


def _triangle() -> Line2D:
    """The legend of values at ψ_p = ∞."""
    return Line2D([], [], color="black", marker="<", linestyle="", markersize=3.5, label=r"$\psi_p=\infty$")


def _told(figure: Figure, results: Results, *more: str, leave: Sequence[str] = ()) -> None:
    """The common settings, told by a sample, and what the marks mean."""
    result = next(one for name, one in results.items() if name.startswith("sample-"))
    drop = (r"$\psi_p", r"$p", "$m", *leave)
    pieces = [piece for piece in problem_line(result) if not piece.startswith(drop)]
    figure.suptitle(", ".join([*pieces, *more]), x=0.01, ha="left")


def losses(results: Results) -> Figure:
    figure, axes = canvas(3, 3, style=STYLE, width="double", aspect=0.72)
    psi_n = results[_limit(1)].samples_per_dim.values
    colors = sequence(len(psi_n))
    with styled(STYLE):
        for column, m in zip(axes.T, COPIES, strict=True):
            result = results[_limit(m)]
            for ax, loss in zip(column, ("train", "emp", "test"), strict=True):
                for n, color in zip(psi_n, colors, strict=True):
                    _line(ax, result[loss].sel(samples_per_dim=n), color)
                    if loss == "train":
                        _line(ax, result.train_penalized.sel(samples_per_dim=n), color, (0, (3, 1.5)), wide=False)
                    _mark(ax, n * m, color)
                _points(ax, results, m, loss, colors[list(psi_n).index(PSI_N)])
                _axis(ax, loss == "test")
                ax.set_ylim(0, {"train": 1.05, "emp": 3.2, "test": 4.2}[loss])
                ax.set_ylabel(LOSS_LOOKS[loss].label if m == COPIES[0] else "")
                ax.tick_params(axis="y", labelleft=m == COPIES[0])
            column[0].text(0.05, 0.06, f"$m={m}$", transform=column[0].transAxes, ha="left", va="bottom")
        handles = [Line2D([], [], color=c, label=rf"$\psi_n={number(n)}$") for n, c in zip(psi_n, colors, strict=True)]
        legend_above(axes[0, 0], handles, handle_length=1.2)
        dashed = Line2D([], [], color="black", linestyle=(0, (3, 1.5)), label="with the penalty")
        legend_above(axes[0, 1], [dashed, Line2D([], [], color=MARKER_COLOR, linestyle=":", label="$p=nm$")])
        points = Line2D([], [], color=colors[1], marker="o", linestyle="", markersize=3.5, label=r"samples, $\psi_n=8$")
        legend_above(axes[0, 2], [_triangle(), points])
        _told(figure, results, leave=(r"$\psi_n",))
    return figure


def bias_variance(results: Results) -> Figure:
    figure, axes = canvas(1, 1, style=STYLE, width="single", aspect=0.8)
    ax = axes[0, 0]
    row = results[_limit(4)].sel(samples_per_dim=PSI_N)
    with styled(STYLE):
        for name in ("score", "bias2", "variance"):
            look = LOSS_LOOKS[name]
            _line(ax, row[name], look.color, look.dash)
        found = _samples(results, 4)
        x = [p for p, _ in found]
        scores = [one.score.values[:, 0] for _, one in found]
        crosses = [one.cross.values[:, 0] for _, one in found]
        # of bias² = (1 − cross/Δ)², and so of the variance that is left
        delta = 1 - math.exp(-0.2)
        slopes = [2 * abs(1 - c.mean() / delta) / delta * _error(c) for c in crosses]
        errors = {
            "score": [_error(s) for s in scores],
            "bias2": slopes,
            "variance": [math.hypot(_error(s), e) for s, e in zip(scores, slopes, strict=True)],
        }
        handles = []
        for name, error in errors.items():
            look = LOSS_LOOKS[name]
            values = [float(one[name].mean()) for _, one in found]
            _errorbar(ax, x, values, error, look.color, look.marker)
            shown = {"color": look.color, "linestyle": look.dash, "marker": look.marker, "markersize": 3.5}
            handles.append(Line2D([], [], label=look.label, **shown))
        for at in (PSI_N, 4 * PSI_N):
            _mark(ax, at)
        _axis(ax)
        ax.set_yscale("log")
        ax.set_ylim(1e-4, 30)
        ax.set_ylabel("error of the score per dimension")
        for at, name in ((PSI_N, "$p=n$"), (4 * PSI_N, "$p=nm$")):
            ax.text(at * 1.1, 1.4e-4, name, ha="left", va="bottom", fontsize="small")
        legend_above(ax, handles)
        _told(figure, results, "$m=4$", leave=("seed", "tanh", r"$\sigma"))
    return figure


def copies(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=0.9)
    family = (1, 2, 4, 16, math.inf)
    colors = sequence(len(family))
    with styled(STYLE):
        for ax, loss in zip(axes[0], ("train", "emp", "test"), strict=True):
            for m, color in zip(family, colors, strict=True):
                _line(ax, results[_limit(m)][loss].sel(samples_per_dim=PSI_N), color)
                if m in COPIES:
                    _points(ax, results, m, loss, color)
            _axis(ax)
            ax.set_ylabel(LOSS_LOOKS[loss].label)
            ax.set_ylim(0, {"train": 1.05, "emp": 2.6, "test": 4.8}[loss])
        handles = [Line2D([], [], color=c, label=f"$m={number(m)}$") for m, c in zip(family, colors, strict=True)]
        points = Line2D([], [], color="black", marker="o", linestyle="", markersize=3.5, label="samples")
        legend_below(figure, [*handles, _triangle(), points], handle_length=1.4)
        _told(figure, results)
    return figure


def ridges(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.55)
    with styled(STYLE):
        for row, t in zip(axes, ("0.1", "1"), strict=True):
            for ax, kind, name in zip(row, ("fixed", "scaled"), (r"\gamma", r"\gamma/\psi_p"), strict=True):
                start = f"{kind}-t-{t}-ridge-"
                found = sorted((float(n.removeprefix(start)), one) for n, one in results.items() if n.startswith(start))
                colors = sequence(len(found))
                for (_, one), color in zip(found, colors, strict=True):
                    _line(ax, one.test.sel(samples_per_dim=PSI_N), color)
                for at in (PSI_N, 4 * PSI_N):
                    _mark(ax, at)
                _axis(ax, t == "1")
                ax.set_ylim((0.7, 30) if t == "0.1" else (0.12, 8))
                ax.set_yscale("log")
                ticks = (1, 2, 5, 10, 20) if t == "0.1" else (0.2, 0.5, 1, 2, 5)
                ax.set_yticks(ticks, [f"{value:g}" for value in ticks])
                ax.set_yticks([], minor=True)
                ax.set_ylabel(LOSS_LOOKS["test"].label if kind == "fixed" else "")
                ax.text(0.03, 0.95, f"$t={t}$", transform=ax.transAxes, ha="left", va="top")
                if t == "0.1":
                    labels = (rf"${name}={number(ridge)}$" for ridge, _ in found)
                    handles = [Line2D([], [], color=c, label=text) for c, text in zip(colors, labels, strict=True)]
                    legend_above(ax, handles)
        left_out = ("$d", "seed", r"$\gamma", "$t", "ridge")
        _told(figure, results, "$m=4$", leave=left_out)
        dotted = Line2D([], [], color=MARKER_COLOR, linewidth=0.6, linestyle=(0, (1, 1.5)), label="$p=n$, $p=nm$")
        legend_below(figure, [_triangle(), dotted])
    return figure


def maps(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.05)
    result = results["map"]
    x, y = result.samples_per_dim.values, result.features_per_dim.values
    with styled(STYLE):
        for ax, loss, levels in zip(
            axes[0],
            ("train", "emp", "test"),
            (np.linspace(0, 1, 11), np.linspace(0, 1.4, 15), np.linspace(0.8, 3.8, 16)),
            strict=True,
        ):
            values = result[loss].transpose("features_per_dim", "samples_per_dim").values
            filled = ax.contourf(x, y, values, levels=levels, cmap="viridis", extend="both")
            for layer in filled.get_children():
                layer.set_edgecolor("face")
            ax.plot(x, x, color="white", linewidth=0.8)
            ax.plot(x, 16 * x, color="white", linewidth=0.8, linestyle=(0, (4, 2)))
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.set_xlim(x[0], x[-1])
            ax.set_ylim(y[0], y[-1])
            ax.set_xlabel(r"samples per dimension $\psi_n$")
            ax.set_ylabel(FEATURES if loss == "train" else "")
            ax.tick_params(axis="y", labelleft=loss == "train")
            figure.colorbar(filled, ax=ax, location="top", label=LOSS_LOOKS[loss].label, shrink=0.95, ticks=levels[::5])
        left_out = ("$d", "seed", r"$\psi_n")
        _told(figure, results, "$m=16$", leave=left_out)
        legend_below(figure, [on_colors("$p=n$"), on_colors("$p=nm$", dash=(0, (4, 2)))])
    return figure


def gaps(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=0.95)
    psi_n = results[_limit(1)].samples_per_dim.values
    colors, dashes = sequence(len(COPIES)), ((0, (1, 1)), (0, (4, 1, 1, 1)), (0, (4, 1.5)), "-")
    panels = (
        ("test", "emp", r"$p/n$", False),
        ("emp", "train", r"$p/n$", False),
        ("emp", "train", r"$p/(nm)$", True),
    )
    with styled(STYLE):
        for ax, (upper, lower, label, per_copy) in zip(axes[0], panels, strict=True):
            for m, color in zip(COPIES, colors, strict=True):
                result = results[_limit(m)]
                for n, dash in zip(psi_n, dashes, strict=True):
                    row = (result[upper] - result[lower]).sel(samples_per_dim=n)
                    unit = n * (m if per_copy else 1)
                    ax.plot(row.features_per_dim.values[:-1] / unit, row.values[:-1], color=color, linestyle=dash)
                unit = PSI_N * (m if per_copy else 1)
                found = _samples(results, m)
                values = [(one[upper] - one[lower]).values[:, 0] for _, one in found]
                at = [p / unit for p, _ in found]
                _errorbar(ax, at, [v.mean() for v in values], [_error(v) for v in values], color, "o")
            _mark(ax, 1)
            ax.set_xscale("log")
            ax.set_xlim(1e-2, 1e3)
            ax.set_xlabel(label)
            ax.set_ylabel(f"{LOSS_LOOKS[upper].label}$-${LOSS_LOOKS[lower].label}")
        legend_above(
            axes[0, 0], [Line2D([], [], color=c, label=f"$m={m}$") for c, m in zip(colors, COPIES, strict=True)]
        )
        handles = [
            Line2D([], [], color="black", linestyle=dash, label=rf"$\psi_n={number(n)}$")
            for n, dash in zip(psi_n, dashes, strict=True)
        ]
        legend_above(axes[0, 1], handles, handle_length=1.8)
        points = Line2D([], [], color="black", marker="o", linestyle="", markersize=3.5, label=r"samples, $\psi_n=8$")
        legend_above(axes[0, 2], [points])
        _told(figure, results, leave=(r"$\psi_n",))
    return figure


DRAW = {
    "u26-fig3": losses,
    "u26-fig4": bias_variance,
    "u26-fig5": copies,
    "u26-fig6": ridges,
    "u26-fig16": maps,
    "u26-fig17": gaps,
}
