"""The three pictures of the second tab: samples in the plane, leakage over the ridge, transfer between parts."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from rfsim.explorer.distillation.numbers import PARTS, DistillationNumbers, Model, dim, value
from rfsim.explorer.distillation.systems import PLANE, RIDGES
from rfsim.explorer.parts import Layout, Picture
from rfsim.plotting import (
    STYLES,
    Drawing,
    cloud_legend,
    cloud_panel,
    leakage_panel,
    legend_below,
    problem_line,
    styled,
    transfer_bar,
    transfer_panel,
    wrap,
)
from rfsim.plotting.style import number
from rfsim.problem.activations import activation

T = TypeVar("T")
REACH = 1.1  # of the squares, over the farthest coordinate of a training point
LATELY = 200  # pictures of 40 to 130 kB
FIGURES = 24  # of 4 MB each: two layouts of what three teachers and three numbers of points need
# what figures are laid out with, whatever is shown first: the highest line, the longest name
TALL, LONGEST = r"$d=20$, $\tau=10^{8}$", RIDGES[1]
ODD = activation(PLANE["activation"]).odd


class RasterSize(NamedTuple):
    """How a picture is laid out: style of letters and lines; width and height in cm; dots per inch."""

    style: str
    width: float
    height: float
    dpi: int


SIZES: dict[tuple[str, Layout], RasterSize] = {
    ("samples", "narrow"): RasterSize("screen", 9.5, 12.4, 200),
    ("samples", "wide"): RasterSize("talk", 18.5, 21.0, 130),
    ("leakage", "narrow"): RasterSize("screen", 9.5, 8.0, 200),
    ("leakage", "wide"): RasterSize("talk", 18.5, 11.5, 130),
    ("transfer", "narrow"): RasterSize("screen", 9.5, 7.5, 200),
    ("transfer", "wide"): RasterSize("talk", 18.5, 11.5, 130),
}


class MovingFigure:
    """A figure whose `moving` artists alone are drawn anew; the rest is laid out and drawn once."""

    def __init__(self, figure: Drawing, moving: Sequence[Artist]) -> None:
        """figure: as it is drawn first; it is laid out."""
        self.figure, self._moving = figure, sorted(moving, key=lambda one: one.get_zorder())
        self._canvas = FigureCanvasAgg(figure)
        for one in moving:
            one.set_animated(True)
        self._canvas.draw()
        self._rest = self._canvas.copy_from_bbox(figure.bbox)

    def image(self) -> Image.Image:
        """The figure as it is now."""
        self._canvas.restore_region(self._rest)
        for one in self._moving:
            self.figure.draw_artist(one)
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")


class Sheet:
    """The picture of samples: one figure, whose dots move within a square of half-width `reach`."""

    def __init__(self, layout: Layout, reach: float, *, whole: bool = False) -> None:
        """whole: name every setting, for where no controls stand beside the picture."""
        self.figure, self.reach, self._whole = _figure("samples", layout), reach, whole
        with styled(self.figure.style):
            self._axes = list(self.figure.subplots(2, 2, sharex=True, sharey=True).flat)
            self._moves = [cloud_panel(ax, mirrored=ODD) for ax in self._axes]
            for ax in self._axes:
                ax.label_outer()
                ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
            self._heads = [ax.set_title("\n\n\n", loc="left", y=1.02) for ax in self._axes]
            handles = cloud_legend(mirrored=ODD)
            legend_below(self.figure, handles, handle_length=1.0)
            lines = 3 if whole else 1 if layout == "wide" else 2
            self._title = self.figure.suptitle("\n".join([TALL] * lines), x=0.01, ha="left")
            _laid_out(self.figure)

    @property
    def moving(self) -> list[Artist]:
        """What `move` changes."""
        return [*(line for ax in self._axes for line in ax.lines), *self._heads, self._title]

    def move(self, shown: DistillationNumbers) -> None:
        """Show the samples of another choice with the same training points."""
        drawn = [(one, one.cloud) for one in shown.models if one.cloud]
        for head, move, (one, cloud) in zip(self._heads, self._moves, drawn, strict=True):
            head.set_text(_headline(one, move(*cloud, shown.points, self.reach)))
        size, room = STYLES[self.figure.style]["font.size"], 0.98 * 72 * self.figure.get_figwidth()
        self._title.set_text(wrap(_setting(shown, whole=self._whole), size, room))


def reach(shown: DistillationNumbers) -> float:
    """Half the width of the squares that hold the training points."""
    return REACH * float(np.abs(shown.points).max())


class Pictures:
    """Draws for all sessions.

    Laying a figure out and drawing its axes takes most of the time, so that figures are kept and moved, by one thread
    at a time (`styled`); the last pictures are kept as well.
    """

    def __init__(self) -> None:
        self._figures: OrderedDict[Hashable, tuple[MovingFigure, Callable[[DistillationNumbers], None]]] = OrderedDict()
        self._lately: OrderedDict[Hashable, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def all(self, shown: DistillationNumbers, layout: Layout) -> tuple[Picture, ...]:
        """All three, as PNG: thousands of dots are drawn faster than written."""
        choice = shown.choice
        taught = choice.teacher_time, choice.parameterization
        return (
            self._drawn("samples", (layout, choice.samples), choice[:-1], shown),
            self._drawn("leakage", (layout, *taught), (choice.ridge,), shown),
            self._drawn("transfer", (layout, *taught), (choice.ridge, choice.level), shown),
        )

    def _drawn(
        self, name: str, figure: tuple[Layout, *tuple[Any, ...]], rest: tuple, shown: DistillationNumbers
    ) -> Picture:
        """A picture that was drawn lately, or is drawn now on the figure of that key."""
        key = name, figure, rest
        with self._lock:
            if key in self._lately:
                self._lately.move_to_end(key)
                return self._lately[key]
        layout = figure[0]
        with styled(SIZES[name, layout].style):
            if (name, figure) not in self._figures:
                _keep(self._figures, (name, figure), DRAW[name](shown, layout), FIGURES)
            kept, move = self._figures[name, figure]
            move(shown)
            drawn = kept.image()
        found = Picture(name, "image/png", png(drawn), ALTS[name](shown))
        with self._lock:
            _keep(self._lately, key, found, LATELY)
        return found


def _samples(shown: DistillationNumbers, layout: Layout) -> tuple[MovingFigure, Callable[[DistillationNumbers], None]]:
    """Teacher and student, each in one step and in all, beside the training points."""
    sheet = Sheet(layout, reach(shown))
    return MovingFigure(sheet.figure, sheet.moving), sheet.move


def _leakage(shown: DistillationNumbers, layout: Layout) -> tuple[MovingFigure, Callable[[DistillationNumbers], None]]:
    """Leakage over γ, the chosen one marked."""
    figure = _figure("leakage", layout)
    ax = figure.subplots()
    move = leakage_panel(ax, shown.crossed.expand_dims("seed"), chosen=LONGEST)
    figure.suptitle(f"$d={dim(shown)}$: what gen hands up, and where it lands", x=0.01, ha="left")
    _laid_out(figure)
    moving = [*ax.lines, *ax.collections, *([ax.get_legend()] if ax.get_legend() else [])]
    return MovingFigure(figure, moving), lambda now: move(now.choice.ridge)


def _transfer(shown: DistillationNumbers, layout: Layout) -> tuple[MovingFigure, Callable[[DistillationNumbers], None]]:
    """Where what each part hands up lands, at the chosen γ and level."""
    figure, choice = _figure("transfer", layout), shown.choice
    ax, times = figure.subplots(), shown.crossed.diffusion_time.values
    over = transfer_panel(ax, shown.crossed.expand_dims("seed"), choice.ridge, choice.level)
    transfer_bar(figure, [ax])
    title = figure.suptitle(TALL, x=0.01, ha="left")
    _laid_out(figure)

    def move(now: DistillationNumbers) -> None:
        ridge, level = now.choice.ridge, now.choice.level
        over(ridge, level)
        step = rf"$t={number(times[level - 1])}\to{number(times[level])}$"
        title.set_text(rf"$d={dim(shown)}$, {step}: shares at $\gamma={number(ridge)}$")

    return MovingFigure(figure, [*ax.images, *ax.texts, title]), move


def _keep(held: OrderedDict[Hashable, T], key: Hashable, value: T, most: int) -> None:
    """Put a value last; what was not used for longest goes."""
    held[key] = value
    held.move_to_end(key)
    while len(held) > most:
        held.popitem(last=False)


def _laid_out(figure: Drawing) -> None:
    """Lay a figure out, once: its axes stay where they are, whatever is shown in them afterwards."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def png(drawn: Image.Image) -> bytes:
    """A picture as the bytes of a PNG."""
    with io.BytesIO() as file:
        drawn.save(file, "PNG", compress_level=2)
        return file.getvalue()


