"""Files written whole or not at all, under a name of our own that becomes the file's when it is done."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

MARK = re.compile(r"\..+-[0-9a-f]{16}\.rfsim(\..*)?")  # the name of a file that is being written
LONGEST = 255  # bytes of a file's name


class StoreError(ValueError):
    """A file that cannot be read as, or replaced by, a result."""


def write(path: str | Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all.

    Args:
        path: The file.
        content: Its bytes.

    Raises:
        StoreError: In one line, where the disk does not take it.
    """
    with atomic(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder that replaces a file only when the block ends well.

    What is written there is written into the file that lies there. What a killed process left in the folder is removed.

    Args:
        path: The file.

    Yields:
        The temporary path.

    Raises:
        StoreError: In one line, where the folder cannot be written, and for every OSError inside the block.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, handle = _begin(path)
    except OSError as error:
        raise cannot_write(path, error, "choose a folder that can be written") from None
    try:
        remove_left(path.parent)
        yield temporary
        os.fchmod(handle, 0o666 & ~_umask())
        os.fsync(handle)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error, "nothing there was changed") from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)  # and with it the lock that says that somebody is at it


def remove_left(folder: Path) -> None:
    """Remove what killed processes left half written in a folder: files of our mark that nobody is writing."""
    with contextlib.suppress(OSError):  # what cannot be looked at or removed is in nobody's way
        for one in [one for one in folder.iterdir() if MARK.fullmatch(one.name)]:
            with contextlib.suppress(OSError):
                handle = os.open(one, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    one.unlink()
                finally:
                    os.close(handle)


def check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be written; creates nothing.

    Args:
        folder: The folder, which need not exist.

    Raises:
        StoreError: In one line, where it cannot be written.
    """
    present = folder.absolute()
    while not present.exists() and present != present.parent:
        present = present.parent
    try:
        # permission bits do not bind every user and do not know of read-only disks: a nameless file does
        with tempfile.TemporaryFile(dir=present):
            pass
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder}: {error.strerror or error}; choose a folder that can be written"
        ) from None


def cannot_write(path: Path, error: OSError, remedy: str) -> StoreError:
    """What to raise where a file cannot be written."""
    return StoreError(f"cannot write {path}: {error.strerror or error}; {remedy}")


def _begin(path: Path) -> tuple[Path, int]:
    """A new file beside `path`, and the handle that holds its lock while it is written."""
    while True:
        end = f"-{secrets.token_hex(8)}.rfsim{path.suffix}"
        stem = path.stem.encode()[: LONGEST - 1 - len(end.encode())].decode(errors="ignore")
        temporary = path.with_name(f".{stem}{end}")
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with contextlib.suppress(OSError):  # a file system without locks: then nobody can take it for left
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), temporary.lstat()):
                return temporary, handle
        except FileNotFoundError:
            pass  # taken for left, before it was locked
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
