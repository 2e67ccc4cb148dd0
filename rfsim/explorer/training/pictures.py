"""The two pictures of the first tab: the spectrum with what is learned of it, the losses with the time that is now.

Drawn while somebody waits: their room is fixed instead of fitted, and their text is plain. As fitted mathtext the two
took five times as long.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import RendererSVG

from rfsim.explorer.cache import ResultCache
from rfsim.explorer.parts import Layout, Picture
from rfsim.explorer.reading import short
from rfsim.explorer.training import numbers
from rfsim.explorer.training.controls import TrainingChoice
from rfsim.explorer.training.letters import LETTERS
from rfsim.explorer.training.numbers import TrainingNumbers, shared, value
from rfsim.plotting import (
    STYLES,
    Drawing,
    Moving,
    learned_panel,
    marked_loss_panel,
    plain,
    plain_text,
    problem_line,
    styled,
)

QUANTITIES = ("train", "test", "gen")
KEPT = 20  # figures of about 1 MB


class VectorSize(NamedTuple):
    """How a picture is laid out: style of letters and lines, width and height in cm."""

    style: str
    width: float
    height: float


class Film(NamedTuple):
    """A figure, and what moves it to another training time."""

    figure: Drawing
    move: Callable[[float], None]


class MovingPicture(NamedTuple):
    """A picture whose `moving` artists alone are drawn anew: `still` is the SVG of all others, without its end."""

    figure: Drawing
    still: str
    moving: Sequence[Artist]
    move: Callable[[float], None]


SIZES: dict[Layout, VectorSize] = {"narrow": VectorSize("screen", 8.6, 9.0), "wide": VectorSize("talk", 15.5, 10.0)}
FILM = VectorSize("talk", 28.0, 11.0)
# around the axes, in units of the font size; above them beside their legend, and with a title over it
LEFT, RIGHT, BOTTOM, TOP, TITLED = 5.2, 4.0, 3.6, 0.6, 4.2


def pictures(shown: TrainingNumbers, layout: Layout) -> tuple[Picture, ...]:
    """Spectrum and losses, as SVG."""
    with styled(SIZES[layout].style):  # other threads wait: none moves a figure that this one draws
        keys = [Key(shared(shown.choice), name, layout) for name in PANELS]
        return tuple(_picture(shown, key.name, KEPT_FIGURES.get(key)) for key in keys)


def _picture(shown: TrainingNumbers, name: str, kept: MovingPicture) -> Picture:
    kept.move(shown.choice.train_time)
    moved, start = _svg(kept.figure, kept.moving)
    return Picture(name, "image/svg+xml", (kept.still + moved[start:]).encode(), ALTS[name](shown))


class Key(NamedTuple):
    """What a picture is of, whatever the training time."""

    choice: TrainingChoice
    name: str
    layout: Layout


def draw(key: Key) -> MovingPicture:
    """The picture of that name, "spectrum" or "losses", all but what moves drawn once."""
    style, width, height = SIZES[key.layout]
    with styled(style):
        figure = Drawing(style, width, height)
        figure.set_layout_engine("none")
        figure.set_dpi(72)  # SVG's own, so that points are its units
        move, moving = _placed(figure, key.name, numbers.shown(key.choice))
        for one in moving:
            one.set_animated(True)  # left out when the figure is drawn
        still, _ = _svg(figure, [figure])
    return MovingPicture(figure, still.removesuffix(END), moving, move)


KEPT_FIGURES = ResultCache(draw, KEPT)


def film(shown: TrainingNumbers) -> Film:
    """Both pictures side by side under the training time, to be moved along it."""
    style, width, height = FILM
    with styled(style):
        figure = Drawing(style, width, height)
        figure.set_layout_engine("none")
        moves = [_placed(figure, name, shown, k, len(PANELS))[0] for k, name in enumerate(PANELS)]
        title = figure.text(0.01, 0.98, "", va="top")
        setting = plain_text(", ".join(problem_line(shown.curves)))  # a film is shown where no controls stand beside it

    def move(train_time: float) -> None:
        title.set_text(f"training time τ = {value(train_time).text}\n{setting}")
        for one in moves:
            one(train_time)

    return Film(figure, move)


def _placed(
    figure: Drawing, name: str, shown: TrainingNumbers, column: int = 0, columns: int = 1
) -> tuple[Callable[[float], None], Sequence[Artist]]:
    """Draw one panel into its column, with fixed room around it and above it what its legend takes.

    What moves it, and the artists that then move.
    """
    em, tall = STYLES[figure.style]["font.size"] / 72, figure.get_figheight()
    across, up = em / figure.get_figwidth(), em / tall
    room = column / columns + LEFT * across, BOTTOM * up, 1 / columns - (LEFT + RIGHT) * across
    ax = figure.add_axes((*room, 0.5))
    rise, move, moving = PANELS[name](ax, shown)
    above = TOP if columns == 1 else TITLED
    ax.set_position((*room, 1 - (BOTTOM + above) * up - rise / 72 / tall))
    plain(ax)
    return move, moving


END = "</svg>\n"


def _svg(figure: Drawing, artists: Sequence[Artist]) -> tuple[str, int]:
    """These artists as an SVG of the figure's size, and where its head ends; equal artists give equal text."""
    # ids in the text are random numbers without a salt; equal ids are of equal things
    with io.StringIO() as file, matplotlib.rc_context({"svg.hashsalt": "rfsim"}):
        width, height = figure.get_size_inches() * figure.dpi
        renderer = RendererSVG(width, height, file, metadata={"Date": None, "Creator": None})
        renderer._text2path = LETTERS
        renderer.writer.flush()
        start = file.tell()
        for one in artists:
            one.draw(renderer)
        renderer.finalize()
        return file.getvalue(), start


def _spectrum(ax: Axes, shown: TrainingNumbers) -> Moving:
    labels = {
        name: f"{name} {mass:.3g}, τ {short(float(f'{time:.2g}'))}".replace("inf", "∞")
        for name, mass, time in zip(shown.names, shown.curves.mass.values, shown.part_times, strict=True)
    }
    return learned_panel(ax, shown.curves, shown.share, shown.choice.train_time, labels=labels)


def _losses(ax: Axes, shown: TrainingNumbers) -> Moving:
    return marked_loss_panel(ax, shown.curves, shown.choice.train_time, QUANTITIES)


PANELS: dict[str, Callable[[Axes, TrainingNumbers], Moving]] = {"spectrum": _spectrum, "losses": _losses}


def _spectrum_alt(shown: TrainingNumbers) -> str:
    data = shown.curves
    learned = shown.share(data["mean"].values, shown.choice.train_time)
    parts = [
        f"{name} with mass {value(mass).text} from {value(lower).text} to {value(upper).text}, "
        f"{100 * float(share):.0f}% learned at its mean"
        for name, mass, lower, upper, share in zip(
            shown.names, data.mass.values, data.lower.values, data.upper.values, learned, strict=True
        )
    ]
    return f"Spectrum of U at training time {value(shown.choice.train_time).text}: {'; '.join(parts)}."


def _losses_alt(shown: TrainingNumbers) -> str:
    now = shown.curves.sel(train_time=shown.choice.train_time)
    values = ", ".join(f"L_{name} {value(now[name]).text}" for name in QUANTITIES)
    return f"Losses over training time; at {value(shown.choice.train_time).text}: {values}."


ALTS: dict[str, Callable[[TrainingNumbers], str]] = {"spectrum": _spectrum_alt, "losses": _losses_alt}
