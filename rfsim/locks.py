"""Who may write to a result: a lock of the operating system on a file, which dies with the process that holds it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from rfsim.store import StoreError


@contextlib.contextmanager
def held(path: str | Path) -> Iterator[None]:
    """Be the only one that writes to `path` (a file or folder, that need not exist) inside the block.

    The lock lies beside it as .NAME.lock, and names its holder. Raises StoreError where another process holds it, by
    name, and where the lock cannot be written.
    """
    path = Path(path)
    lock = _place(path)
    handle = _locked(path, lock)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(_self()).encode(), 0)
        yield
    finally:
        lock.unlink(missing_ok=True)  # before it is let go: whoever waits for this file sees that it is gone
        os.close(handle)


def holder(path: str | Path) -> str | None:
    """Who holds the lock of `path`, in words; None where nobody does."""
    try:
        handle = os.open(_place(Path(path)), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _words(os.pread(handle, 4096, 0))
    finally:
        os.close(handle)
    return None


def _place(path: Path) -> Path:
    path = path.resolve()  # two names of one store have one lock
    return path.parent / f".{path.name}.lock"


def _locked(path: Path, lock: Path) -> int:
    while True:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StoreError(
                f"cannot write {lock}: {error.strerror or error}; choose a folder that can be written"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = _words(os.pread(handle, 4096, 0))
            os.close(handle)
            raise StoreError(f"{path} is being written by {words}; wait for it to end, or give another --out") from None
        except OSError as error:
            os.close(handle)
            raise StoreError(
                f"{lock} cannot be locked: {error.strerror or error}; choose a file system with locks"
            ) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), lock.stat()):
                return handle
        os.close(handle)  # the last holder has removed this file since: the lock is on nothing


def _self() -> dict[str, str | int]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}


def _words(content: bytes) -> str:
    try:
        found = json.loads(content)
        return f"process {found['pid']} on {found['host']} since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"  # that has the lock and not yet said who it is
