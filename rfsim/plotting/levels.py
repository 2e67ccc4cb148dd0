"""A distillation level by level: suppression over diffusion times, instability of directions, transfer of parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from rfsim.disk import store
from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import PART_LOOKS, part_look
from rfsim.plotting.samples import Bars, bars_line, log_axis, places
from rfsim.plotting.style import in_style

FAINTEST = 1e-4  # shares of a transfer matrix below which all are white
SHARES = LogNorm(FAINTEST, 1)
SHADES = matplotlib.colormaps["Greys"]


@in_style
def level_panel(ax: Axes, result: xr.Dataset, *, variant: int = 0, when: int = -1, legend: bool = True) -> None:
    """Energy of the student over the teacher's against the level's diffusion time, at one distill_time (§8).

    Means over seeds with their standard errors, or one seed with the jackknife's; a log axis where they spread.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill`.
        variant: Index of the student.
        when: Index of the distill_time.
        legend: Whether to draw it.

    Raises:
        ValueError: Where the grid of diffusion times was cut.
    """
    result = ready(result, "suppression", "suppression_error", "diffusion_time")
    own = result.isel(variant=variant, distill_time=when)
    times = level_times(result)
    handles, seen = [], [1.0]
    names = [str(name) for name in result.part.values]
    for name, place in zip(names, places(len(names)), strict=True):
        rows = own.suppression.sel(part=name).transpose("seed", "level").values
        if not np.isfinite(rows).any():
            continue
        mean, error = rows.mean(0), own.suppression_error.sel(part=name).values[0]
        if len(rows) > 1:
            error = rows.std(0, ddof=1) / math.sqrt(len(rows))
        look = part_look(name)
        found = Bars(mean, mean - error, mean + error)
        handles.append(bars_line(ax, times, found, look, look.label, marker=look.marker, place=place))
        seen += [*mean]
    if not handles:
        ax.text(0.5, 0.5, "not defined for this student", transform=ax.transAxes, ha="center", va="center")
    ax.axhline(1, color="black", linewidth=0.5 * matplotlib.rcParams["lines.linewidth"], zorder=0.5)
    ax.set_xscale("log")
    if min(seen) > 0 and (min(seen) < 0.3 or max(seen) > 3):
        ax.set_yscale("log")
    ax.set_xlabel(r"diffusion time $t_k$")
    ax.set_ylabel("energy over teacher's")
    legend_above(ax, handles if legend else ())


def level_times(result: xr.Dataset) -> np.ndarray:
    """The diffusion time t_k of each level of a result; ValueError where the grid of them was cut."""
    grid, levels = result.diffusion_time.values, store.settings(result)["levels"]
    if grid.size != levels + 1:
        raise ValueError(f"the result holds {grid.size} of {levels + 1} diffusion times; draw the whole result")
    return grid[result.level.values]


@in_style
def instability_panel(ax: Axes, result: xr.Dataset, level: int, *, legend: bool = True) -> None:
    """Instability qᵀ E[δδᵀ] q/λ of every eigen-direction of one level against its eigenvalue, colored by part (§8).

    Dots: all seeds; lines: median of each part over its range of eigenvalues.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill` with instability.
        level: k.
        legend: Whether to draw it.

    Raises:
        ValueError: For a result without.
    """
    if "instability" not in result:
        raise ValueError("the result holds no instability; ask rfsim.distill for it with instability=True")
    result = ready(result, "instability", "eigenvalue", "feature_part")
    own = result.sel(level=level)
    names = own.feature_part.attrs["flag_meanings"].split()
    handles = []
    for name in map(str, result.part.values):
        here = own.feature_part.values == names.index(name)
        lam, values = own.eigenvalue.values[:, here].ravel(), own.instability.values[:, here].ravel()
        known = np.isfinite(values) & (lam > 0)
        if not known.any():
            continue
        look, middle = PART_LOOKS[name], float(np.median(values[known]))
        dots = {"color": look.color, "markersize": 0.5 * matplotlib.rcParams["lines.markersize"], "rasterized": True}
        ax.plot(lam[known], values[known], ".", alpha=0.5, markeredgewidth=0, **dots)
        (line,) = ax.plot([lam[known].min(), lam[known].max()], [middle] * 2, color="black", zorder=3)
        line.set_linewidth(0.8 * line.get_linewidth())
        handles += ax.plot([], [], look.marker, color=look.color, label=f"{name}, median {middle:.2g}")
    ax.set_xscale("log")
    log_axis(ax, "y")
    ax.set_xlabel(r"eigenvalue $\lambda$ of $U_k$")
    ax.set_ylabel("instability")
    legend_above(ax, handles if legend else (), handle_length=1.0)


@in_style
def transfer_panel(ax: Axes, result: xr.Dataset, ridge: float, level: int) -> Callable[[float, int], None]:
    """Median shares of what each part of the level below hands up that land in each part of a level, as a matrix (§8).

    Means over seeds; rows: where a coefficient row comes from, columns: where it lands; darker is more, on a log scale;
    shares below 10⁻⁴ are 0. Medians of shares need not add up to 1.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill` with transfer.
        ridge: γ at first.
        level: k at first.

    Returns:
        What moves the matrix to another ridge and level.

    Raises:
        ValueError: For a result without transfer, or with some parts of it only.
    """
    if "transfer" not in result:
        raise ValueError("the result holds no transfer; ask rfsim.distill for it with transfer=True")
    result = ready(result, "transfer")
    if result.sizes["source"] != result.sizes["part"]:
        raise ValueError(
            "transfer is a matrix over all parts; the result holds some of them only; draw the whole result"
        )
    names = [str(name) for name in result.part.values[::-1]]
    nothing = np.full((len(names), len(names)), FAINTEST)
    image = ax.imshow(nothing, cmap=SHADES, norm=SHARES, aspect="auto")
    texts = {
        (row, column): ax.text(column, row, "", ha="center", va="center") for row, column in np.ndindex(nothing.shape)
    }
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0)
    ax.set_xlabel("lands in")
    ax.set_ylabel("comes from")

    def move(ridge: float, level: int) -> None:
        found = result.transfer.sel(ridge=ridge, level=level).transpose("seed", "source", "part").values.mean(0)
        shares = found[::-1, ::-1]
        image.set_data(np.maximum(shares, FAINTEST))
        for at, text in texts.items():
            # two digits of a small share would not fit its cell
            text.set(text=f"{shares[at]:.{2 if shares[at] >= 0.01 else 1}g}" if shares[at] >= FAINTEST else "0")
            text.set_color(_legible(SHADES(SHARES(max(shares[at], FAINTEST)))))

    move(ridge, level)
    return move


def transfer_bar(figure: Figure, axes: Sequence[Axes]) -> None:
    """The color bar of transfer matrices, beside them.

    Args:
        figure: The figure.
        axes: Of the matrices.
    """
    bar = figure.colorbar(ScalarMappable(SHARES, SHADES), ax=list(axes), pad=0.02, aspect=25, extend="min")
    bar.set_label("median share")


def _legible(color: tuple[float, ...]) -> str:
    """Black or white, whichever stands out more from a color: at least 4.5 to 1 in WCAG's contrast."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    luminance = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return "white" if (1.05 / (luminance + 0.05)) > (luminance + 0.05) / 0.05 else "black"
