"""Code of others' runs where --allow-import stands on the command line, and nowhere else."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from rfsim.cli import app
from rfsim.disk import store
from rfsim.problem.activations import ACTIVATIONS
from tests.commands import answer, assert_refused, place, run

__all__ = ["place"]  # a fixture of every test here

COMPUTING = (
    *("train", "spectrum", "simulate", "distill", "posterior", "advise"),
    *("theory conditions", "theory curves", "theory distill", "theory spectrum", "theory ridge", "theory generated"),
)
ACTS = """
import pathlib
pathlib.Path("imported").touch()
def bent(x):
    import jax.numpy as jnp
    return jnp.where(x > 0, x, 0.1 * x)
"""
SWEEP = """
command = "theory.spectrum"
axes.activation = ["acts:bent", "tanh"]
"""


@pytest.fixture(autouse=True)
def acts(place, monkeypatch):
    """A module of the user's in this folder, which is not where Python looks."""
    Path("acts.py").write_text(ACTS)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop("acts", None)


def imported() -> bool:
    return Path("imported").exists()


def flags_of(command: str) -> set[str]:
    found = app.app
    for word in command.split():
        found = found[word]
    return {name for argument in found.assemble_argument_collection() for name in argument.names}


def every_command():
    for name in (one for one in app.app if not one.startswith("-")):
        below = [one for one in app.app[name] if not one.startswith("-")]
        yield from [f"{name} {one}" for one in below] if below else [name]


def test_every_command_that_takes_an_activation_has_the_flag():
    taking = {name for name in every_command() if "--activation" in flags_of(name)}
    assert taking == {*COMPUTING}
    assert all("--allow-import" in flags_of(name) for name in (*taking, "sweep"))


def test_the_help_names_every_activation(capsys):
    assert run(capsys, "train", "--help")[0] == 0
    told = next(one for one in app.app["train"].assemble_argument_collection() if "--activation" in one.names)
    assert all(name in told.parameter.help for name in ACTIVATIONS)


@pytest.mark.parametrize("command", COMPUTING)
def test_an_address_is_refused_without_the_flag_in_a_line_that_names_it(capsys, command):
    assert_refused(
        capsys, *command.split(), "--activation", "acts:bent", match=r"'acts:bent' imports a module.*add --allow-import"
    )
    Path("settings.toml").write_text('activation = "acts:bent"\n')
    assert_refused(capsys, *command.split(), "--config", "settings.toml", match="add --allow-import")
    Path("settings.toml").write_text('activation = "acts:bent"\nallow-import = true\n')
    assert_refused(
        capsys, *command.split(), "--config", "settings.toml", match="'allow-import' lets code run, .* command line"
    )
    assert not imported()


def test_with_the_flag_it_is_found_in_this_folder_and_what_it_is_is_said(capsys):
    told = answer(capsys, "theory", "spectrum", "--activation", "acts:bent", "--allow-import")
    assert told["problem"]["activation"] == "acts:bent"
    assert len(told["problem"]["activation_digest"]) == 16
    assert imported()
    said = run(capsys, "theory", "spectrum", "--activation", "acts:bent", "--allow-import", "--json")[2]
    assert "activation acts:bent: less its mean at each Γ, kinks at 0" in said


def test_an_address_that_leads_nowhere_is_refused_with_the_flag_too(capsys):
    for spec in ("nowhere:f", "acts:nothing", "acts:pathlib"):
        status, out, said = run(capsys, "train", "--allow-import", "--activation", spec)
        assert (status, out, said.count("\n")) == (2, "", 1)
        assert re.search(f"'{spec}' (cannot be imported|is a module; a callable)", said)


def test_a_sweep_imports_with_the_flag_alone_and_its_store_is_read_without_it(capsys, monkeypatch):
    Path("own").mkdir()
    Path("acts.py").rename("own/acts.py")
    Path("own/grid.toml").write_text(SWEEP)
    assert_refused(
        capsys, "sweep", "own/grid.toml", match=r"'acts:bent' imports a module.*--allow-import.*allow_import"
    )
    assert not imported()
    assert run(capsys, "sweep", "own/grid.toml", "--allow-import", "--quiet")[0] == 0  # found beside the file
    assert imported()

    Path("imported").unlink()
    del sys.modules["acts"]
    assert answer(capsys, "sweep", "own/grid.toml", "--status")["done"] == 2
    assert run(capsys, "sweep", "own/grid.toml", "--status", "--export", "out.csv")[0] == 0
    assert run(capsys, "show", "own/grid.zarr")[0] == 0
    commands = [line.rpartition(",")[2] for line in Path("out.csv").read_text().splitlines()[1:]]
    assert [("--allow-import" in one) for one in commands] == [True, False]
    # going on with it is computing: refused, and nothing is imported
    assert_refused(capsys, "sweep", "own/grid.toml", match="--allow-import")
    assert not imported()

    Path("own/acts.py").write_text(ACTS.replace("0.1", "0.2"))
    status, _, said = run(capsys, "sweep", "own/grid.toml", "--allow-import", "--quiet")
    assert status == 2
    assert "digest of acts:bent" in said
    assert said.count("\n") == 1


def test_reading_a_result_imports_nothing_whatever_it_names(capsys):
    settings = {"activation": "acts:bent", "data": "isotropic", "dim": 4, "seed": 0, "seeds": 1}
    data = xr.Dataset({"eigenvalue": (("seed", "feature"), np.ones((1, 3)))})
    store.save(store.label(data, "spectrum", settings, wall_time=0.0), Path("result.nc"))
    assert run(capsys, "show", "result.nc")[0] == 0
    assert run(capsys, "plot", "result.nc")[0] in (0, 2)
    assert json.loads(run(capsys, "show", "result.nc", "--json")[1])["settings"]["activation"] == "acts:bent"
    assert not imported()
    assert "acts" not in sys.modules


def test_modules_of_one_name_in_two_folders_are_not_mixed_up(capsys):
    assert run(capsys, "theory", "spectrum", "--activation", "acts:bent", "--allow-import", "--json")[0] == 0
    Path("other").mkdir()
    Path("other/acts.py").write_text(ACTS.replace("0.1", "0.2"))
    Path("other/grid.toml").write_text(SWEEP)
    assert_refused(
        capsys, "sweep", "other/grid.toml", "--allow-import", match="a module acts of another folder is in use"
    )
    assert os.fspath(Path.cwd()) not in sys.path
