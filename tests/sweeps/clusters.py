"""A dask scheduler and its workers, started as on a command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to be true."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen, subprocess.Popen]]:
    """(address, scheduler's process, workers' process) of one scheduler with two workers."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    dask = [sys.executable, "-m", "dask"]
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": folder}
    scheduler = subprocess.Popen([*dask, "scheduler", "--port", "0", "--scheduler-file", file, *local], **quiet)
    until(file.exists)
    workers = subprocess.Popen(
        [*dask, "worker", "--scheduler-file", file, "--nworkers", "2", "--nthreads", "1", *local], **quiet
    )
    try:
        yield json.loads(file.read_text())["address"], scheduler, workers
    finally:
        for process in (workers, scheduler):
            for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
                child.kill()
            process.kill()
            process.wait()
