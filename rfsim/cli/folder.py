"""A folder of results: what may be replaced there, asked before anything is computed, and how it is filled."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfsim import store
from rfsim.cli.flags import SweepFlags, pair

if TYPE_CHECKING:
    import xarray as xr

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


def load(path: Path) -> xr.Dataset:
    """Read a stored result: a netCDF file, a sweep's store, or the store beside the TOML file it was made by.

    Raises store.StoreError, in one line.
    """
    import rfsim

    beside = path.with_suffix(".zarr")
    if path.suffix == ".toml":
        if not beside.is_dir():
            raise store.StoreError(f"{path} has no {beside.name} beside it; run rfsim sweep {path} first")
        path = beside
    return rfsim.load(path) if path.is_dir() else store.load(path)


def sweep_flags(flags: SweepFlags) -> dict[str, Any]:
    """What the flags ask of `rfsim.plot`, only what was given; the sweep that lies over is read here."""
    asked = {
        "x": flags.x,
        "y": flags.y,
        "quantity": flags.quantity,
        "facet": flags.facet,
        "at": dict(map(pair, flags.at)),
        "contours": flags.contour,
        "over": load(Path(flags.over)) if flags.over else None,
    }
    return {name: value for name, value in asked.items() if value is not None and len(value)}


def draw(data: xr.Dataset, stem: Path, *, style: str, width: str, force: bool, **asked: Any) -> list[Path]:
    """Draw a stored result to stem.pdf and stem.png; of a sweep the cells drawn, with their commands, to stem.csv and
    the lines over them to stem-contours.csv. asked: of a sweep, as `rfsim.plot` has it.

    Raises store.StoreError where one of them exists with other content, unless `force`: equal data give equal bytes,
    so drawing the same again is no change.
    """
    from rfsim import plotting

    store.check_writable(stem.parent)
    figure = plotting.plot(data, style=style, width=width, **asked)
    tables = _tables(data, stem, asked) if data.attrs[store.KIND] == "sweep" else {}
    if not force:
        if any(path.exists() for path in figures(stem)):
            _require_equal(figures(stem), lambda path: plotting.save(figure, path.with_name(stem.name), style=style))
        for path, write in tables.items():
            if path.exists():
                _require_equal([path], write)
    drawn = list(plotting.save(figure, stem, style=style))
    for path, write in tables.items():
        write(path)
    return [*drawn, *tables]


def _tables(data: xr.Dataset, stem: Path, asked: Mapping[str, Any]) -> dict[Path, Callable[[Path], Any]]:
    """The tables beside the figure of a sweep, each with what writes it."""
    from rfsim.sweeps import export
    from rfsim.sweeps.views import view

    found = view(data, **asked)
    tables: dict[Path, Callable[[Path], Any]] = {
        stem.with_name(f"{stem.name}.csv"): lambda path: export.to_csv(found.main.cells, path)
    }
    if found.lines or found.over_lines:
        tables[stem.with_name(f"{stem.name}-contours.csv")] = lambda path: export.lines_to_csv(found, path)
    return tables


def figures(stem: Path) -> list[Path]:
    """The files that a figure is saved to."""
    return [stem.parent / f"{stem.name}.{suffix}" for suffix in ("pdf", "png")]


def _require_equal(paths: Sequence[Path], write: Callable[[Path], Any]) -> None:
    """Refuse where one of `paths` exists and is not what `write` makes of its name."""
    with tempfile.TemporaryDirectory() as scratch:
        write(Path(scratch) / paths[0].name)
        for path in paths:
            if path.exists() and path.read_bytes() != (Path(scratch) / path.name).read_bytes():
                raise store.StoreError(f"{path} exists with other content; use --force to replace it or another --out")
