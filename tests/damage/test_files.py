"""Every kind of file that is read back, damaged in every way: the right numbers, or a refusal in one line."""

from __future__ import annotations

import gc
import json
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim.disk import checkpoints, content, kinds, netcdf, store
from rfsim.disk.store import StoreError
from rfsim.explorer.distillation import kept
from rfsim.quantities.catalog import FORMS
from tests.commands import place as place
from tests.commands import run
from tests.damage.harm import FOREIGN, HARMS, bits, flipped, outcome, restored

SETTINGS = {"dim": 3, "ridge": 0.5}


def dataset(kind="spectrum") -> xr.Dataset:
    """A result of invented numbers that has what one of its kind has."""
    sizes = {"seed": 1, "part": 4}
    held = {}
    for name, dims in kinds.form_of(kind).variables.items():
        shape = [sizes.get(dim, 2) for dim in dims]
        values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        held[name] = (dims, values.astype(str) if name in kinds.TEXT else 0.5 + values)
    for name in ("feature_part", "count", "merged"):
        if name in held:
            held[name] = (held[name][0], np.ones_like(held[name][1], dtype=np.int32))
    told = {name: json.dumps(what()) for name, what in kinds.form_of(kind).json.items()}
    return store.label(xr.Dataset(held), kind, SETTINGS, wall_time=1.0).assign_attrs(told)


def result(folder: Path):
    path = folder / "result.nc"
    store.save(dataset(), path)
    return path, lambda: content.of_dataset(store.load(path))


def checkpoint(folder: Path):
    path = checkpoints.save(folder, 3, [np.arange(5.0), np.array(7)], {"train": np.ones(2)}, SETTINGS)

    def read():
        lines: list[str] = []
        found = checkpoints.newest(folder, SETTINGS, lines.append)
        assert all("\n" not in line for line in lines)
        if found is None:
            raise StoreError(*lines)
        arrays = {f"{k}": leaf for k, leaf in enumerate(found.leaves)}
        return content.of_arrays(arrays | found.records | {"at": found.step})

    return path, read


def explorer(folder: Path):
    path = folder / "distilled-1.nc"
    kept.keep(dataset(), path)

    def read():
        found = kept.stored(path)
        if found is None:  # and computed again
            raise StoreError("not kept")
        return content.of_dataset(found)

    return path, read


KINDS = {"result": result, "checkpoint": checkpoint, "explorer": explorer}
every = pytest.mark.parametrize("kind", KINDS)


@every
@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_file_is_right_or_refused(tmp_path, kind, harm):
    path, read = KINDS[kind](tmp_path / "here")
    right = read()
    HARMS[harm](path)
    found = outcome(read)
    assert isinstance(found, StoreError) or found == right
    gc.collect()  # nothing complains later either
    if (foreign := tmp_path / "foreign").exists():
        assert foreign.read_bytes() == FOREIGN


@every
def test_one_bit_anywhere_is_right_or_refused(tmp_path, kind):
    path, read = KINDS[kind](tmp_path / "here")
    right, whole = read(), path.read_bytes()
    refused = 0
    for bit in bits(path, 20):
        flipped(bit)(path)
        found = outcome(read)
        assert isinstance(found, StoreError) or found == right, bit
        refused += isinstance(found, StoreError)
        restored(path, whole)
    assert refused > 30
    assert read() == right


@pytest.mark.slow
def test_every_bit_of_the_seal_is_right_or_refused(tmp_path):
    path, read = result(tmp_path)
    right, whole = read(), path.read_bytes()
    for bit in range(8 * (len(whole) - netcdf.LENGTH), 8 * len(whole), 5):
        flipped(bit)(path)
        found = outcome(read)
        assert isinstance(found, StoreError) or found == right, bit
        restored(path, whole)


@pytest.mark.parametrize("command", ["show", "plot"])
@pytest.mark.parametrize("harm", HARMS)
def test_commands_refuse_damage_in_one_line(tmp_path, capsys, command, harm):
    path, _ = result(tmp_path / "t")
    HARMS[harm](path)
    for given in (path, path.parent):
        status, out, err = run(capsys, command, str(given))
        assert (status, err.count("\n")) in {(2, 1), (0, 0 if command == "show" else 2)}, err
        assert status == 0 or out == ""
        if status == 0:
            assert harm == "one byte short"  # of the seal alone


# --- what other programs do ----------------------------------------------------------------------------------------


def written_elsewhere(data: xr.Dataset, path: Path) -> None:
    """As other programs write, which know of no digest."""
    data.to_netcdf(path, engine="h5netcdf")


BAD = ["no JSON", "7", 7, "[" * 10**5]


