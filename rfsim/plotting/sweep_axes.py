"""Axes of a sweep: where every value of a parameter stands, 0 and ∞ beside a broken axis, and what it is called."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from rfsim.maps import scales
from rfsim.maps.names import long_name, text_of
from rfsim.plotting.looks import LOSS_LOOKS, MODEL_LOOKS
from rfsim.plotting.samples import MEASURES
from rfsim.plotting.style import number
from rfsim.plotting.symbols import symbol_of
from rfsim.plotting.ticks import between

GAP = 0.35  # of a cell's width, between an axis and its 0 or ∞
SYMBOL = re.compile(r"\b([^\W\d_])_(\w+)|\b([α-ωΑ-Ω])\b")


class Scale(NamedTuple):
    """Where values stand on an axis.

    Attributes:
        name: Of the parameter.
        label: Of the axis, mathtext.
        log: Whether it is logarithmic.
        at: Where each value stands, (values,).
        edges: Of all cells, gaps between too, ascending.
        cells: Which of the intervals between edges is whose, (values,).
        beside: Values that stand outside, position → text.
        ends: Of the axis proper.
    """

    name: str
    label: str
    log: bool
    at: NDArray[np.float64]
    edges: NDArray[np.float64]
    cells: NDArray[np.intp]
    beside: dict[float, str]
    ends: tuple[float, float]

    def spread(self, values: NDArray, axis: int, empty: Any) -> NDArray:
        """Values along `axis` put in their intervals, `empty` in the gaps."""
        shape = list(values.shape)
        shape[axis] = self.edges.size - 1
        found = np.full(shape, empty, dtype=values.dtype)
        found[(slice(None),) * axis + (self.cells,)] = values
        return found

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which values stand on the axis proper."""
        return ~np.isin(self.at, list(self.beside))


def scale_of(axis: xr.DataArray) -> Scale:
    """The scale of a coordinate in increasing order: of numbers, log where they call for it, or of texts in a row."""
    values, name = axis.values, str(axis.name)
    label = words(long_name(axis))
    if values.dtype.kind not in "fiu":
        places = np.arange(values.size, dtype=float)
        texts = dict(zip(places.tolist(), map(plain, values.tolist()), strict=True))
        ends = np.arange(-0.5, values.size)
        return Scale(name, label, False, places, ends, np.arange(values.size), texts, (math.inf, -math.inf))
    values = values.astype(float)
    log = scales.logarithmic(values)
    proper = np.isfinite(values) & ((values > 0) if log else True)
    ends = np.log(scales.edges(values[proper], log=True)) if log else scales.edges(values[proper], log=False)
    limits = ends[0], ends[-1]
    width = (limits[1] - limits[0]) / (ends.size - 1)
    at = np.log(values, where=proper, out=np.zeros_like(values)) if log else values.copy()
    below, above = np.flatnonzero(~proper & (values <= 0)), np.flatnonzero(~proper & (values > 0))
    if below.size:  # 0, or -inf
        ends = np.concatenate([limits[0] - np.array([1 + GAP, GAP]) * width, ends])
        at[below] = limits[0] - (0.5 + GAP) * width
    if above.size:
        ends = np.concatenate([ends, limits[1] + np.array([GAP, 1 + GAP]) * width])
        at[above] = limits[1] + (0.5 + GAP) * width
    cells = np.searchsorted(ends, at, side="right") - 1
    if log:
        at, ends, limits = np.exp(at), np.exp(ends), tuple(np.exp(limits))
        at[proper] = values[proper]  # without rounding
    beside = {float(at[k]): rf"${number(values[k])}$" for k in (*below, *above)}
    return Scale(name, label, log, at, ends, cells, beside, (float(limits[0]), float(limits[1])))


def dress(ax: Axes, scale: Scale, axis: str, *, label: bool = True) -> None:
    """Scale, limits, ticks and name of one axis of a panel, "x" or "y"."""
    ax.set(**{f"{axis}scale": "log" if scale.log else "linear"})
    ax.set(**{f"{axis}lim": (scale.edges[0], scale.edges[-1])})
    side = ax.xaxis if axis == "x" else ax.yaxis
    major, minor = _ticks(scale)
    side.set_major_locator(FixedLocator([*major, *scale.beside]))
    side.set_minor_locator(FixedLocator(minor))
    side.set_major_formatter(FuncFormatter(lambda value, _: scale.beside.get(value, tick(value, log=scale.log))))
    side.set_minor_formatter(NullFormatter())
    if label:
        ax.set(**{f"{axis}label": scale.label})


