"""Samples in the plane beside the training points, those that are memorized told from the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from rfsim.plotting.style import in_style

# hues and lightnesses of PART_LOOKS, whose grey print keeps them apart
LOOKS: dict[str, dict[str, Any]] = {
    "other sample": {"color": "#3FA4DC", "marker": "o", "fillstyle": "none"},
    "memorized sample": {"color": "#C04F00", "marker": "o", "markeredgewidth": 0.0},
    "its mirror image": {"color": "#666666", "marker": "x"},
    "training point": {"color": "black", "marker": "+"},
}
SIZES = {"other sample": 0.45, "memorized sample": 0.6, "its mirror image": 0.9, "training point": 1.6}

Move = Callable[[ArrayLike, ArrayLike, ArrayLike, float], int]


@in_style
def cloud_panel(ax: Axes, *, mirrored: bool = False) -> Move:
    """A square of the plane to one scale, with samples beside the training points (§8; B25 Eq. 6).

    Args:
        ax: Axes to draw on.
        mirrored: Also draw −x of each training point, which an odd score cannot tell from it.

    Returns:
        What moves it: of samples (rows, 2), filled where memorized (rows,), training points (n, 2), crosses above all,
        and reach, half the width of the square, it draws what lies inside and returns how many samples lie outside.
    """
    size, width = matplotlib.rcParams["lines.markersize"], matplotlib.rcParams["lines.linewidth"]
    dots = {
        name: ax.plot(
            [], [], linestyle="", markersize=SIZES[name] * size, **{"markeredgewidth": _edge(name) * width} | look
        )[0]
        for name, look in LOOKS.items()
    }
    ax.set_aspect("equal")
    ax.set_xlabel("$x_1$")
    ax.set_ylabel("$x_2$")

    def move(samples: ArrayLike, memorized: ArrayLike, points: ArrayLike, reach: float) -> int:
        drawn, hits, given = np.asarray(samples), np.asarray(memorized, dtype=bool), np.asarray(points)
        inside = np.all(np.abs(drawn) <= reach, axis=1)
        rows = {"other sample": drawn[inside & ~hits], "memorized sample": drawn[inside & hits]}
        rows |= {"training point": given, "its mirror image": -given if mirrored else given[:0]}
        for name, line in dots.items():
            line.set_data(*rows[name].T)
        ax.set_xlim(-reach, reach)
        ax.set_ylim(-reach, reach)
        return int(np.sum(~inside))

    return move


def cloud_legend(*, mirrored: bool = False) -> list[Line2D]:
    """What the marks of `cloud_panel` stand for.

    Args:
        mirrored: Whether mirror images are drawn.

    Returns:
        Legend entries, the most important first.
    """
    names = [name for name in reversed(LOOKS) if mirrored or name != "its mirror image"]
    return [Line2D([], [], linestyle="", label=name, **LOOKS[name]) for name in names]


def _edge(name: str) -> float:
    """Width of a mark's line over that of lines."""
    return 0.9 if name == "training point" else 0.5