@pytest.mark.parametrize("kind", FORMS)
def test_attributes_and_variables_that_are_missing_or_something_else_are_named(kind):
    whole = dataset(kind)
    assert [*kinds.missing_attributes(whole, kind), *kinds.missing_variables(whole.transpose(), kind)] == []
    told = {"settings": dict, "versions": dict, **kinds.form_of(kind).json}
    spoiled = [(name, value) for name, what in told.items() for value in (None, *BAD, "[1]" if what is dict else "{}")]
    spoiled += [("wall_time_seconds", value) for value in (None, "soon", [1.0, 2.0], math.nan)]
    for name, value in spoiled:
        data = whole.copy()
        data.attrs.pop(name) if value is None else data.attrs.update({name: value})
        (words,) = kinds.missing_attributes(data, kind)
        assert repr(name) in words
    for name in kinds.form_of(kind).variables:
        one = whole.variables[name]
        neither = 1j if name in kinds.EITHER else "x"  # no number of ours, and no text
        other = np.zeros(one.shape) if name in kinds.TEXT else np.full(one.shape, neither)
        less = whole.drop_vars(name)
        if name in kinds.form_of(kind).optional:
            assert [*kinds.missing_variables(less, kind)] == []
        else:
            assert any(f"variable {name!r}" in words for words in kinds.missing_variables(less, kind))
        for data in (less.assign({name: (one.dims, other)}), less.assign({name: (["more"], [1.0])})):
            assert any(f"variable {name!r}" in words for words in kinds.missing_variables(data, kind))


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, None) for name in ("settings", "versions", "wall_time_seconds", "rfsim_schema", store.KIND)]
    + [("settings", "[1]"), ("settings", 7), ("rfsim_schema", [1, 1]), (store.KIND, 7), (store.KIND, "train")],
)
def test_a_spoiled_file_is_refused_in_one_line_wherever_it_is_read(tmp_path, capsys, name, value):
    path, data = tmp_path / "result.nc", dataset()
    data.attrs.pop(name)
    written_elsewhere(data if value is None else data.assign_attrs({name: value}), path)
    said = "has no variable" if value == "train" else "schema" if name == "rfsim_schema" else name
    with pytest.raises(StoreError, match=said) as caught:
        rfsim.load(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match="use --force"):
        store.guard(path, SETTINGS, force=False)
    for command in ("show", "plot"):
        assert run(capsys, command, str(path)) == (2, "", f"rfsim: {caught.value}\n")


def test_flags_and_units_that_mean_something_else(tmp_path, capsys):
    path = tmp_path / "result.nc"
    data = dataset()
    data["feature_part"].attrs["flag_values"] = [0, 1]
    written_elsewhere(data.assign(feature_part=data.feature_part.copy(data=[1, 99])), path)
    with pytest.raises(StoreError, match="variable 'feature_part' holds values that are none of its flags"):
        rfsim.load(path)
    data["mass"].attrs["units"] = "days since 1970-01-01"
    written_elsewhere(data, path)
    assert rfsim.load(path).mass.dtype == float
    assert run(capsys, "show", str(path))[0] == 0
    written_elsewhere(data.assign_attrs({store.KIND: "simulate"}), path)
    assert run(capsys, "plot", str(path))[::2] == (
        2,
        f"rfsim: {path} is no whole result: it has no attribute 'devices'; it was left as it is\n",
    )


def test_a_file_that_another_program_changed_says_so_and_what_to_do(tmp_path):
    path, _ = result(tmp_path)
    changed = store.load(path).assign_attrs({netcdf.DIGEST: content.of_dataset(store.load(path)), "comment": "mine"})
    written_elsewhere(changed, path)
    with pytest.raises(StoreError, match="was changed by another program.*or delete its attribute content_digest"):
        rfsim.load(path)
    del changed.attrs[netcdf.DIGEST]
    written_elsewhere(changed, path)
    assert rfsim.load(path).attrs["comment"] == "mine"


def test_a_file_of_zeros_that_unpacks_to_more_than_memory_is_refused(tmp_path, monkeypatch):
    data = dataset().assign(zeros=("z", np.zeros(10**6)))
    path = tmp_path / "result.nc"
    data.to_netcdf(path, engine="h5netcdf", encoding={"zeros": {"zlib": True, "chunksizes": (10**5,)}})
    assert path.stat().st_size < 10**5
    monkeypatch.setattr(netcdf, "memory_limit", lambda: 10**6)
    with pytest.raises(StoreError, match="needs .* GiB, more than this process may use"):
        rfsim.load(path)


def test_checkpoints_of_older_versions_are_read_by_their_own_digest(tmp_path):
    path, read = checkpoint(tmp_path)
    right = read()
    data = store.load(path)
    arrays = {str(name): one.values for name, one in data.variables.items()}
    old = data.assign_attrs(content=content.of_arrays(arrays))
    bare = {name: {"_FillValue": None} for name in data.variables}
    old.to_netcdf(path, engine="h5netcdf", encoding=bare)
    assert read() == right
    old.assign(record_train=2 * data.record_train).to_netcdf(path, engine="h5netcdf", encoding=bare)
    assert "does not hold what was written to it" in str(outcome(read))
    data.to_netcdf(path, engine="h5netcdf", encoding=bare)
    assert "does not hold what was written to it" in str(outcome(read))
