"""Quantities that another installed package brings: every process knows them, a broken package harms no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rfsim
from tests.quantities.test_toy import SHORT, SWEEP

ROOT = Path(__file__).parents[2]
MODULE = "from rfsim.quantities.catalog import register\nfrom tests.quantities.toys import WAVES\nregister(WAVES)\n"


@pytest.fixture
def rfsim_beside(tmp_path):
    """Runs `rfsim` in a process that finds a package of these lines among what is installed."""

    def installed(lines):
        site = tmp_path / "site"
        info = site / "waves-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "waves_of_rfsim.py").write_text(lines)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: waves\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[rfsim.quantities]\nwaves = waves_of_rfsim\n")
        found = os.environ | {"PYTHONPATH": os.pathsep.join((str(site), str(ROOT))), "RFSIM_CACHE": str(tmp_path / "c")}

        def run(*arguments):
            command = [sys.executable, "-m", "rfsim", *arguments]
            return subprocess.run(command, cwd=tmp_path, env=found, capture_output=True, text=True, timeout=120)

        return run

    return installed


@pytest.mark.slow
def test_they_are_commands_and_cells_in_worker_processes(rfsim_beside, tmp_path):
    run = rfsim_beside(MODULE)
    found = json.loads(run("tide", "waves", *SHORT[2:], "--json", "--quiet").stdout)
    assert found["wavelength"] == [1, 2, 200]
    (tmp_path / "map.toml").write_text(SWEEP)
    done = run("sweep", "map.toml", "--workers", "2", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert (rfsim.load(tmp_path / "map.zarr").status == 1).all()


def test_a_package_that_fails_is_named_and_takes_nothing_with_it(rfsim_beside):
    done = rfsim_beside("raise OSError('no sea')")("theory", "spectrum", "--help")
    assert done.returncode == 0
    assert "the quantities of 'waves' (waves_of_rfsim) are not there: OSError: no sea" in done.stderr
    assert "Traceback" not in done.stderr
