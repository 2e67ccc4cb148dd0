"""No accelerator is there: every program is lowered for one all the same, and what it would refuse is found here."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.computing.numerics import standard_normal
from rfsim.computing.parallel import decomposing
from rfsim.theory import limit, solve
from tests.devices import lowering
from tests.devices.lowering import SMALL

ROOT = Path(__file__).parents[1]
# combinations that no quantity has: a choice of one parameter needs another's
LIMITS = "curves", "spectrum", "ridge", "mini_gap", "distill", "gamma_star", "split"
REFUSED = {
    "simulate {'model': 'gaussian'}",
    "simulate {'resume': True}",
    "distill {'resume': True}",
    "theory.distill of frozen copies",
    "theory.gamma_star of frozen copies",
    "train {'fresh_noise': True}",
    "theory.generated of frozen copies",
    "theory.split of frozen copies",
    "theory.conditions of frozen copies",
    "posterior of frozen copies",
} | {
    f"{name} {{'covariance': '{one}'}}"
    for name in ("advise", *(f"theory.{name}" for name in LIMITS))
    for one in ("shrunk", "deconvolved")
}
# no call reaches these yet: stochastic distillation in Python alone, moments of few dimensions, and of the Krylov basis
# and its certificate what small runs do not need
UNSEEN = {"_accumulate", "_fixed", "_losses", "_singular", "_triangular", "_turn", "<lambda>"}
PROGRAMS = 300  # fewer would say that JAX hands its programs elsewhere


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Settings under which both platforms share what is compiled for the host, which runs once: in haste."""
    haste = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    kept = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled"))}
    kept |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    return kept | {"XLA_FLAGS": f"--xla_force_host_platform_device_count=2 {haste}"}


@pytest.mark.slow
@pytest.mark.parametrize("platform", lowering.BACKENDS)
def test_every_program_lowers_for_an_accelerator(platform, compiled):
    given = {"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"} | compiled
    given |= {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-m", "tests.devices.lowering", platform]
    done = subprocess.run(command, env=os.environ | given, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["refused"] == {}
    assert set(found["refusals"]) == REFUSED, found["refusals"]
    # of a function that is compiled and that no call reaches: add a call
    assert {*found["unseen"].values()} <= UNSEEN, found["unseen"]
    assert found["programs"] > PROGRAMS
    assert bool(found["host"]) == (platform == "tpu")


def test_what_a_platform_lacks_is_found():
    square = np.eye(3)
    with lowering.lowering("tpu") as found:
        jnp.linalg.eigvals(square)
    assert any("eig" in name for name in found.refused)
    with lowering.lowering("cuda") as found:
        jnp.linalg.eigvalsh(square)
    assert found.refused == {}
    assert found.programs > 0


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (lambda: jnp.linalg.eigvalsh(np.eye(3)), "eigh in float64"),
        (lambda: jnp.linalg.solve(np.eye(3), np.ones(3)), "lu in float64"),
        (lambda: jnp.exp(np.ones(2) * 1j), "complex128"),
        (lambda: jax.random.normal(jax.random.key(0), (2,), "float64"), "bitcast_convert_type in float64"),
    ],
)
def test_what_a_tpu_lowers_and_would_not_compile_is_found(work, why):
    with lowering.lowering("tpu") as found:
        work()
    assert any(why in told for told in found.refused.values()), found.refused
    with lowering.lowering("cuda") as found:
        work()
    assert found.refused == {}


def test_what_runs_on_the_host_is_not_held_against_the_device():
    with lowering.lowering("tpu") as found:
        decomposing(jnp.linalg.eigvalsh)(np.eye(3))
    assert found.refused == {}
    assert found.host


def test_the_limit_is_solved_on_the_host_where_complex_numbers_are_not_had():
    with lowering.lowering("tpu") as found:
        inspect.unwrap(solve)(limit(SMALL), [1.0 + 1j])
    assert "complex128" in str(found.refused)
    with lowering.lowering("tpu") as found:
        there = solve(limit(SMALL), [1.0 + 1j])
    assert found.refused == {}
    np.testing.assert_array_equal(there.state.q, solve(limit(SMALL), [1.0 + 1j]).state.q)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_noise_without_bits_is_the_same_noise(dtype, monkeypatch):
    key = jax.random.key(3)
    by_jax = jax.random.normal(key, (1000,), dtype)
    np.testing.assert_array_equal(standard_normal(key, (1000,), dtype), by_jax)
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    found = standard_normal(key, (1000,), dtype)
    assert found.dtype == by_jax.dtype
    np.testing.assert_array_equal(found, by_jax)
