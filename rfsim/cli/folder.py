"""A folder of results: what may be replaced there, asked before anything is computed, and how it is filled."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfsim.cli.flags import SweepFlags, pair
from rfsim.disk import content, locks, store
from rfsim.disk.places import RESULT

if TYPE_CHECKING:
    import xarray as xr

FIGURE = "figure"
LONGEST = 120  # characters of what a figure's name says that it shows


@contextlib.contextmanager
def reserved(folder: Path, wanted: Mapping[str, Any], *, force: bool) -> Iterator[None]:
    """Be the only one that fills a folder inside the block: from when it is looked at until its figures are drawn.

    Refuse one that cannot be written, that another process fills, or whose result or figures belong to something else.
    Raises store.StoreError, and then leaves the disk as it was.
    """
    store.check_writable(folder)
    with locks.held(folder / RESULT):
        _check(folder, wanted, force=force)
        yield


def _check(folder: Path, wanted: Mapping[str, Any], *, force: bool) -> None:
    result = folder / RESULT
    for path in (result, *figures(folder / FIGURE)):
        if path.is_dir():
            raise store.StoreError(f"{path} is a folder; give another --out")
    if result.exists():
        store.guard(result, wanted, force=force)
    elif not force:
        # figures beside a result are its own; without one they are somebody's
        for path in figures(folder / FIGURE):
            if path.exists():
                raise store.StoreError(f"{path} has no {RESULT} beside it; use --force to replace it or another --out")


def keep(folder: Path, data: xr.Dataset) -> Path:
    """Save a result in its folder; where."""
    store.save(data, folder / RESULT)
    return folder / RESULT


def illustrate(folder: Path, data: xr.Dataset, *, style: str, width: str) -> list[Path]:
    """Draw the figures of a result beside it.

    Raises store.StoreError, which says that the result stands, for whatever keeps matplotlib from it but a bug.
    """
    try:
        from rfsim import plotting

        return plotting.save(plotting.plot(data, style=style, width=width), folder / FIGURE, style=style)
    except (ValueError, OSError, ImportError, MemoryError) as error:
        result = folder / RESULT
        raise store.StoreError(
            f"{result} is written, but not its figures: {error}; draw them with rfsim plot {result}"
        ) from error


def sweep_flags(flags: SweepFlags) -> dict[str, Any]:
    """What the flags ask of `rfsim.plot`, only what was given; the sweep that lies over is read here."""
    options = {
        "x": flags.x,
        "y": flags.y,
        "quantity": flags.quantity,
        "log": flags.log,
        "facet": flags.facet,
        "at": dict(map(pair, flags.at)),
        "contours": flags.contour,
        "over": store.load(flags.over) if flags.over else None,
    }
    return {
        name: value for name, value in options.items() if isinstance(value, bool) or (value is not None and len(value))
    }


def draw(data: xr.Dataset, stem: Path, *, style: str, width: str, force: bool, **options: Any) -> list[Path]:
    """Draw a stored result to stem.pdf and stem.png; of a sweep the cells drawn, with their commands, to stem.csv and
    the lines over them to stem-contours.csv. options: of a sweep, as `rfsim.plot` has it.

    Where one of them exists with other content, and an option was given, the name says what: stem-gen.pdf. Raises
    store.StoreError where one of those exists with other content too, unless `force`: equal data give equal bytes, so
    drawing the same again is no change.
    """
    from rfsim import plotting

    store.check_writable(stem.parent)
    figure = plotting.plot(data, style=style, width=width, **options)

    def tables(stem: Path) -> dict[Path, Callable[[Path], Any]]:
        return _tables(data, stem, options) if data.attrs[store.KIND] == "sweep" else {}

    def save(stem: Path) -> list[Path]:
        return list(plotting.save(figure, stem, style=style))

    if not force:
        try:
            _require_free(stem, tables(stem), save)
        except store.StoreError:
            if not (words := _words(options)):
                raise
            stem = stem.with_name(f"{stem.name}-{words}")
            _require_free(stem, tables(stem), save)
    drawn = save(stem)
    for path, write in tables(stem).items():
        write(path)
    return [*drawn, *tables(stem)]


def _words(options: Mapping[str, Any]) -> str:
    """The options in a file's name: gen, tau_mem-formula-at-train_time-1000; a digest where it is too long."""
    told = []
    for name, value in options.items():
        if name == "over":
            told.append("over")
        elif name == "log":
            told.append("log" if value else "linear")
        elif isinstance(value, Mapping):
            told += [f"{name}-{key}-{one}" for key, one in value.items()]
        else:
            several = [value] if isinstance(value, str) else value
            told += [one if name == "quantity" else f"{name}-{one}" for one in several]
    words = re.sub(r"[^\w.+-]+", "-", "-".join(told)).strip("-.")
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}-{content.of_text(words)[:8]}"


def _require_free(stem: Path, tables: Mapping[Path, Callable[[Path], Any]], save: Callable[[Path], Any]) -> None:
    if any(path.exists() for path in figures(stem)):
        _require_equal(figures(stem), lambda path: save(path.with_name(stem.name)))
    for path, write in tables.items():
        if path.exists():
            _require_equal([path], write)


def _tables(data: xr.Dataset, stem: Path, options: Mapping[str, Any]) -> dict[Path, Callable[[Path], Any]]:
    """The tables beside the figure of a sweep, each with what writes it."""
    from rfsim.maps import export
    from rfsim.maps.views import views

    found, *others = views(data, **{name: value for name, value in options.items() if name != "log"})
    cells = found.main.cells.assign({name: one for more in others for name, one in more.main.cells.data_vars.items()})
    tables: dict[Path, Callable[[Path], Any]] = {
        stem.with_name(f"{stem.name}.csv"): lambda path: export.to_csv(cells, path)
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
            if path.exists() and not _same(path, Path(scratch) / path.name):
                raise store.StoreError(f"{path} exists with other content; use --force to replace it or another --out")


def _same(path: Path, other: Path) -> bool:
    return path.is_file() and path.read_bytes() == other.read_bytes()