def _ticks(scale: Scale) -> tuple[list[float], list[float]]:
    """Ticks with and without a number, on the axis proper."""
    low, high = scale.ends
    own = scale.at[scale.inside]
    if not own.size:
        return [], []
    # few points are their own ticks, as far as their numbers are short
    if own.size <= 8 and all(len(f"{one:g}") <= 4 for one in own):
        return own.tolist(), []
    if not scale.log:
        inside = [float(one) for one in MaxNLocator(6).tick_values(low, high) if low <= one <= high]
        return inside if len(inside) > 1 else between(low, high, log=False), []
    twos = np.log2(own[[0, -1]])
    if np.all(np.abs(twos - np.round(twos)) < 1e-9) and high < 2**12 * low:
        every = 1 + int(np.ptp(np.round(twos))) // 8
        return [2.0**k for k in range(round(twos[0]), round(twos[1]) + 1, every)], []
    steps = (1.0, 2.0, 5.0) if high < 30 * low else (1.0, 3.0) if high < 1e3 * low else (1.0,)
    major, minor = (LogLocator(subs=list(some), numticks=8).tick_values(low, high) for some in (steps, range(1, 10)))
    inside = [[float(one) for one in ticks if low <= one <= high] for ticks in (major, minor)]
    return inside[0] if len(inside[0]) > 1 else between(low, high, log=True), inside[1]


def tick(value: float, *, log: bool = False) -> str:
    """A number at an axis: plain where it is short, else with a power of ten; on log axes from 10³ on.

    >>> tick(1000.0), tick(1000.0, log=True), tick(0.1)
    ('1000', '$10^{3}$', '0.1')
    """
    if log and value >= 1e3:
        return f"${_power(value)}$"
    return f"{value:g}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"${number(value)}$"


def quantity_label(one: xr.DataArray, labels: Sequence[str] = ()) -> str:
    """What the colors or the vertical axis show; labels: of the dimensions of its own."""
    name = str(one.name)
    if name in LOSS_LOOKS:
        return f"{LOSS_LOOKS[name].label} per dimension"
    if measures := [MEASURES[one] for one in labels if one in MEASURES]:
        whose = MODEL_LOOKS[name].label if name in MODEL_LOOKS else plain(name)
        return ", ".join([whose, *measures, *(plain(one) for one in labels if one not in MEASURES)])
    return ", ".join([words(long_name(one)), *map(plain, labels)])


def assigned(name: str, value: Any) -> str:
    r"""A parameter and its value, in the papers' symbol where it has one.

    Args:
        name: Of the parameter.
        value: A number, or anything whose text is shown.

    Returns:
        Mathtext.

    >>> assigned("train_time", 1e4), assigned("part", "gen"), assigned("seed", 3)
    ('$\\tau=10^{4}$', 'part gen', 'seed 3')
    """
    known = symbol_of(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        shown = plain(value)
        return rf"${known}=\mathrm{{{shown}}}$" if known else f"{plain(name)} {shown}"
    if not known:
        return f"{plain(name)} {text_of(float(value)) if float(value).is_integer() else f'${number(value)}$'}"
    return rf"${known}={_power(value)}$"


def symbol(name: str) -> str:
    """A parameter by its symbol in the papers, or by its name."""
    known = symbol_of(name)
    return f"${known}$" if known else plain(name)


def _power(value: float) -> str:
    """`number`, with large round ones as powers of ten."""
    digits, _, exponent = f"{value:.3e}".partition("e")
    whole = math.isfinite(value) and value >= (1e3 if float(digits) == 1 else 1e4) and float(digits).is_integer()
    mantissa = "" if float(digits) == 1 else rf"{round(float(digits))}\times " if whole else ""
    return rf"{mantissa}10^{{{int(exponent)}}}" if whole else number(value)


def contour_words(name: str) -> str:
    r"""A level line as the legend has it.

    Args:
        name: QUANTITY = LEVEL.

    Returns:
        Mathtext.

    >>> contour_words("gen = 0.1"), contour_words("tau_mem[curve] = train_time")
    ('$L_\\mathrm{gen}$ = 0.1', '$\\tau_{\\mathrm{mem}}$ (curve) = $\\tau$')
    """
    return " = ".join(map(_side, name.split(" = ")))


def _side(text: str) -> str:
    name, _, labels = text.removesuffix("]").partition("[")
    own = f" ({plain(labels)})" if labels else ""
    if name in LOSS_LOOKS:
        return LOSS_LOOKS[name].label + own
    if symbol_of(name):
        return symbol(name)
    if name.startswith("tau_"):
        return rf"$\tau_{{\mathrm{{{plain(name[4:])}}}}}$" + own
    return plain(name) + own


def plain(value: Any) -> str:
    """A text that is no mathtext: names may hold anything, and what the fonts lack becomes "?"."""
    shown = str(value).replace("_", " ").encode("latin-1", "replace").decode("latin-1").replace("\n", " ")
    return (shown if len(shown) <= 28 else shown[:27] + "…").replace("$", r"\$")


def words(text: str) -> str:
    r"""A long name with its symbols set: ψ_n and L_gen as they are in the papers.

    Args:
        text: The name.

    Returns:
        Mathtext.

    >>> words("samples per dimension ψ_n"), words("L_gen")
    ('samples per dimension $ψ_{n}$', '$L_{\\mathrm{gen}}$')
    """

    def symbol(found: re.Match[str]) -> str:
        if found[3]:
            return f"${found[3]}$"
        low = found[2] if len(found[2]) == 1 else rf"\mathrm{{{found[2]}}}".replace("_", " ")
        return rf"${found[1]}_{{{low}}}$"

    return SYMBOL.sub(symbol, text.replace("$", r"\$"))
