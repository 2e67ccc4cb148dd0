"""Folders beside a store, in which what must appear whole is made: named at random, marked, gone afterwards.

What a killed run left is removed by the next one, where it carries the mark; a store that was being exchanged for
another is put back first.
"""

from __future__ import annotations

import contextlib
import glob
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

MARK = "of-rfsim-sweep"  # a file in each
OLD = "old"  # the store that another is about to take the place of


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A new folder beside `path`, which does not outlive the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(path), dir=path.parent))
    try:
        (folder / MARK).touch()
        yield folder
    finally:
        _discard(folder, path)


def exchange(path: Path, new: Path, folder: Path) -> None:
    """Put the store `new`, which lies in `folder`, in the place of the one at `path`, which is kept until it stands."""
    path.rename(folder / OLD)
    new.rename(path)


def tidy(path: Path) -> None:
    """Remove what killed runs left beside `path`, for whoever holds its lock; a store that they took away returns."""
    if not path.parent.is_dir():
        return
    for folder in path.parent.glob(f"{glob.escape(_prefix(path))}*"):
        if folder.is_dir() and not folder.is_symlink() and (_marked(folder) or not any(folder.iterdir())):
            _discard(folder, path)


def left(path: Path) -> bool:
    """Whether a killed run has taken the store away and not put another in its place."""
    found = path.parent.glob(f"{glob.escape(_prefix(path))}*/{OLD}")
    return not path.exists() and any(_marked(old.parent) for old in found)


def _prefix(path: Path) -> str:
    return f".{path.name}.new-"


def _marked(folder: Path) -> bool:
    mark = folder / MARK
    return mark.is_file() and not mark.is_symlink()


def _discard(folder: Path, path: Path) -> None:
    if (folder / OLD).is_dir() and not path.exists():
        (folder / OLD).rename(path)
    shutil.rmtree(folder, ignore_errors=True)
