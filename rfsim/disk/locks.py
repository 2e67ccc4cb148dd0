"""Who may write to a result: a lock of the operating system on a file, which dies with the process that holds it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from rfsim.disk.writing import StoreError, cannot_write

CAREFUL = os.O_NOFOLLOW | os.O_NONBLOCK  # where somebody has put a link or a pipe in the place of a lock


CONTENT = 4096  # bytes of a lock that are read


@contextlib.contextmanager
def held(path: str | Path) -> Iterator[None]:
    """Be the only one that writes to `path` (a file or folder, that need not exist) inside the block.

    The lock lies beside it as .NAME.lock, and names its holder; folders made for it go with it where they stay empty.
    Raises StoreError where another process holds it, by name, where the lock cannot be written, and for a file of that
    name that is no lock of ours.
    """
    path = Path(path)
    lock = _place(path)
    made = [one for one in lock.parents if not one.exists()]
    handle = _locked(path, lock)
    try:
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(_self()).encode(), 0)
        except OSError as error:
            raise cannot_write(lock, error, "choose a folder that can be written") from None
        yield
    finally:
        lock.unlink(missing_ok=True)  # before it is let go: whoever waits for this file sees that it is gone
        os.close(handle)
        with contextlib.suppress(OSError):  # not empty, or another's meanwhile
            for one in made:
                one.rmdir()


def holder(path: str | Path) -> str | None:
    """Who holds the lock of `path`, in words; None where nobody does."""
    try:
        handle = os.open(_place(Path(path)), os.O_RDONLY | CAREFUL)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _words(os.pread(handle, CONTENT, 0))
    finally:
        os.close(handle)
    return None


def _place(path: Path) -> Path:
    # two names of one store have one lock; where a link leads that is no folder's name nothing is written
    path = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    return path.parent / f".{path.name}.lock"


def _locked(path: Path, lock: Path) -> int:
    while True:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | CAREFUL, 0o666)
        except OSError as error:
            if lock.is_symlink() or lock.is_dir():
                raise _foreign(lock) from None
            raise cannot_write(lock, error, "choose a folder that can be written") from None
        try:
            return _taken(path, lock, handle)
        except FileNotFoundError:
            os.close(handle)  # the last holder has removed this file since: the lock is on nothing
        except BaseException:
            os.close(handle)
            raise


def _taken(path: Path, lock: Path, handle: int) -> int:
    """The handle, locked; FileNotFoundError where it is no longer that of the file."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise _foreign(lock)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        words = _words(os.pread(handle, CONTENT, 0))
        raise StoreError(f"{path} is being written by {words}; wait for it to end, or give another --out") from None
    except OSError as error:
        raise StoreError(
            f"{lock} cannot be locked: {error.strerror or error}; choose a file system with locks"
        ) from None
    if not os.path.samestat(os.fstat(handle), lock.lstat()):
        raise FileNotFoundError
    if (content := os.pread(handle, CONTENT, 0)) and _holder(content) is None:
        raise _foreign(lock)
    return handle


def _foreign(lock: Path) -> StoreError:
    return StoreError(f"{lock} is no lock of rfsim, and is left as it is; move it away, or give another --out")


def _self() -> dict[str, str | int]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}


def _words(content: bytes) -> str:
    return _holder(content) or "another process"  # that has the lock and not yet said who it is


def _holder(content: bytes) -> str | None:
    try:
        found = json.loads(content)
        return f"process {found['pid']} on {found['host']} since {found['since']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
