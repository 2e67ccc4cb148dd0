"""Room around a panel: what stands outside the axes, measured before it is placed so that nothing overlaps."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, MaxNLocator
from matplotlib.transforms import Affine2D, ScaledTranslation, blended_transform_factory

from rfsim.plotting.looks import MARKER_COLOR
from rfsim.plotting.style import in_style


def text_width(text: str, size: float) -> float:
    """Width of a line of text or mathtext in points, in the style in force.

    Digits are of one width, so that texts which differ in them alone are measured once.
    """
    fonts = tuple(matplotlib.rcParams["font.family"]), matplotlib.rcParams["mathtext.fontset"]
    return _text_width(re.sub(r"\d", "0", text), size, fonts) if text.strip() else 0.0


@functools.lru_cache(256)
def _text_width(text: str, size: float, fonts: tuple[tuple[str, ...], str]) -> float:
    """`text_width` under those fonts, the settings' own: mathtext is parsed and traced for it."""
    return TextPath((0, 0), text, prop=FontProperties(size=size)).get_extents().width


PLAIN = {
    r"\tau": "τ", r"\lambda": "λ", r"\rho": "ρ", r"\psi": "ψ", r"\gamma": "γ", r"\sigma": "σ", r"\star": "⋆",
    r"\ln": "ln ", r"\times ": "×", r"\infty": "∞", r"\to": "→", r"\,": " ", r"\_": "_",
}  # fmt: skip
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain_text(text: str) -> str:
    r"""Mathtext as plain text: what a figure shows that is drawn while somebody waits.

    Args:
        text: With mathtext between dollar signs.

    Returns:
        The text without.

    >>> plain_text(r"$L_\mathrm{train}$"), plain_text(r"at $\lambda=2\times 10^{-3}$, $d\to\infty$")
    ('L train', 'at λ=2×10⁻³, d→∞')
    """
    if "$" not in text:
        return text
    text = re.sub(r"10\^\{(-?\d+)\}", lambda found: "10" + found[1].translate(SUPERSCRIPTS), text)
    text = re.sub(r"\^\\mathrm\{\\,([^}]*)\}", r" (\1)", text)
    text = re.sub(r"_\\mathrm\{([^}]*)\}", r" \1", text)
    text = re.sub(r"\\mathrm\{([^}]*)\}", r"\1", text)
    for mathtext, plain in PLAIN.items():
        text = text.replace(mathtext, plain)
    return re.sub(r" +", " ", text.translate(str.maketrans("", "", "${}")))


def plain(ax: Axes, most: int = 6) -> None:
    """Turn a panel into a picture for somebody who waits for it: plain text, few ticks.

    Limits must not change any more. Mathtext is parsed anew for every picture, in nearly half of its time; and every
    tick of an axis is four artists, where one line holds all.

    Args:
        ax: Axes, drawn.
        most: About how many ticks each axis keeps at most, none between them.
    """
    legend = ax.get_legend()
    for text in (ax.xaxis.label, ax.yaxis.label, *ax.texts, *(legend.get_texts() if legend else ())):
        text.set_text(plain_text(text.get_text()))
    size, length = matplotlib.rcParams["xtick.labelsize"], matplotlib.rcParams["xtick.major.size"]
    pad = length + matplotlib.rcParams["xtick.major.pad"]
    look: dict[str, Any] = {"linestyle": "", "color": "black", "markersize": length, "clip_on": False}
    across, along = _few_ticks(ax.xaxis, most), _few_ticks(ax.yaxis, most)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks([])
        axis.set_ticks([], minor=True)
    foot, side = ax.get_xaxis_transform(), ax.get_yaxis_transform()
    ax.plot(list(across), [0] * len(across), marker=TICKDOWN, transform=foot, scalex=False, scaley=False, **look)
    ax.plot([0] * len(along), list(along), marker=TICKLEFT, transform=side, scalex=False, scaley=False, **look)
    below, left = shift(ax, up=-pad), shift(ax, right=-pad)
    for at, text in across.items():
        ax.text(at, 0, text, transform=foot + below, ha="center", va="top", size=size)
    for at, text in along.items():
        ax.text(0, at, text, transform=side + left, ha="right", va="center", size=size)
    ax.xaxis.set_label_coords(0.5, 0, transform=ax.transAxes + shift(ax, up=-pad - 1.4 * size))
    widest = max((len(text) for text in along.values()), default=0)  # a digit is 0.6 of the font size wide
    beside = shift(ax, right=-pad - (0.6 * widest + 0.3) * size)
    ax.yaxis.set_label_coords(0, 0.5, transform=ax.transAxes + beside)


def _few_ticks(axis: Axis, most: int) -> dict[float, str]:
    """Where ticks stand, and their labels: on a log axis powers of ten, or 1, 2, 5 where there are fewer than two."""
    low, high = sorted(axis.get_view_interval())
    locator = axis.get_major_locator()
    if axis.get_scale() != "log":
        found = MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high)
        ticks = [float(tick) for tick in found if low <= tick <= high]
        return {tick: f"{tick:g}" for tick in ticks}
    if isinstance(locator, FixedLocator):  # left of a break there are none
        low = min([tick for tick in locator() if tick > low], default=high)
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    ticks = [10.0**k for k in range(first, last + 1, max(1, math.ceil((last - first + 1) / most)))]
    if len(ticks) < 2:
        ticks = [m * 10.0**k for k in range(first - 1, last + 1) for m in (1, 2, 5) if low <= m * 10.0**k <= high]
    return {tick: _power(tick) for tick in ticks}