def _figure(name: str, layout: Layout) -> Drawing:
    size = SIZES[name, layout]
    figure = Drawing(size.style, size.width, size.height)
    figure.set_dpi(size.dpi)
    return figure


def _headline(one: Model, outside: int) -> str:
    share, distance = (one.measures[name] for name in ("memorized_fraction", "sliced_wasserstein"))
    # no mathtext, which takes 10 ms to set; lines so short that two stand side by side on a phone
    last = f"\n{outside} outside" if outside else ""
    return f"{one.words}\n{100 * share:.3g}% memorized\nsliced W₂ {distance:.3g}{last}"


def _setting(shown: DistillationNumbers, *, whole: bool) -> list[str]:
    """Pieces of the title; the ridge is the shown student's."""
    choice = shown.choice
    own = [rf"$\gamma={number(choice.ridge)}$", rf"$\tau_S={number(choice.distill_time)}$"]
    if whole:
        return [*(piece for piece in problem_line(shown.plane) if r"\gamma" not in piece), *own]
    teacher, student = rf"teacher $\tau={number(choice.teacher_time)}$", f"student {choice.parameterization}"
    return ["$d=2$", f"$n={choice.samples}$", teacher, student, *own]


def _samples_alt(shown: DistillationNumbers) -> str:
    found = ", ".join(
        f"{one.words}: {value(one.measures['memorized_fraction']).text}" for one in shown.models if one.cloud
    )
    return f"Samples in the plane beside {len(shown.points)} training points; share memorized by {found}."


def _leakage_alt(shown: DistillationNumbers) -> str:
    own = shown.crossed.leakage_all.sel(ridge=shown.choice.ridge, part="gen")
    star = value(shown.crossed.gamma_star).text
    return (
        f"Leakage of gen against the ridge: {value(own).text} at the chosen {shown.choice.ridge:g}; the least ridge "
        f"below the threshold is {star}."
    )


def _transfer_alt(shown: DistillationNumbers) -> str:
    own = shown.crossed.transfer.sel(ridge=shown.choice.ridge, level=shown.choice.level)
    own = own.assign_coords(source=shown.crossed.part.values)
    stays = ", ".join(f"{part} {value(own.sel(source=part, part=part)).text}" for part in PARTS)
    return f"Transfer between parts at level {shown.choice.level}; what stays in its part: {stays}."


ALTS = {"samples": _samples_alt, "leakage": _leakage_alt, "transfer": _transfer_alt}
DRAW = {"samples": _samples, "leakage": _leakage, "transfer": _transfer}
