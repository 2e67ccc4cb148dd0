from __future__ import annotations

import json
import math

import numpy as np
import pytest
import xarray as xr

from rfsim.disk import content, sealed, store
from rfsim.disk.store import StoreError


def result(value=1.0, **settings):
    data = xr.Dataset({"train": ("train_time", [value, math.nan])}, coords={"train_time": [0.0, math.inf]})
    return store.label(data, "train", {"dim": 3, "noise_copies": math.inf} | settings, wall_time=0.5)


def test_a_result_comes_back_as_it_was(tmp_path):
    store.save(result(), tmp_path / "deep" / "result.nc")
    found = store.load(tmp_path / "deep" / "result.nc")
    xr.testing.assert_identical(found, result())
    assert store.settings(found) == {"dim": 3, "noise_copies": "inf"}
    assert json.loads(found.attrs["versions"])["numpy"] == np.__version__
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "result.nc"]


def test_equal_data_give_equal_bytes(tmp_path):
    for name in ("a.nc", "b.nc"):
        store.save(result(), tmp_path / name)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_a_write_that_fails_leaves_the_old_result(tmp_path):
    path = tmp_path / "result.nc"
    store.save(result(1.0), path)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="power cut"), store.atomic(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError("power cut")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_clear_line(tmp_path):
    path = tmp_path / "result.nc"
    with pytest.raises(StoreError, match="No space left.*nothing there was changed"), store.atomic(path):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose a folder that can be written"):
        store.save(result(), tmp_path / "file" / "result.nc")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable netCDF file"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 40, "not a readable netCDF file"),
        (b"just text", "not a readable netCDF file"),
    ],
)
def test_broken_files_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "broken.nc"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message) as caught:
        store.load(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_truncated_result_is_refused(tmp_path):
    path = tmp_path / "result.nc"
    store.save(result(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(StoreError, match="not a readable netCDF file"):
        store.load(path)


def test_foreign_files_and_schemas_are_refused(tmp_path):
    xr.Dataset({"x": 1}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(StoreError, match="was not written by rfsim"):
        store.load(tmp_path / "foreign.nc")
    store.save(result().assign_attrs(rfsim_schema=99), tmp_path / "future.nc")
    with pytest.raises(StoreError, match="has results schema 99; this version reads schema 1"):
        store.load(tmp_path / "future.nc")
    with pytest.raises(StoreError, match="is not a file"):
        store.load(tmp_path / "missing.nc")
    with pytest.raises(StoreError, match="only a labelled result"):
        store.save(xr.Dataset(), tmp_path / "x.nc")


def test_other_settings_are_not_overwritten(tmp_path):
    path = tmp_path / "result.nc"
    wanted = store.settings(result())
    store.guard(path, wanted, force=False)
    store.save(result(), path)
    store.guard(path, wanted, force=False)
    with pytest.raises(StoreError, match="holds a result with other settings; use --force"):
        store.guard(path, wanted | {"dim": 4}, force=False)
    store.guard(path, wanted | {"dim": 4}, force=True)
    path.write_text("something else")
    with pytest.raises(StoreError, match="use --force to replace it"):
        store.guard(path, wanted, force=False)


def test_plain_values_are_json():
    value = {"a": np.float64("nan"), "b": [math.inf, -math.inf], "c": np.arange(2), 3: (1, None), "d": "text"}
    assert store.plain(value) == {"a": None, "b": ["inf", "-inf"], "c": [0, 1], "3": [1, None], "d": "text"}
    assert store.canonical({"b": 1, "a": math.inf}) == '{"a": "inf", "b": 1}'


@pytest.mark.parametrize(
    ("stored", "wanted", "words"),
    [
        ({"a": 1, "b": [1.0]}, {"b": (1.0,), "a": 1}, []),
        ({"a": "inf"}, {"a": np.inf}, []),
        ({"a": None}, {}, ["a is null there and not given here"]),
        ({}, {"a": {}}, ["a is not given there and {} here"]),
        ({"t": {"x": 1, "y": 2}}, {"t": {"x": 1, "y": 3}}, ["t.y is 2 there and 3 here"]),
        ({"t": {"x": 1}}, {}, ["t.x is 1 there and not given here"]),
        ({"t": {"x": 1}}, {"t": 3}, ['t is {"x": 1} there and 3 here']),
        ({"a": "α" * 80}, {"a": 1}, [f'a is "{"α" * 56}... there and 1 here']),
    ],
)
def test_settings_that_differ_are_told_by_name(stored, wanted, words):
    assert list(store.differences(stored, wanted).values()) == words
    assert list(store.differences(stored, wanted)) == [one.partition(" ")[0] for one in words]


def test_digests_are_those_of_earlier_versions(tmp_path):
    """Stored results carry them: another value would make each of them a damaged file."""
    arrays = {"b": np.arange(3.0), "a": np.array(["x", "yy"]), "c": np.array([[1, 2]], dtype=">i4")}
    assert content.of_arrays(arrays).startswith("0cc91567038fad77")
    data = xr.Dataset({"v": ("x", [1.0, np.nan])}, {"x": [1, 2]}, {"k": [1], "w": 2})
    assert content.of_dataset(data).startswith("40d1ab22578d9cfc")
    assert sealed.of_group((1, 2), {"a": b"12", "b": b""}).hex().startswith("331c77e8c1f842eb")
    for name in "ab":
        (tmp_path / f"{name}.py").write_text({"a": "x", "b": "y"}[name])
    assert content.of_files(tmp_path.iterdir(), tmp_path).startswith("bf8c2a130ec9143e")


def test_a_digest_sees_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("x")
    (tmp_path / "b.py").write_text("y")
    files = [tmp_path / "b.py", tmp_path / "a.py"]
    first = content.of_files(files, tmp_path)
    assert first == content.of_files(files[::-1], tmp_path)
    (tmp_path / "b.py").write_text("z")
    assert content.of_files(files, tmp_path) != first


def test_what_killed_runs_left_goes_and_nothing_else(tmp_path):
    left = [tmp_path / name for name in (".result-0123456789abcdef.rfsim.nc", ".figure-0123456789abcdef.rfsim.pdf")]
    others = [
        tmp_path / name for name in (".result-mine.nc", "a-0123456789abcdef.rfsim.nc", ".x-0123456789abcdeg.rfsim.nc")
    ]
    for path in (*left, *others):
        path.write_text("mine")
    link = tmp_path / ".link-0123456789abcdef.rfsim.nc"
    link.symlink_to(others[0])
    with store.atomic(tmp_path / "table.csv") as mine:
        mine.write_text("mine")
        store.save(result(), tmp_path / "result.nc")
        assert mine.exists()  # somebody is at it
    assert not any(path.exists() for path in left)
    assert all(path.read_text() == "mine" for path in (*others, link, tmp_path / "table.csv"))


def test_long_names_are_written_too(tmp_path):
    path = tmp_path / ("ä" * 120 + ".nc")
    store.save(result(), path)
    assert store.load(path).identical(result())
