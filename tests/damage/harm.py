"""What disks, kills and other programs do to a file, by name, and what must come of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from rfsim.disk.store import StoreError

FOREIGN = b"somebody's own\n"
Harm = Callable[[Path], None]


def _truncated(share: float) -> Harm:
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def _link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def _foreign(path: Path) -> None:
    foreign = path.parent.parent / "foreign"
    foreign.write_bytes(FOREIGN)
    _link(path, foreign)


def flipped(bit: int) -> Harm:
    """One bit of a file is another."""

    def harm(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)

    return harm


HARMS: dict[str, Harm] = {
    **{f"truncated to {share}": _truncated(share) for share in (0.0, 0.001, 0.1, 0.5, 0.9, 0.99)},
    "one byte short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "text": lambda path: path.write_bytes(FOREIGN),
    "deleted": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir())[0],
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path))[0],
    "a dangling link": lambda path: _link(path, path.parent / "nowhere"),
    "a link to itself": lambda path: _link(path, path),
    "a link to a foreign file": _foreign,
}


def bits(path: Path, count: int) -> Iterator[int]:
    """Positions of bits of a file: the first and last ones, and others all over it."""
    size = 8 * path.stat().st_size
    some = np.random.default_rng(0).integers(0, size, count).tolist()
    yield from sorted({0, size - 1, *range(0, size, max(1, size // count)), *some})


def restored(path: Path, content: bytes) -> None:
    """The file as it was."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    path.write_bytes(content)


def outcome(read: Callable[[], object]) -> object:
    """What was read, or the one line of a refusal as a StoreError; anything else that is raised is a fault."""
    try:
        return read()
    except StoreError as error:
        if "\n" in str(error):
            raise
        return error
