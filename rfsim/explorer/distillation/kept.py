"""Results that take seconds: computed once by a process of their own, kept on disk, the last few in memory."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import xarray as xr

import rfsim
from rfsim.computing import machine
from rfsim.disk import store
from rfsim.explorer.distillation.systems import Request
from rfsim.explorer.parts import Tell

MOST = 12  # results in memory, 3 MB each
FILES = 60  # on disk
CHILD = "rfsim.explorer.distillation.child"

Compute = Callable[[Request, Path, Tell], None]


class Progress(NamedTuple):
    """Steps done and steps in all."""

    done: int
    steps: int


class StoredResults:
    """Results by request, shared by all sessions of a server. One is computed at a time.

    compute: writes what a request is for to a path. folder: where results lie.
    """

    def __init__(self, compute: Compute, folder: Callable[[], Path], most: int = MOST) -> None:
        self._compute, self._folder, self._most = compute, folder, most
        self._held: OrderedDict[str, xr.Dataset] = OrderedDict()
        self._running: dict[str, Progress] = {}
        self._failed: dict[str, Exception] = {}
        self._changed, self._turn = threading.Condition(), threading.Lock()

    def find(self, request: Request) -> xr.Dataset | Progress:
        """The result, or how far it is: whoever asks first sets it going. Raises, once, what computing it raised."""
        key = request.key
        with self._changed:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            if key in self._failed:
                raise self._failed.pop(key)
            if key in self._running:
                return self._running[key]
        found = stored(self._path(request))
        with self._changed:
            if found is not None:
                return self._hold(key, found)
            if key not in self._running and key not in self._held:
                self._running[key] = Progress(0, request.steps)
                threading.Thread(target=self._work, args=(request,), daemon=True).start()
            return self._held[key] if key in self._held else self._running[key]

    def wait(self, request: Request, tell: Tell) -> xr.Dataset:
        """The result, however long it takes."""
        while isinstance(found := self.find(request), Progress):
            tell(found.done, found.steps)
            with self._changed:
                if request.key in self._running:  # it may have ended meanwhile
                    self._changed.wait()
        return found

    def _path(self, request: Request) -> Path:
        return self._folder() / f"distilled-{request.name()}.nc"

    def _hold(self, key: str, data: xr.Dataset) -> xr.Dataset:
        self._held[key] = data
        self._held.move_to_end(key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return data

    def _work(self, request: Request) -> None:
        key, path = request.key, self._path(request)

        def tell(done: int, steps: int) -> None:
            with self._changed:
                self._running[key] = Progress(done, steps)
                self._changed.notify_all()

        with self._turn:
            try:
                self._compute(request, path, tell)
                found = stored(path)
                if found is None:
                    raise ValueError(f"what was computed cannot be read again from {path}")
                with self._changed:
                    self._hold(key, found)
            except Exception as error:  # whatever it is, it belongs to whoever asks next
                with self._changed:
                    self._failed[key] = error
            finally:
                with self._changed:
                    self._running.pop(key, None)
                    self._changed.notify_all()


def keep(data: xr.Dataset, path: Path) -> None:
    """Write a result whole or not at all; of many files the oldest goes."""
    store.save(data, path)
    files = sorted(path.parent.glob("distilled-*.nc"), key=lambda one: one.stat().st_mtime)
    for old in files[:-FILES]:
        old.unlink(missing_ok=True)


def stored(path: Path) -> xr.Dataset | None:
    """What was kept at `path`; None where nothing is there that can be read, or not what was written."""
    try:
        data, checked = store.load_checked(path)
    except store.StoreError:
        return None
    return data if checked else None


@cache
def folder() -> Path:
    """The explorer's own in the user's cache folder; a temporary one where that cannot be written."""
    if (cache := machine.cache_folder()) is not None:
        with contextlib.suppress(store.StoreError):
            store.check_writable(cache / "explorer")
            return cache / "explorer"
    held = tempfile.TemporaryDirectory(prefix="rfsim-explorer-")
    atexit.register(held.cleanup)
    return Path(held.name)


def in_child(request: Request, path: Path, tell: Tell) -> None:
    """Compute in a process that leaves the processor to the page and takes its memory with it when it ends.

    Raises ValueError with the last line that the process wrote where it fails.
    """
    root = Path(rfsim.__file__).parents[1]
    one_thread = dict.fromkeys(("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    child = subprocess.Popen(
        [sys.executable, "-m", CHILD, request.key, str(path)],
        cwd=root,
        env=os.environ | one_thread,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    atexit.register(child.kill)
    assert child.stdout is not None  # a pipe was asked for
    last, done = "", 0
    with child.stdout:
        for line in child.stdout:
            if line.startswith("step "):
                done += 1
                tell(done, request.steps)
            elif line.strip():
                last = line.strip()
    status = child.wait()
    atexit.unregister(child.kill)
    if status:
        raise ValueError(last or f"the distillation ended with status {status}")


KEPT = StoredResults(in_child, folder)
