from __future__ import annotations

import json
import math

import numpy as np
import pytest
import xarray as xr

from rfsim import store
from rfsim.store import StoreError


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


def test_a_digest_sees_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("x")
    (tmp_path / "b.py").write_text("y")
    files = [tmp_path / "b.py", tmp_path / "a.py"]
    first = store.digest(files, tmp_path)
    assert first == store.digest(files[::-1], tmp_path)
    (tmp_path / "b.py").write_text("z")
    assert store.digest(files, tmp_path) != first


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
