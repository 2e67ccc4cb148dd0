"""A folder of results: what may be replaced there, asked before anything is computed, and how it is filled."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfsim import store

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

RESULT = "result.nc"
FIGURE = "figure"


def check(folder: Path, wanted: Mapping[str, Any], *, force: bool) -> None:
    """Refuse a folder that cannot be written, or whose result or figures belong to something else.

    Raises store.StoreError; leaves the disk as it was.
    """
    store.check_writable(folder)
    result = folder / RESULT
    if result.exists():
        store.guard(result, wanted, force=force)
    elif not force:
        # figures beside a result are its own; without one they are somebody's
        for path in figures(folder / FIGURE):
            if path.exists():
                raise store.StoreError(f"{path} has no {RESULT} beside it; use --force to replace it or another --out")


def fill(folder: Path, data: xr.Dataset, *, style: str, width: str) -> list[Path]:
    """Save a result and its figures; the result first, so that it survives whatever drawing may meet."""
    from rfsim import plotting

    store.save(data, folder / RESULT)
    drawn = plotting.save(plotting.plot(data, style=style, width=width), folder / FIGURE, style=style)
    return [folder / RESULT, *drawn]


def draw(data: xr.Dataset, stem: Path, *, style: str, width: str, force: bool) -> list[Path]:
    """Draw a stored result to stem.pdf and stem.png.

    Raises store.StoreError where one of them exists with other content, unless `force`: equal data give equal bytes,
    so drawing the same again is no change.
    """
    from rfsim import plotting

    store.check_writable(stem.parent)
    figure = plotting.plot(data, style=style, width=width)
    if not force and any(path.exists() for path in figures(stem)):
        _require_equal(figure, stem, style)
    return list(plotting.save(figure, stem, style=style))


def figures(stem: Path) -> list[Path]:
    """The files that a figure is saved to."""
    return [stem.parent / f"{stem.name}.{suffix}" for suffix in ("pdf", "png")]


def _require_equal(figure: Figure, stem: Path, style: str) -> None:
    from rfsim import plotting

    with tempfile.TemporaryDirectory() as scratch:
        plotting.save(figure, Path(scratch) / stem.name, style=style)
        for path in figures(stem):
            if path.exists() and path.read_bytes() != (Path(scratch) / path.name).read_bytes():
                raise store.StoreError(f"{path} exists with other content; use --force to replace it or another --out")
