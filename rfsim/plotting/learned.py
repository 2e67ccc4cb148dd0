"""What training has learned by now, drawn over the limit's spectrum and its losses; movable along training time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from rfsim.plotting.curves import FLAGS, loss_panel
from rfsim.plotting.forms import ready
from rfsim.plotting.layout import plain_text
from rfsim.plotting.limit import limit_spectrum_panel, pieces
from rfsim.plotting.looks import LOSS_LOOKS
from rfsim.plotting.style import in_style

Share = Callable[[NDArray[np.float64], float], NDArray[np.float64]]  # of eigenvalues, at a train_time: 0 to 1
NOT_LEARNED: dict[str, Any] = {"facecolor": "#ffffffb8", "edgecolor": "#444444", "hatch": "////", "linewidth": 0.0}
FILTER: dict[str, Any] = {"color": "#000000", "linestyle": (0, (3, 1.2))}
TIME_COLOR, FILTER_POINTS = "#B00020", 160
FULL = 0.95  # of the panel's height: a share of 1
PLAIN_FLAGS = {key: plain_text(name) for key, name in FLAGS.items()}


class Moving(NamedTuple):
    """A panel that follows the training time.

    Attributes:
        rise: How far it rises above its axes, in points.
        move: Moves it to a train_time.
        artists: Those that then move, which may be drawn over all others.
    """

    rise: float
    move: Callable[[float], None]
    artists: Sequence[Artist]


@in_style
def learned_panel(
    ax: Axes, result: xr.Dataset, share: Share, train_time: float, *, labels: Mapping[str, str] | None = None
) -> Moving:
    """`limit_spectrum_panel` with what is learned (T7).

    Each direction's area is full up to its share, and hatched above. The share over λ itself, the filter, is a dashed
    line on a scale of its own, right, from 0 to 1.

    Args:
        ax: Axes to draw on.
        result: Of `theory.spectrum`.
        share: Which part of each eigenvalue is learned at a train_time (`filters.learned_share`).
        train_time: τ at first.
        labels: As in `limit_spectrum_panel`.

    Returns:
        The panel, movable.
    """
    also = [Line2D([], [], label="share learned (right)", **FILTER), Patch(label="not yet learned", **NOT_LEARNED)]
    rise = limit_spectrum_panel(ax, result, labels=labels, also=also)
    curves = [(lam, lam * rho) for lam, rho in pieces(result)]
    lam = np.geomspace(*ax.get_xlim(), FILTER_POINTS)
    learned = share(lam, train_time)
    with matplotlib.rc_context({"hatch.linewidth": 0.5 * matplotlib.rcParams["lines.linewidth"]}):
        hatched = [ax.fill_between(at, height * share(at, train_time), height, **NOT_LEARNED) for at, height in curves]
    (line,) = ax.plot(lam, FULL * learned, transform=ax.get_xaxis_transform(), **FILTER)
    _scale_right(ax)

    def move(train_time: float) -> None:
        for drawn, (at, height) in zip(hatched, curves, strict=True):
            drawn.set_data(at, height * share(at, train_time), height)
        line.set_ydata(FULL * share(lam, train_time))

    return Moving(rise, move, [*hatched, line])


@in_style
def marked_loss_panel(ax: Axes, result: xr.Dataset, train_time: float, quantities: Sequence[str]) -> Moving:
    """`loss_panel` with a vertical line at a train_time and a dot on each curve; flags have names in plain text.

    Times beyond the axis, 0 and inf too, stand at its ends.

    Args:
        ax: Axes to draw on.
        result: Of a training of one seed or of the limit, which holds that time.
        train_time: τ at first.
        quantities: Losses to draw.

    Returns:
        The panel, movable.
    """
    result = ready(result, *quantities)
    rise = loss_panel(ax, result, quantities, flag_names=PLAIN_FLAGS)
    width = matplotlib.rcParams["lines.linewidth"]
    line = ax.axvline(1.0, color=TIME_COLOR, linewidth=1.2 * width, alpha=0.8, zorder=1.5)
    times = result.train_time.values
    values = {name: result[name].values for name in quantities}
    dots = {
        name: ax.plot([], [], "o", color=LOSS_LOOKS[name].color, markeredgecolor="white", zorder=5)[0]
        for name in quantities
    }

    def move(train_time: float) -> None:
        at = float(np.clip(train_time, *ax.get_xlim()))
        line.set_xdata([at, at])
        k = int(np.flatnonzero(times == train_time)[0])
        for name, dot in dots.items():
            dot.set_data([at], [values[name][k]])

    move(train_time)
    return Moving(rise, move, [line, *dots.values()])


def _scale_right(ax: Axes) -> None:
    """The scale of the share at the right end: cheaper than axes of its own."""
    ax.spines["right"].set_visible(True)
    size = matplotlib.rcParams["ytick.labelsize"]
    for value, text in ((0.0, "0"), (0.5, "½"), (1.0, "1")):
        ax.plot([1.0], [FULL * value], marker=0, color="black", transform=ax.transAxes, clip_on=False)
        ax.annotate(
            text,
            (1.0, FULL * value),
            xycoords="axes fraction",
            xytext=(0.5 * size, 0),
            textcoords="offset points",
            va="center",
            size=size,
        )
    ax.annotate(
        "share learned",
        (1.0, 0.5 * FULL),
        xycoords="axes fraction",
        xytext=(1.7 * size, 0),
        textcoords="offset points",
        rotation=90,
        va="center",
    )
