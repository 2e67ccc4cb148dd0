"""Sweeps whose processes are killed at random moments: what was stored stands, the rest is computed, nothing else."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import xarray as xr

import rfsim
from rfsim.sweeps.storage import WAITING
from tests.sweeps.clusters import cluster
from tests.sweeps.toys import settled

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache_of_its_own")]

TEXT = """
command = "spectrum"
[problem]
dim = 8
[axes]
samples_per_dim = [2, 4]
diffusion_time = [0.1, 0.2]
seed = {range = [0, 16]}
[derive]
features_per_dim = "2 * samples_per_dim"
"""
KILLS = 3  # of each kind; of the scheduler one


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cache):
    folder = prepared(tmp_path_factory.mktemp("undisturbed") / "run")
    finished(start(folder, cache))
    return rfsim.load(folder / "grid.zarr")


def prepared(folder: Path) -> Path:
    folder.mkdir()
    (folder / "grid.toml").write_text(TEXT)
    return folder


def start(folder: Path, cache: Path, *more: str) -> subprocess.Popen:
    how = more or ("--workers", "2")
    words = [sys.executable, "-m", "rfsim", "sweep", "grid.toml", "--quiet", *how]
    env = os.environ | {"RFSIM_CACHE": str(cache)}
    return subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen) -> None:
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err) == (0, "", "")


def stored(folder: Path) -> dict[str, int]:
    """The groups whose status is on disk, and when it was written there."""
    chunks = (folder / "grid.zarr" / "status").glob("c.*")
    return {path.name: path.stat().st_mtime_ns for path in chunks}


def moment(folder: Path, seen: dict[str, int], draw: random.Random, process: subprocess.Popen) -> None:
    """Wait for something new on disk, and then for some time more."""
    while process.poll() is None and len(stored(folder)) <= len(seen):
        time.sleep(0.01)
    time.sleep(draw.uniform(0, 0.3))


def assert_equal(found: xr.Dataset, expected: xr.Dataset) -> None:
    """All values, to the bit: both were computed with one thread."""
    xr.testing.assert_identical(settled(found), settled(expected))


def test_a_run_that_is_killed_goes_on_and_repeats_nothing(tmp_path, cache, undisturbed):
    folder, draw = prepared(tmp_path / "run"), random.Random(1)
    seen: dict[str, int] = {}
    for _ in range(KILLS):
        process = start(folder, cache)
        moment(folder, seen, draw, process)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        assert not psutil.wait_procs(workers, timeout=10)[1]  # they die with it
        now = stored(folder)
        assert {name: now[name] for name in seen} == seen
        left = rfsim.load(folder / "grid.zarr")  # readable as it is
        assert int((left.status != WAITING).sum()) == len(now)
        seen = now
    finished(start(folder, cache))
    now = stored(folder)
    assert {name: now[name] for name in seen} == seen
    assert_equal(rfsim.load(folder / "grid.zarr"), undisturbed)


def test_workers_that_are_killed_cost_what_they_computed(tmp_path, cache, undisturbed):
    folder, draw = prepared(tmp_path / "run"), random.Random(2)
    process, seen, kills = start(folder, cache), {}, 0
    while kills < KILLS and process.poll() is None:
        moment(folder, seen, draw, process)
        workers = psutil.Process(process.pid).children() if process.poll() is None else []
        if workers:
            draw.choice(workers).kill()
            kills += 1
        now = stored(folder)
        assert {name: now[name] for name in seen} == seen
        seen = now
    assert kills == KILLS
    finished(process)
    assert_equal(rfsim.load(folder / "grid.zarr"), undisturbed)


def test_a_scheduler_that_is_killed_ends_the_run_in_one_line(tmp_path, cache, undisturbed):
    folder, draw = prepared(tmp_path / "run"), random.Random(3)
    seen: dict[str, int] = {}
    for _ in range((KILLS + 1) // 3):
        with cluster(tmp_path) as (address, scheduler, _):
            process = start(folder, cache, "--scheduler", address)
            moment(folder, seen, draw, process)
            scheduler.kill()
            _, err = process.communicate(timeout=60)
        assert (process.returncode, err.count("\n")) == (3, 1)
        assert f"the dask scheduler at {address} is gone" in err
        now = stored(folder)
        assert {name: now[name] for name in seen} == seen
        seen = now
    finished(start(folder, cache))
    assert_equal(rfsim.load(folder / "grid.zarr"), undisturbed)
