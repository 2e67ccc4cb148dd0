from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rfsim.disk import locks
from rfsim.disk.store import StoreError

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

HOLD = """
import sys, time
from rfsim.disk import locks
with locks.held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_holds_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "new" / "sweep.zarr"
    assert locks.holder(path) is None
    with locks.held(path):
        assert f"process {os.getpid()} on" in (locks.holder(path) or "")
        with pytest.raises(StoreError, match=rf"sweep.zarr is being written by process {os.getpid()} on .* since 20"):
            locks.held(path).__enter__()
    assert locks.holder(path) is None
    assert list(tmp_path.iterdir()) == []  # nor the folder that was made for it


def test_a_lock_dies_with_its_holder(tmp_path):
    path = tmp_path / "sweep.zarr"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=f"being written by process {process.pid} on"):
            locks.held(path).__enter__()
        process.kill()
    assert (tmp_path / ".sweep.zarr.lock").exists()  # nobody was there to remove it
    assert locks.holder(path) is None
    with locks.held(path):
        assert str(os.getpid()) in (locks.holder(path) or "")


def test_a_file_that_was_removed_meanwhile_is_no_lock(tmp_path, monkeypatch):
    path, lock = tmp_path / "sweep.zarr", tmp_path / ".sweep.zarr.lock"
    flock, calls = locks.fcntl.flock, []

    def late(handle, how):
        if not calls:
            lock.unlink()  # by the last holder, between opening and locking
        calls.append(how)
        flock(handle, how)

    monkeypatch.setattr(locks.fcntl, "flock", late)
    with locks.held(path):
        assert len(calls) == 2
        assert lock.exists()


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write .*choose a folder that can be written"):
        locks.held(tmp_path / "file" / "sweep.zarr").__enter__()


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder", "file"])
def test_what_others_put_in_the_place_of_a_lock_is_left_as_it_is(tmp_path, kind):
    foreign, lock = tmp_path / "foreign", tmp_path / ".sweep.zarr.lock"
    foreign.write_text("mine")
    {
        "link": lambda: lock.symlink_to(foreign),
        "dangling link": lambda: lock.symlink_to(tmp_path / "nowhere"),
        "pipe": lambda: os.mkfifo(lock),
        "folder": lock.mkdir,
        "file": lambda: lock.write_text("mine"),
    }[kind]()
    with pytest.raises(StoreError, match=r"\.sweep\.zarr\.lock is no lock of rfsim, and is left as it is; move it"):
        locks.held(tmp_path / "sweep.zarr").__enter__()
    assert locks.holder(tmp_path / "sweep.zarr") is None
    assert foreign.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert lock.is_symlink() or lock.exists()
