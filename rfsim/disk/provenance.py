"""What a result or a picture was made from, in one short text each: code with all that it imports, files, data."""

from __future__ import annotations

import ast
import functools
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import xarray as xr

from rfsim.computing import machine
from rfsim.disk import content

SOURCE = "rfsim-source"  # in a PNG's text: the digest of what it was drawn from
# of a result: when, for how long, with what code and packages it was computed, none of which is drawn
UNDRAWN = ("wall_time_seconds", "cell_seconds", "code_digest", "versions")

# Python 3.11 counts the depth of a tree for all threads together, and fails where two are parsed
PARSING = threading.Lock()


@functools.cache
def of_module(name: str) -> str:
    """SHA-256 of a module of rfsim and of every module of rfsim that it imports, directly or not."""
    root = package_root()
    return content.of_files(closure(root.joinpath(*name.split(".")).with_suffix(".py"), root), root)


def of_picture(drawing: Path, results: Mapping[str, xr.Dataset]) -> str:
    """Of what the pictures of an experiment are drawn from: the file that draws them, the code it uses, the data.

    Results that differ in nothing but UNDRAWN give the same text.
    """
    root = package_root()
    code = content.of_files(closure(drawing, root) - {drawing}, root)
    shown = [f"{label}\0{of_data(results[label])}".encode() for label in sorted(results)]
    version = machine.versions()["matplotlib"].encode()
    return content.of_bytes(version, drawing.read_bytes(), b"\0", code.encode(), *shown)


def of_data(data: xr.Dataset) -> str:
    """The digest of a result's content, without UNDRAWN."""
    return content.of_dataset(data, UNDRAWN)


def source_of(path: Path) -> str | None:
    """What a PNG says it was drawn from; None for one that does not say, and for what is no whole PNG."""
    from PIL import Image  # with its plugins, which only pictures need

    try:
        with warnings.catch_warnings(action="error"), Image.open(path, formats=["PNG"]) as picture:
            found = picture.info.get(SOURCE)
            picture.verify()
    except Exception:  # of what is damaged Pillow raises many kinds
        return None
    return found


def is_whole_pdf(path: Path) -> bool:
    """Whether a PDF lies there with its beginning and its end."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")


def closure(start: Path, root: Path) -> set[Path]:
    """A Python file and every file of rfsim, under `root`, that it imports, directly or not."""
    seen, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        waiting += [found for name in _imports(path) for found in _sources(name, root)]
    return seen


def package_root() -> Path:
    """The folder that holds the package."""
    return Path(__file__).resolve().parents[2]


@functools.cache
def _imports(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    with PARSING:
        return list(_named(ast.parse(text)))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # the imported name may itself be a module: `from rfsim.disk import store`
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def _sources(name: str, root: Path) -> list[Path]:
    # `rfsim` itself only forwards names, and to every room
    if not name.startswith("rfsim."):
        return []
    base = root.joinpath(*name.split("."))
    return [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]
