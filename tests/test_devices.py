"""Several devices and several processes against one device, in processes of their own: JAX counts devices once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rfsim.computing import parallel
from tests.devices.cases import CASES

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

PROGRAMS = {"U": "collective-permute", "simulation": "all-reduce"}
ROOT = Path(__file__).parent.parent


def started(module: str, *arguments: str, **environment: str) -> subprocess.Popen:
    """`python -m MODULE`: in double precision, on the CPU, with warnings as errors."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_", "PYTEST_"))}
    given = {"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        cwd=ROOT,
        env=clean | given | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen) -> str:
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return out


def said(out: str) -> dict:
    """Its one line of JSON, nothing where it has none."""
    lines = [line for line in out.splitlines() if line.startswith("{")]  # Gloo prints others
    return json.loads(*lines) if lines else {}


def virtual(count: int, *names: str) -> dict:
    flags = f"--xla_force_host_platform_device_count={count}"
    return said(output(started("tests.devices.virtual", str(count), *names, XLA_FLAGS=flags)))


def assert_held(found: dict, count: int) -> None:
    """Less than one device holds, by the ratio derived in `virtual.expected`, and the collectives that this takes."""
    one, several = found["1"], found[str(count)]
    assert one["collectives"] == {name: [] for name in PROGRAMS}
    assert several["collectives"] == {name: [one] for name, one in PROGRAMS.items()}
    print(f"bytes on each of {count} devices: {several['held']}, on one: {one['held']}")
    for name in PROGRAMS:
        ratio = several["held"][name] / one["held"][name]
        assert ratio == pytest.approx(several["expected"][name] / one["expected"][name], rel=0.1), name
        # the derivation leaves out slices of directions that the ring works on: 3% at eight devices
        assert several["held"][name] <= 1.05 * several["expected"][name], name


@pytest.mark.slow
def test_eight_devices_give_what_one_gives_and_hold_less_each():
    found = virtual(8, *CASES)
    assert {name.split()[0] for name in found["differences"]} == set(CASES)
    assert max(found["differences"].values()) < 1e-10, found["differences"]
    assert_held(found, 8)


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 4])
def test_any_number_of_devices(count):
    """Odd rings, where every block has its transpose elsewhere, among them."""
    found = virtual(count, "averaged", "simulated")
    assert max(found["differences"].values()) < 1e-10, found["differences"]
    if count == 4:
        assert_held(found, count)


def environments() -> list[dict[str, str]]:
    """Of two processes that find each other on the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return [dict(zip(parallel.LOCAL, (address, "2", str(number)), strict=True)) for number in range(2)]


def pair(start: Callable[..., subprocess.Popen]) -> tuple[str, str]:
    """What two processes print that find each other."""
    first, second = (start(**environment) for environment in environments())
    try:
        found = output(first)
    finally:
        silent = output(second) if first.returncode == 0 else second.kill()
    return found, silent or ""


@pytest.mark.slow
def test_two_processes_give_what_one_device_gives():
    out, silent = pair(partial(started, "tests.devices.processes", *CASES))
    found = said(out)
    assert said(silent) == {}
    assert {name.split()[0] for name in found["differences"]} == set(CASES)
    assert max(found["differences"].values()) < 1e-10, found["differences"]
    count, processes, devices = found["layout"]
    assert (count, processes, len(devices), found["local"]) == (2, 2, 2, 1)


@pytest.mark.slow
def test_the_command_over_two_processes_answers_once_and_resumes(tmp_path):
    flags = [
        "--dim",
        "10",
        "--samples-per-dim",
        "3",
        "--features-per-dim",
        "4",
        "--batch",
        "8",
        "--rate",
        "20",
        "--json",
        "--steps",
    ]
    folder = ["--checkpoint", str(tmp_path / "kept"), "--resume", "--checkpoint-minutes", "0.001"]
    alone = json.loads(output(started("rfsim", "simulate", *flags, "600")))
    for steps in ("300", "600"):  # the second goes on from the first
        command = "rfsim", "simulate", *flags, steps, *folder, "--distributed"
        out, silent = pair(partial(started, *command))
        assert silent == ""
    together = json.loads(out)  # nothing but the answer, whatever Gloo prints
    assert len(together["devices"]) == 2
    assert together["step"][-1] == 600
    for loss in ("train", "test"):
        np.testing.assert_allclose(together[loss], alone[loss], rtol=1e-10)
        np.testing.assert_allclose(together["exact"][loss], alone["exact"][loss], rtol=1e-10)


@pytest.mark.slow
def test_processes_that_see_different_checkpoints_are_both_refused(tmp_path):
    sizes = ["--dim", "10", "--samples-per-dim", "3", "--features-per-dim", "4"]
    command = ["rfsim", "simulate", *sizes, "--rate", "20", "--json", "--quiet", "--no-exact", "--checkpoint"]
    folders = [str(tmp_path / "here"), str(tmp_path / "there")]
    for folder, steps in zip(folders, ("40", "20"), strict=True):
        output(started(*command, folder, "--steps", steps))
    rest = "--steps", "60", "--resume", "--distributed"
    for process in [started(*command, *one, *rest, **env) for *one, env in zip(folders, environments(), strict=True)]:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 2
        assert "rfsim: processes see different checkpoints in" in err
