"""Commands in the environments that machines, containers and notebooks leave them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rfsim.computing import machine
from rfsim.sampled import spectrum
from tests.commands import assert_refused, run
from tests.commands import place as place

ROOT = Path(__file__).parents[1]
SMALL = ["--dim", "4", "--samples", "8", "--features", "8"]
COMMANDS = [
    ["spectrum", *SMALL, "--out", "a"],
    ["theory", "spectrum", "--json"],
    ["show", "a/result.nc"],
    ["plot", "a/result.nc", "--out", "b"],
    ["info"],
    ["train", "--help"],
]
# what stands in for a user without an entry, which needs another user to try
NO_HOME = "import pwd\ndef missing(_): raise KeyError\npwd.getpwuid = missing\n"
OWN = {"JAX_COMPILATION_CACHE_DIR": None, "RFSIM_CACHE": None}  # the cache is rfsim's, not that of the tests
UNDISTURBED: dict[str, dict[str, str | None]] = {
    "no home": OWN | {"HOME": None, "XDG_CACHE_HOME": None},
    "a home that is not there": OWN | {"HOME": "/proc/none", "XDG_CONFIG_HOME": "/dev/null"},
    "a cache folder that is a device": OWN | {"XDG_CACHE_HOME": "/dev/null"},
    "a cache that cannot be written": OWN | {"RFSIM_CACHE": "/proc"},
    "the backend of a notebook elsewhere": {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    "a backend of no name": {"MPLBACKEND": "none"},
    "a backend that is not there": {"MPLBACKEND": "module://none.at_all"},
    "matplotlib's folder not writable": {"MPLCONFIGDIR": "/proc/none"},
    "no folder for temporary files": {"TMPDIR": "/proc/none"},
    "ASCII": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    "odd numbers of threads": {"NPROC": "-1", "OMP_NUM_THREADS": "x", "OPENBLAS_NUM_THREADS": ""},
    "too many threads": {"NPROC": "99999999999999999999", "MKL_NUM_THREADS": "0"},
    "an odd terminal": {"TERM": "", "COLUMNS": "x", "NO_COLOR": ""},
}


def in_environment(change: dict[str, str | None], *commands: list[str]) -> subprocess.CompletedProcess:
    """Commands one after the other in a process of that environment; prints their exit statuses at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **change}
    code = (
        (NO_HOME if change.get("HOME", "") is None else "")
        + "import json, sys\nsys.modules['matplotlib_inline'] = None\nfrom rfsim.cli import main\n"
        + "print([main(one) for one in json.loads(sys.argv[1])])"
    )
    return subprocess.run(
        [sys.executable, "-c", code, json.dumps(commands)],
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        check=False,
        timeout=300,
    )


def assert_undisturbed(change: dict[str, str | None], *commands: list[str]) -> None:
    done = in_environment(change, *commands)
    told = done.stderr.decode()
    assert done.stdout.decode().splitlines()[-1:] == [str([0] * len(commands))], told
    assert "Traceback" not in told
    assert told.count("warning") <= 1


@pytest.mark.slow
def test_a_backend_that_is_not_there_does_not_stop_figures():
    code = (
        "import sys; sys.modules['matplotlib_inline'] = None; from rfsim import plotting; import matplotlib, os\n"
        "plotting.save(plotting.canvas()[0], 'a', suffixes=('.png',))\n"
        "print(os.environ['MPLBACKEND'], matplotlib.get_backend(auto_select=False))"
    )
    for name in ("module://matplotlib_inline.backend_inline", "none", "svg"):
        told = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": name},
            capture_output=True,
            text=True,
            check=True,
        )
        environment, backend = told.stdout.split()
        assert environment == name
        assert (backend == name) or name != "svg"  # one that is there is taken
        assert Path("a.png").exists()


def test_without_a_home_there_is_no_cache_and_no_complaint(capsys, monkeypatch):
    def missing():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", missing)
    monkeypatch.delenv("RFSIM_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert machine.cache_folder() is None
    assert json.loads(run(capsys, "info", "--json")[1])["cache_folder"] is None
    status, out, err = run(capsys, "info")
    assert (status, err) == (0, "")
    assert "none: there is no home folder; set RFSIM_CACHE" in out


@pytest.mark.parametrize(
    "error", [AssertionError(), RuntimeError("Unable to initialize backend 'foo': none (set JAX_PLATFORMS='')")]
)
def test_a_device_that_is_not_there_is_told_in_one_line(capsys, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(spectrum, "spectrum", fail)
    with pytest.raises(type(error)):  # with devices it is a bug
        run(capsys, "spectrum", *SMALL, "--json")
    monkeypatch.setattr("jax.devices", fail)
    assert_refused(capsys, "spectrum", *SMALL, "--json", "--quiet", match="JAX finds no device.*set.* cpu$|=cpu$")


def test_a_folder_that_has_gone_is_named(capsys, monkeypatch):
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    Path("../gone").rmdir()
    status, out, err = run(capsys, "spectrum", *SMALL)
    assert (status, out) == (2, "")
    assert err == "rfsim: the current folder does not exist any more; change to another\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", UNDISTURBED)
def test_no_environment_disturbs_a_command(name):
    assert_undisturbed(UNDISTURBED[name], *COMMANDS)


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["cuda", "gpu", "rocm", "foo", "tpu,foo"])
def test_a_platform_of_another_machine_is_refused_by_name(platform):
    done = in_environment({"JAX_PLATFORMS": platform}, *COMMANDS[:2])
    if b"[0, 0]" in done.stdout:
        pytest.skip("this machine has it")
    assert done.stdout.decode() == "[2, 2]\n"
    for line in done.stderr.decode().splitlines():
        assert line.startswith(f"rfsim: JAX finds no device for JAX_PLATFORMS={platform}")
        assert line.endswith("; unset it or set it to cpu")


@pytest.mark.parametrize(("given", "kept"), [(None, "4"), ("20", "20")])
def test_threads_of_blas_sleep_between_products_unless_told_otherwise(given, kept):
    code = (
        "import os, sys\nfrom rfsim.cli import main\nassert 'numpy' not in sys.modules\n"
        "main(['--version'])\nprint(os.environ['OPENBLAS_THREAD_TIMEOUT'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_THREAD_TIMEOUT"}
    environment |= {"PYTHONPATH": str(ROOT)} | ({} if given is None else {"OPENBLAS_THREAD_TIMEOUT": given})
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == kept
