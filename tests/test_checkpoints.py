from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

from rfsim.computing.parallel import DeviceLayout
from rfsim.disk import checkpoints, store
from rfsim.disk.store import StoreError
from rfsim.simulation import checkpointing

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

SETTINGS = {"rate": 1, "optimizer": {"name": "sgd", "momentum": 0.9}, "noise_copies": float("inf"), "seeds": [0, 1]}
LEAVES = [
    np.array(7, np.int32),
    np.random.default_rng(0).standard_normal((3, 4)),
    np.array([[-0.0, np.inf, np.nan, 5e-324]]),
    np.array([1.5, np.nan, -0.0], np.float32),
    np.array([0, 2**32 - 1], np.uint32),
    np.array([-(2**31), 2**31 - 1], np.int32),
    np.array([[True], [False]]),
    np.array(True),
    np.array(2.5, np.float32),
    np.zeros((0, 3)),
    np.array([2**62, -1]),
]
RECORDS = {"train": np.array([[1.0, np.nan]]), "steps": np.array([0, 10], np.int32)}


def save(folder, step, settings=SETTINGS, leaves=LEAVES):
    return checkpoints.save(folder, step, leaves, RECORDS, settings)


def found(folder, settings=SETTINGS):
    lines = []
    return checkpoints.newest(folder, settings, lines.append), lines


def assert_same(one, other):
    assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def test_every_array_comes_back_bit_for_bit(tmp_path):
    path = save(tmp_path / "deep" / "run", 12)
    assert path == tmp_path / "deep" / "run" / "checkpoint-000000000012.nc"
    one, lines = found(tmp_path / "deep" / "run")
    assert (one.step, lines) == (12, [])
    assert len(one.leaves) == len(LEAVES)
    for leaf, wanted in zip(one.leaves, LEAVES, strict=True):
        assert_same(leaf, wanted)
    assert one.records.keys() == RECORDS.keys()
    for name, wanted in RECORDS.items():
        assert_same(one.records[name], wanted)


def test_no_arrays_are_a_state_too(tmp_path):
    checkpoints.save(tmp_path, 2**31 - 1, [], {}, {})
    assert found(tmp_path, {}) == (checkpoints.Checkpoint(2**31 - 1, [], {}), [])


def test_other_dtypes_and_steps_are_refused(tmp_path):
    with pytest.raises(ValueError, match="float64, .*bool; leaf_0001 is complex128"):
        checkpoints.save(tmp_path, 0, [1.0, 1j], {}, {})
    with pytest.raises(ValueError, match="step must be from 0 to 999999999999; got -1"):
        save(tmp_path, -1)
    assert list(tmp_path.iterdir()) == []


def test_equal_states_give_equal_bytes(tmp_path):
    first = save(tmp_path / "a", 5).read_bytes()
    time.sleep(1.1)  # a date in the file would be another second's
    turned = dict(reversed(SETTINGS.items()))
    assert save(tmp_path / "b", 5, turned, [leaf.copy(order="F") for leaf in LEAVES]).read_bytes() == first
    assert b"wall_time" not in first
    changed = [LEAVES[0], np.nextafter(LEAVES[1], 9), *LEAVES[2:]]
    assert save(tmp_path / "c", 5, leaves=changed).read_bytes() != first


def test_the_two_newest_are_kept(tmp_path):
    for step in (0, 9, 10, 2**31 - 1):
        save(tmp_path, step)
        assert found(tmp_path)[0].step == step
    assert checkpoints.present(tmp_path) == [10, 2**31 - 1]


def test_damaged_ones_do_not_count_among_the_two_newest(tmp_path):
    save(tmp_path, 10)
    damaged = save(tmp_path, 20)
    damaged.write_bytes(damaged.read_bytes()[:100])
    newest = save(tmp_path, 30)
    newest.write_bytes(b"")
    one, lines = found(tmp_path)
    assert one.step == 10
    assert len(lines) == 2


def test_each_file_is_read_back_once_and_again_where_it_was_changed(tmp_path, monkeypatch):
    read, seen = checkpoints._read, []
    monkeypatch.setattr(checkpoints, "_read", lambda path, settings: seen.append(path) or read(path, settings))
    written = [save(tmp_path, step) for step in (1, 2, 3, 4)]
    assert seen == written
    written[-1].write_bytes(written[-1].read_bytes()[::-1])
    save(tmp_path, 5)
    assert seen[4:] == [written[-1], tmp_path / "checkpoint-000000000005.nc"]
    assert checkpoints.present(tmp_path) == [3, 4, 5]  # what cannot be read does not count, and stays


def test_a_run_that_begins_again_keeps_what_it_writes(tmp_path):
    """Later steps of an earlier run must not push out the new ones."""
    for step in (30, 40, 5, 6, 7):
        save(tmp_path, step)
    assert checkpoints.present(tmp_path) == [6, 7, 30, 40]


def test_an_old_one_goes_only_when_the_new_one_stands(tmp_path, monkeypatch):
    for step in (1, 2):
        save(tmp_path, step)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left.*nothing there was changed"):
        save(tmp_path, 3)
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"checkpoint-{k:012d}.nc" for k in (1, 2)]


