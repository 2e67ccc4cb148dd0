"""A figure of a sweep as data: its slice, the lines over it, and another sweep beside it; nothing here draws."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from rfsim.disk import store
from rfsim.maps import lines, scales
from rfsim.maps.lines import DEFAULTS, Line, Plane
from rfsim.maps.names import axes, column, fixed_parameters, home, matches, quantities, resolve, text_of
from rfsim.maps.slices import Slice, cut, default_axes, default_quantity, ordered, value_of

KIND = "sweep"
FAMILY = 12  # most curves of a family that is not asked for
PANELS = 24
NONE = ""  # a facet that is none, where one would be chosen


class View(NamedTuple):
    """All that a figure of a sweep shows.

    Attributes:
        main: The quantity over the axes shown.
        x: Horizontal axis.
        y: Vertical axis; None for curves, whose family `facet` is.
        facet: Axis of panels, or of curves.
        lines: Level lines of a map.
        absent: Contours that were asked for and are nowhere on it.
        over: The same quantity of another sweep.
        over_lines: Its level lines.
        differences: Parameters of the problem in which it differs.
    """

    main: Slice
    x: str
    y: str | None
    facet: str | None
    lines: tuple[Line, ...] = ()
    absent: tuple[str, ...] = ()
    over: Slice | None = None
    over_lines: tuple[Line, ...] = ()
    differences: tuple[str, ...] = ()


def view(
    data: xr.Dataset,
    *,
    x: str | None = None,
    y: str | None = None,
    quantity: str | None = None,
    facet: str | None = None,
    at: Mapping[str, Any] | None = None,
    contours: Sequence[str] = (),
    over: xr.Dataset | None = None,
) -> View:
    """What `rfsim.plot` shows of a sweep: a map over x and y, or curves along x; panels or a family over facet.

    Args:
        data: A sweep.
        x: Axis; without one the first two with more than one point, seeds aside.
        y: Second axis of a map.
        quantity: A variable, such as "gen" or "tau_mem[formula]"; by default the first there is of gen, test, score … .
        facet: Axis of panels, or of curves; "" for none, where curves have one of their own else.
        at: Values of other axes, by name; what happens to the rest: `slices.cut`.
        contours: Texts QUANTITY=LEVEL, where a level is a number or another quantity or axis (tau_mem=train_time).
        over: Another sweep with the same names.

    Returns:
        The view; nothing is drawn.

    Raises:
        ValueError: In one line, for what is not there or does not fit.
    """
    contours = [contours] if isinstance(contours, str) else list(contours or ())
    _require_names(x=x, y=y, quantity=quantity, facet=facet, contours=contours)
    if at is not None and not isinstance(at, Mapping):
        raise ValueError(f"at must be a mapping of names to values, such as {{'seed': 1}}; got {at!r}")
    for one in (data, *([] if over is None else [over])):
        if one.attrs.get(store.KIND) != KIND:
            raise ValueError(f"a sweep is needed; got {one.attrs.get(store.KIND) or 'an unlabelled dataset'}")
    quantity = quantity or default_quantity(data)
    name, _ = column(data, quantity)
    at = dict(at or {})
    taken = {home(data, one) for one in at}
    if x is None:
        if y is not None:
            raise ValueError(f"y={y} needs an x; give both, or x alone for curves")
        x, y = default_axes(data, quantity, taken | ({home(data, facet)} if facet else set()))
    if y is None and facet is None:
        facet = next(iter(_families(data, name, {home(data, x), "seed"} | taken)), None)
    x, y, facet = resolve(data, x), y and resolve(data, y), resolve(data, facet) if facet else None
    keep = [one for one in (facet, y, x) if one]
    if len(set(keep)) < len(keep):
        raise ValueError(f"x, y and facet must be different axes; got {', '.join(keep[::-1])}")
    main = ordered(cut(data, quantity, keep, at))
    panels = main.values.sizes[facet] if facet else 1
    if y is None:
        if contours:
            raise ValueError("contours are lines on a map; give y as well as x")
        found = View(main, x, y, facet)
    else:
        if panels > PANELS:
            raise ValueError(f"{facet} has {panels} values, and at most {PANELS} panels are drawn; choose some by at")
        plane = Plane(facet, y, x)
        requested = {text: lines.requested(data, main, plane, text) for text in contours}
        absent = tuple(text for text, one in requested.items() if not one)
        drawn = itertools.chain(lines.standard(data, main, plane), *requested.values())
        found = View(main, x, y, facet, tuple(drawn), absent)
    return found if over is None else _beside(found, data, over, contours)


def views(
    data: xr.Dataset, quantity: str | Sequence[str] | None = None, *, over: xr.Dataset | None = None, **options: Any
) -> list[View]:
    """What `rfsim.plot` shows of one quantity, or of several along one axis, a view for each.

    Args:
        data: A sweep.
        quantity: As in `view`, or several: a list, or a text with commas between. Several are curves along x, over the
            same family.
        over: As in `view`, of one quantity.
        **options: The rest of `view`.

    Returns:
        The views, over one x and one facet.

    Raises:
        ValueError: As `view`, and for several quantities on a map, beside another sweep, or over other axes.
    """
    if quantity is not None and not isinstance(quantity, (str, list, tuple)):
        raise ValueError(f"quantity must be a name; got {quantity!r}")
    named = quantities(quantity) if quantity else [None]
    if len(named) == 1:
        return [view(data, quantity=named[0], over=over, **options)]
    told = ", ".join(map(str, named))
    for name, given in (("y", options.get("y")), ("contours", options.get("contours")), ("over", over)):
        if given is not None and len(given):
            raise ValueError(f"several quantities are curves along x; got {told} with {name}: leave out {name}")
    if options.get("x") is None:
        taken = {home(data, one) for one in [*(options.get("at") or {}), *filter(None, [options.get("facet")])]}
        options = options | {"x": default_axes(data, str(named[0]), taken)[0]}
    if options.get("facet") is None:
        taken = {home(data, one) for one in [*(options.get("at") or {}), options["x"]]} | {"seed"}
        families = [_families(data, column(data, str(one))[0], taken) for one in named]
        shared = (dim for dim in families[0] if all(dim in others for others in families))
        options = options | {"facet": next(shared, NONE)}
    return [view(data, quantity=one, **options) for one in named]


def _require_names(**given: Any) -> None:
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None and not isinstance(one, str):
                raise ValueError(f"{name} must be a name; got {one!r}")


def _families(data: xr.Dataset, name: str, without: set[str]) -> list[str]:
    """The axes whose values may make a family of curves where none is asked for."""
    sizes = {dim: data.sizes[dim] for dim in axes(data) if dim in data[name].dims and dim not in without}
    return [dim for dim, size in sizes.items() if 1 < size <= FAMILY]


def _beside(found: View, data: xr.Dataset, over: xr.Dataset, contours: Sequence[str]) -> View:
    """The same view of another sweep: curves, or level lines at the levels asked for of this quantity."""
    main = found.main
    known = {str(one) for one in (*over.dims, *over.coords)}
    facet = found.facet if found.facet in known else None
    keep = [one for one in (facet, found.y, found.x) if one]
    at = {one.name: one.value for one in main.fixed if one.name in known}
    try:
        beside = ordered(cut(over, main.quantity, keep, at))
    except ValueError as error:
        raise ValueError(f"over: {error}") from None
    places: list[int] = []  # the panel, or the curve, of each value of the facet
    if facet:
        theirs, ours = beside.values[facet].values, main.values[facet].values
        shared = [k for k, one in enumerate(theirs.tolist()) if matches(ours, one).any()]
        if not shared:
            raise ValueError(f"over: it shares no value of {facet} with what is drawn")
        places = [int(np.flatnonzero(matches(ours, theirs[k]))[0]) for k in shared]
        beside = beside._replace(values=beside.values.isel({facet: shared}))
    found = found._replace(over=beside, differences=_differences(data, main, over, beside))
    if found.y is None:
        return found
    chosen = [float(right) for left, right in map(lines.sides, contours)
              if left == main.quantity and lines.is_number(right)]  # fmt: skip
    plane, drawn = Plane(facet, found.y, found.x), []
    for level in chosen or scales.levels(main.values.values, log=scales.wide(main.values.values)):
        drawn += lines.levels(beside, plane, f"{main.quantity} = {text_of(level)}", beside.values, level)
    if facet:
        drawn = [one._replace(panel=places[one.panel]) for one in drawn]
    elif found.facet:  # it does not depend on the facet: the same on every panel
        drawn = [one._replace(panel=panel) for panel in range(main.values.sizes[found.facet]) for one in drawn]
    return found._replace(over_lines=tuple(drawn))


def _differences(data: xr.Dataset, main: Slice, over: xr.Dataset, beside: Slice) -> tuple[str, ...]:
    """Parameters of the problem that are one value in both sweeps, and not the same one."""
    told = []
    for name, default in DEFAULTS.items():
        values = [
            None if name in part.values.dims else value_of(part, name)
            if value_of(part, name) is not None else fixed_parameters(each).get(name, default)
            for each, part in ((data, main), (over, beside))
        ]  # fmt: skip
        ours, theirs = (float(one) if one == "inf" else one for one in values)
        if None not in (ours, theirs) and ours != theirs:
            told.append(f"{name}={text_of(theirs)}")
    return tuple(told)