def _power(tick: float) -> str:
    """A tick of a log axis: a power of ten as one, others as they are."""
    exponent = math.log10(tick)
    if abs(exponent - round(exponent)) > 1e-9:
        return f"{tick:g}"
    return f"10{str(round(exponent)).translate(SUPERSCRIPTS)}"


def wrap(pieces: Sequence[str], size: float, width: float) -> str:
    """Pieces joined by commas in as few lines as fit.

    Args:
        pieces: Texts or mathtext.
        size: Of the font, in points.
        width: Of a line, in points.

    Returns:
        The lines in one text.
    """
    comma = text_width("x, x", size) - 2 * text_width("x", size)
    lines: list[str] = []
    taken = 0.0
    for piece in pieces:
        own = text_width(piece, size)  # of pieces alone, which recur: mathtext takes long to measure
        fits = bool(lines) and taken + comma + own <= width
        taken = taken + comma + own if fits else own
        if fits:
            lines[-1] += f", {piece}"
        else:
            lines.append(piece)
    return ",\n".join(lines)


def share_axis(upper: Axes, lower: Axes) -> bool:
    """Take numbers and name of the x-axis from `upper` where `lower`, right below it, has the same; whether it has."""
    same = upper.get_xlabel() == lower.get_xlabel() and upper.get_xscale() == lower.get_xscale()
    if not (same and upper.get_xlim() == lower.get_xlim()):
        return False
    upper.set_xlabel("")
    upper.tick_params(axis="x", which="both", labelbottom=False)
    return True


def figure_of(ax: Axes) -> Figure:
    """The figure that holds `ax`."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure; make them with canvas")
    return figure


def shift(ax: Axes, *, right: float = 0.0, up: float = 0.0) -> ScaledTranslation:
    """Moves things by points, whatever the resolution."""
    return ScaledTranslation(right / 72, up / 72, cast(Any, figure_of(ax).dpi_scale_trans))


def inner_width(ax: Axes) -> float:
    """Width in points that the layout will leave to the axes: their columns, less room for labels."""
    spec, whole = ax.get_subplotspec(), figure_of(ax).get_size_inches()[0] * 72
    if spec is None:
        return ax.get_position().width * whole
    levels = {spec, spec.get_topmost_subplotspec()}  # a grid may stand in a place of another
    share = math.prod(len(one.colspan) / one.get_gridspec().ncols for one in levels)
    return whole * share - 6.5 * matplotlib.rcParams["font.size"]


class Flag(NamedTuple):
    """A vertical line over the whole panel at x, with its name above; dash is a matplotlib line style."""

    x: float
    name: str
    dash: Any


@in_style
def flags_above(ax: Axes, flags: Sequence[Flag]) -> float:
    """Draw `flags` whose x lies inside the log x-axis; returns how far they rise above the axes, in points.

    Going from right to left, a flag that would cover the pole of the one before flies a row higher: no two overlap.
    """
    low, high = ax.get_xlim()
    size = matplotlib.rcParams["legend.fontsize"]
    row_height = 1.3 * size
    per_decade = inner_width(ax) / math.log10(high / low)
    # x in data, y in points above the axes: the top edge is where transAxes takes (0, 1)
    above = Affine2D().scale(1 / 72) + figure_of(ax).dpi_scale_trans + ScaledTranslation(0, 1, cast(Any, ax.transAxes))
    pole = blended_transform_factory(ax.transData, above)
    free_until: list[float] = []
    for at, text, dash in sorted((flag for flag in flags if low < flag.x < high), key=lambda flag: -flag.x):
        start = math.log10(at) * per_decade
        end = start + text_width(text, size) + 0.5 * size
        row = next((k for k, limit in enumerate(free_until) if end <= limit), len(free_until))
        # poles of higher flags pass every lower row: from here on nothing may reach across this one
        free_until[: row + 1] = [start] * (row + 1)
        thin = {"color": MARKER_COLOR, "linewidth": 0.6 * matplotlib.rcParams["lines.linewidth"], "linestyle": dash}
        ax.axvline(at, zorder=0.5, **thin)
        ax.add_artist(Line2D([at, at], [0, (row + 0.9) * row_height], transform=pole, clip_on=False, **thin))
        beside = pole + shift(ax, right=0.2 * size)
        ax.text(at, (row + 0.15) * row_height, text, transform=beside, fontsize=size, va="bottom")
    return len(free_until) * row_height


@in_style
def broken_axis(ax: Axes, limits: tuple[float, float], zero_at: float) -> tuple[float, float]:
    """Room for λ = 0 left of a log axis: no ticks there, a 0 below it, a break between; returns the new limits."""
    low, high = limits
    ax.set_xlim(low, high)
    for minor in (False, True):
        ticks = ax.xaxis.get_ticklocs(minor=minor)
        (ax.xaxis.set_minor_locator if minor else ax.xaxis.set_major_locator)(
            FixedLocator([t for t in ticks if low <= t <= high])
        )
    size = matplotlib.rcParams["xtick.labelsize"]
    foot = ax.get_xaxis_transform()
    pad = matplotlib.rcParams["xtick.major.size"] + matplotlib.rcParams["xtick.major.pad"]
    ax.annotate(
        "0", (zero_at, 0), xycoords=foot, xytext=(0, -pad), textcoords="offset points", ha="center", va="top", size=size
    )
    for nudge in (-0.15 * size, 0.15 * size):
        stroke = [(-0.5, -1), (0.5, 1)]
        ax.plot([low], [0], marker=stroke, color="black", transform=foot + shift(ax, right=nudge), clip_on=False)
    return zero_at * (low / high) ** 0.05, high