def test_a_kill_before_the_old_ones_were_removed_is_made_good(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_usable", lambda *_: False)
        for step in (1, 2, 3, 4):
            save(tmp_path, step)
    assert checkpoints.present(tmp_path) == [1, 2, 3, 4]
    assert found(tmp_path)[0].step == 4
    save(tmp_path, 5)
    assert checkpoints.present(tmp_path) == [4, 5]


def test_what_a_killed_write_left_is_never_read_and_goes_with_the_next(tmp_path):
    whole = save(tmp_path, 1).read_bytes()
    left = tmp_path / ".checkpoint-000000000002-0123456789abcdef.rfsim.nc"
    left.write_bytes(whole[:100])
    (tmp_path / "notes.txt").write_text("mine")
    one, lines = found(tmp_path)
    assert (one.step, lines) == (1, [])
    save(tmp_path, 2)
    assert not left.exists()
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.99])
def test_a_truncated_one_is_refused_by_name_and_the_previous_used(tmp_path, share):
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    one, lines = found(tmp_path)
    assert one.step == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"{path} is not a readable netCDF file (")
    assert lines[0].endswith("; this checkpoint is not used")
    assert "\n" not in lines[0]
    assert path.exists()


def test_what_is_refused_is_removed_neither_then_nor_later(tmp_path):
    path = save(tmp_path, 1)
    path.write_bytes(b"garbage")
    for step in (2, 3, 4):
        save(tmp_path, step)
    assert path.read_bytes() == b"garbage"
    assert checkpoints.present(tmp_path) == [1, 3, 4]


def change_a_number(path):
    data = path.read_bytes()
    at = data.index(LEAVES[1].tobytes())
    path.write_bytes(data[:at] + b"\1" + data[at + 1 :])


def result(path):
    store.save(store.label(xr.Dataset({"x": 1}), "train", SETTINGS, wall_time=0.0), path)


def schema(path):
    store.save(store.load(path).assign_attrs(rfsim_schema=99), path)


def bare(path):
    store.save(xr.Dataset(attrs={store.KIND: "checkpoint", "rfsim_schema": 1, "settings": "{}"}), path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(np.random.default_rng(0).bytes(9999)), "is not a readable netCDF file"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 40), "is not a readable netCDF file"),
        (lambda path: xr.Dataset({"x": 1}).to_netcdf(path, engine="h5netcdf"), "was not written by rfsim"),
        (result, "is no checkpoint but a result of kind 'train'"),
        (bare, "is no whole result: it has no attribute 'versions'"),
        (schema, "has results schema 99"),
        (change_a_number, "does not hold what was written to it"),
        (lambda path: path.write_bytes(save(path.parent / "x", 7).read_bytes()), "is of step 7, not of the step in"),
        (lambda path: (path.unlink(), path.mkdir()), "is not a store of a sweep"),
    ],
)
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path, spoil, words):
    path = save(tmp_path, 1)
    spoil(path)
    one, lines = found(tmp_path)
    assert one is None
    assert len(lines) == 1
    assert lines[0].startswith(f"{path} {words}")
    assert "\n" not in lines[0]
    assert path.exists()


def test_other_settings_are_refused_with_what_differs(tmp_path):
    save(tmp_path, 1)
    path = save(tmp_path, 2, SETTINGS | {"rate": 2, "optimizer": {"name": "adam"}, "extra": None})
    one, lines = found(tmp_path)
    assert one.step == 1
    assert lines == [
        f"{path} is of a run with other settings: extra is null there and not given here, optimizer.momentum is not "
        'given there and 0.9 here, optimizer.name is "adam" there and "sgd" here, rate is 2 there and 1 here; '
        "this checkpoint is not used"
    ]


def test_a_folder_of_another_run_is_no_empty_folder(tmp_path):
    assert found(tmp_path) == (None, [])
    assert found(tmp_path / "missing") == (None, [])
    path = save(tmp_path, 3, SETTINGS | {"rate": 2})
    save(tmp_path, 4).write_bytes(b"")
    lines = []
    with pytest.raises(StoreError, match="rate is 2 there and 1 here; choose another folder") as caught:
        checkpoints.newest(tmp_path, SETTINGS, lines.append)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(lines) == 1  # the damaged one; what is raised is not said twice


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose a folder that can be written") as caught:
        save(tmp_path / "file", 1)
    assert "\n" not in str(caught.value)
    assert checkpoints.present(tmp_path / "file") == []


WRITER = """
import sys, numpy as np
from rfsim.disk import checkpoints
for step in range(10**6):
    checkpoints.save(sys.argv[1], step, [np.full((400, 400), float(step))], {}, {"run": 1})
    print(step, flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_a_checkpoint_that_can_be_used(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True) as writer:
            said = [writer.stdout.readline() for _ in range(3)]
            time.sleep(rng.uniform(0, 0.1))
            writer.send_signal(signal.SIGKILL)
            last = int((said + writer.stdout.read().split())[-1])
        one, lines = found(tmp_path, {"run": 1})
        assert lines == []
        assert last <= one.step <= last + 1
        np.testing.assert_array_equal(one.leaves[0], np.full((400, 400), float(one.step)))
        for path in tmp_path.glob("checkpoint-*"):
            path.unlink()


def test_two_runs_do_not_share_a_folder(tmp_path):
    folders = [tmp_path / "seed-0", tmp_path / "seed-1"]
    with checkpointing.reserved(folders, DeviceLayout(), resume=False):
        with pytest.raises(StoreError, match=rf"seed-1/checkpoint is being written by process {os.getpid()} on "):
            checkpointing.reserved(folders[1:], DeviceLayout(), resume=True).__enter__()
        save(folders[0], 4)
    assert [one.name for one in tmp_path.rglob("*")] == ["seed-0", "checkpoint-000000000004.nc"]
    with pytest.raises(StoreError, match="holds a checkpoint at step 4; resume to go on from it"):
        checkpointing.reserved(folders, DeviceLayout(), resume=False).__enter__()
