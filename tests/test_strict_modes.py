"""JAX's strict modes, which callers switch on to find faults of their own: every public quantity works under them."""

from __future__ import annotations

import json
import subprocess
import sys

import jax
import pytest

from rfsim.computing.precision import GUARDS, MEANT, float64
from rfsim.problem.activations import ACTIVATIONS, gaussian_constants

STRICT = {
    "jax_enable_x64": False,
    "jax_numpy_rank_promotion": "raise",
    "jax_numpy_dtype_promotion": "strict",
    "jax_debug_nans": True,
    "jax_debug_infs": True,
    "jax_disable_jit": True,
    "jax_default_matmul_precision": "bfloat16",
    "jax_default_prng_impl": "rbg",
    "jax_threefry_partitionable": False,
    "jax_legacy_prng_key": "error",
    "jax_transfer_guard": "disallow",
    "jax_enable_checks": True,
}
RUN = """
import sys, json
import jax, numpy as np
strict = json.loads(sys.argv[1])
for name, value in strict.items():
    jax.config.update(name, value)
import rfsim
from rfsim import Problem

p, m = Problem(3, 3, ridge=0.01), Problem(3, 3, noise_copies=2)
rfsim.train(p, [0, 10, np.inf], dim=4, by_part=True)
rfsim.train(p, [0, 10], dim=4, route="krylov")
rfsim.train(p, [0, 10], dim=4, model="gaussian")
rfsim.train(m, [0, 10], dim=4, fresh_noise=True)
rfsim.spectrum(Problem(3, 3, activation=jax.nn.gelu), dim=4)
rfsim.density(Problem(3, 3), dim=4, probes=2)
rfsim.simulate(p, steps=3, dim=4)
rfsim.simulate(m, steps=3, dim=4, optimizer="adam", rate=0.1, batch=4, precision="float32", ema=0.9)
rfsim.distill(p, [0, 10], dim=3, levels=2, generated=16, sampler="sde")
rfsim.theory.curves(p, [0, 10, np.inf], by_part=True)
rfsim.theory.spectrum(Problem(3, 3))
rfsim.theory.ridge(Problem(3, 3), [0.1])
rfsim.theory.score_minimum(p, samples_per_dim=[3.0], features_per_dim=[3.0])
rfsim.theory.mini_gap(Problem(3, 3), samples_per_dim=[2.0], diffusion_times=[0.1])
swept = rfsim.sweep({"command": "theory.curves", "axes": {"samples_per_dim": [2, 3], "train_times": [1, 10]}})
assert (swept.status == 1).all()
rfsim.plot(swept)
for name, value in strict.items():
    assert getattr(jax.config, name) == value, name
"""


@pytest.fixture
def strict():
    before = {name: getattr(jax.config, name) for name in STRICT}
    for name, value in STRICT.items():
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_what_is_meant_holds_inside_and_the_callers_own_outside(strict):
    # the tests' own float64 is a context, which hides the setting of one name
    outside = {name: getattr(jax.config, name) for name in STRICT}
    with float64():
        assert {name: getattr(jax.config, name) for name in MEANT} == {name: one for name, (one, _) in MEANT.items()}
        assert {getattr(jax.config, name) for name in GUARDS} <= {None, "allow"}
    assert {name: getattr(jax.config, name) for name in STRICT} == outside


def test_numbers_do_not_depend_on_the_callers_modes(strict):
    asked = {"signal_variance": 0.7, "noise_variance": 0.2}
    found = [gaussian_constants(ACTIVATIONS[name], **asked) for name in ("softplus", "gelu")]
    with float64():
        assert found == [gaussian_constants(ACTIVATIONS[name], **asked) for name in ("softplus", "gelu")]


@pytest.mark.slow
def test_every_quantity_works_under_the_strict_modes():
    done = subprocess.run([sys.executable, "-c", RUN, json.dumps(STRICT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
