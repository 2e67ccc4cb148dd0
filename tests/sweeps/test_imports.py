"""Activations that a sweep imports: allowed, and the same in every worker."""

from __future__ import annotations

import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

import rfsim
from rfsim.sweeps import imports
from rfsim.sweeps.imports import Imports
from rfsim.sweeps.request import prepare

HERE = "tests.activations.callables:"
GRID = {"command": "theory.spectrum", "problem": {"grid": [0.1, 1.0]}}


def test_a_file_may_import_where_the_caller_allows_it(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(f'command = "theory.spectrum"\naxes.activation = ["{HERE}double", "tanh"]\n')
    for table in ("axes", "zip"):
        path.write_text(f'command = "theory.spectrum"\n{table}.activation = ["{HERE}double", "tanh"]\n')
        with pytest.raises(ValueError, match=r"imports a module, and so runs its code; .*allow_import=True"):
            rfsim.sweep(path)
        assert prepare(path, allow_import=True).imports.found[0][0] == HERE + "double"
        assert prepare(path, read_only=True).imports.found == ((HERE + "double", None),)
    path.write_text(f'command = "train"\nproblem.activation = "{HERE}double"\naxes.seed = [0, 1]\n')
    with pytest.raises(ValueError, match="allow_import=True"):
        rfsim.sweep(path)


def test_a_mapping_takes_callables():
    asked = prepare(GRID | {"axes": {"activation": [jax.nn.gelu, "tanh", lambda x: jnp.sin(2 * x)]}})
    names = asked.settings["axes"]["activation"]
    assert names[:2] == ("jax.nn:gelu", "tanh")
    assert names[2].startswith("lambda@")


@pytest.mark.parametrize("executor", ["processes", "dask"])
def test_a_function_of_this_process_alone_is_refused_before_anything_runs(executor, tmp_path):
    grid = GRID | {"axes": {"activation": [lambda x: jnp.sin(2 * x), "tanh"]}}
    with pytest.raises(ValueError, match=r"'lambda@.*' is a function of this process alone.* or compute with .*serial"):
        rfsim.sweep(grid, tmp_path / "out.zarr", executor=executor)
    assert not (tmp_path / "out.zarr").exists()


def test_a_worker_says_what_it_does_not_find_or_finds_otherwise(tmp_path):
    good = imports.find([HERE + "double"], None, read_only=False)
    assert imports.difference(good) == ""
    other = Imports(((HERE + "double", "0" * 16),))
    assert "computes something else in a worker than here" in imports.difference(other)
    missing = Imports((("no_such_module:f", "0" * 16),), str(tmp_path))
    assert "a worker does not find what is found here: activation 'no_such_module:f'" in imports.difference(missing)


SCRIPT = """
import sys
import numpy as np, rfsim, acts

def main():
    grid = {"command": "train", "problem": {"dim": 4, "features_per_dim": 3, "ridge": 0.1, "train_times": [10]}}
    grid["axes"] = {"activation": [acts.bent], "seed": [0, 1]}
    one = rfsim.sweep(grid)
    two = rfsim.sweep(grid, workers=2)
    assert (two.status == 1).all(), two.reason.values
    for name in ("test", "train", "gen"):
        np.testing.assert_array_equal(one[name].values, two[name].values)

    def local(x):
        return acts.bent(x) * 2

    try:
        rfsim.sweep(grid | {"axes": {"activation": [local], "seed": [0, 1]}}, workers=2)
    except ValueError as error:
        print(error)

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_workers_compute_what_one_process_computes_or_refuse(tmp_path):
    (tmp_path / "acts.py").write_text("import jax.numpy as jnp\ndef bent(x):\n    return jnp.sin(x) + 0.3 * x\n")
    (tmp_path / "run.py").write_text(SCRIPT)
    for how in (["run.py"], ["-c", SCRIPT]):  # Python puts the script's folder on its path, or the current one as ""
        done = subprocess.run([sys.executable, *how], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "is a function of this process alone" in done.stdout
