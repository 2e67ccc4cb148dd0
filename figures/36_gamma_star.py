"""γ⋆ over ψ_n, ψ_p, t and the step: the limit, its closed form, samples by dim; below, planes of the limit."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, log_axis, seeds_line, sequence, styled
from rfsim.plotting.looks import Look

STYLE = "paper"
DOTS = (0, (1, 1))
AXES = (r"samples per dimension $\psi_n$", r"features per dimension $\psi_p$", "diffusion time $t$", "$t'/t$")
VALUE = r"ridge $\gamma_\star$"


def gamma_star(results: Results) -> Figure:
    figure, axes = canvas(2, 3, style=STYLE, width="double", aspect=0.85)
    points = {tuple(map(float, name.split("-")[1:])): one for name, one in results.items() if name.startswith("limit-")}
    base = _base(list(points))
    with styled(STYLE):
        for k, ax in enumerate(axes.ravel()[:4]):
            along = sorted(point for point in points if all(point[j] == base[j] for j in range(4) if j != k))
            _settings(ax, results, points, along, k)
        _plane(axes[1, 1], results)
        _times(axes[1, 2], results)
        figure.suptitle(r"$\sigma=\mathrm{tanh}$, isotropic data, threshold 0.01", x=0.01, ha="left")
    return figure


def _base(points: list[tuple[float, ...]]) -> tuple[float, ...]:
    """The setting around which others vary: of each of the four the value that most settings have."""
    return tuple(max(set(values), key=list(values).count) for values in zip(*points, strict=True))


def _settings(ax: Axes, results: Results, points: dict, along: list[tuple[float, ...]], k: int) -> None:
    x = np.array([point[k] for point in along])
    (line,) = ax.plot(x, [float(points[point].gamma_star) for point in along], color="black", label=r"$d\to\infty$")
    closed = [float(points[point].gamma_star_closed) for point in along]
    handles = [line, *ax.plot(x, closed, color="black", linestyle=DOTS, label="closed form")]
    dims = sorted({int(name.split("-")[1]) for name in results if name.startswith("d-")})
    for dim, color in zip(dims, sequence(len(dims)), strict=True):
        rows = [_crossed(results[f"d-{dim}-{'-'.join(f'{value:g}' for value in point)}"]) for point in along]
        handles.append(seeds_line(ax, x, np.stack(rows), Look(f"$d={dim}$", color, "-", "o")))
    if k < 3:
        log_axis(ax, "x")
    ax.set(xlabel=AXES[k], ylabel=VALUE)
    if k == 0:
        legend_above(ax, handles)


def _crossed(result) -> np.ndarray:
    """γ at which the upper level's leakage falls to the threshold, by seed."""
    threshold = result.gamma_star.attrs["threshold"]
    rows = np.log(result.leakage.sel(level=2, part="gen").transpose("seed", "ridge").values / threshold)
    ridges = result.ridge.values
    return np.array([np.interp(0.0, -row, ridges) for row in rows])


def _plane(ax: Axes, results: Results) -> None:
    found = results["sizes"].gamma_star.transpose("features_per_dim", "samples_per_dim")
    psi_n, handles = found.samples_per_dim.values, []
    rows = found.isel(features_per_dim=slice(None, None, 2))
    for row, color in zip(rows, sequence(len(rows)), strict=True):
        handles += ax.plot(psi_n, row.values, color=color, label=rf"$\psi_p={float(row.features_per_dim):.0f}$")
    guide = rows.values[-1, 0] * np.sqrt(psi_n[0] / psi_n)
    handles += ax.plot(psi_n, guide, color=MARKER_COLOR, linestyle=DOTS, label=r"$\psi_n^{-1/2}$")
    log_axis(ax, "x")
    log_axis(ax, "y")
    ax.set(xlabel=AXES[0], ylabel=VALUE)
    legend_above(ax, handles)


def _times(ax: Axes, results: Results) -> None:
    shares = sorted(float(name.removeprefix("times-")) for name in results if name.startswith("times-"))
    handles: list[Line2D] = []
    for share, color in zip(shares, sequence(len(shares)), strict=True):
        found = results[f"times-{share:g}"].gamma_star
        handles += ax.plot(found.diffusion_time.values, found.values, color=color, label=f"$(t-t')/t={share:g}$")
    log_axis(ax, "x")
    ax.set(xlabel=AXES[2], ylabel=VALUE)
    legend_above(ax, handles)


DRAW = {"gamma-star": gamma_star}
