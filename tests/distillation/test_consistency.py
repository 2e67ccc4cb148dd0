from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.distillation.consistency import consistency
from rfsim.distillation.sampling import generate, generate_consistent, generation_noise
from rfsim.problem.diffusion import ode_step, time_grid
from tests.distillation.cases import DIM, TIMES, any_network, moved


@pytest.mark.parametrize("form", ["ddim", "edm"])
@pytest.mark.parametrize("grid", [(0.02, 3.0, 20), (1e-6, 1e-3, 3), (0.1, 50.0, 2)])
def test_the_first_time_is_the_identity_bit_for_bit(form, grid):
    found = consistency(form, time_grid(*grid), 0.7)
    assert found.skip[0] == 1.0
    assert found.out[0] == 0.0
    assert found.gain(1) == 0.0
    assert np.all(found.out[1:] > 0)
    assert found.skip.dtype == found.out.dtype == np.float64
    x = np.random.default_rng(0).standard_normal((5, 4))
    np.testing.assert_array_equal(found.skip[0] * x + found.out[0] * (1e300 * x), x)


def test_a_teacher_in_ddim_form_is_one_jump_of_the_sampler():
    """B̄_k = Ā_k: f_k is the DDIM step t_k → ε of the teacher, from every level."""
    network, form = any_network(), consistency("ddim", TIMES, 1.0)
    assert form.jumps
    unused = generation_noise(0, 7, DIM)
    start = np.random.default_rng(2).standard_normal((7, DIM))
    for k in range(1, len(TIMES)):
        jumped = generate_consistent(network, form.skip, form.out, start, [k, 0], jnp.tanh, unused)
        np.testing.assert_array_equal(jumped, generate(network, start, [k, 0], jnp.tanh))
        np.testing.assert_allclose(jumped, moved(ode_step("ddim", TIMES[k], TIMES[0]), network, k, start), rtol=1e-13)


def test_edm_has_the_shape_of_karras():
    """c_skip falls from 1 to 0 around t − ε = σ_d; where ε = 0, c_out² = σ_d²(1 − c_skip) (Karras)."""
    power = 1.7
    near = consistency("edm", np.array([1e-12, 0.4, np.sqrt(power), 7.0]), power)
    assert not near.jumps
    np.testing.assert_allclose(near.out[1:] ** 2, power * (1 - near.skip[1:]), rtol=1e-10)
    assert near.skip[2] == pytest.approx(0.5)
    shifted = consistency("edm", np.array([0.5, 0.5 + np.sqrt(power)]), power)
    assert shifted.skip[1] == pytest.approx(0.5)
    assert shifted.out[1] == pytest.approx(power / np.sqrt((0.5 + np.sqrt(power)) ** 2 + power))


def test_the_gain_is_the_ratio_of_neighbors():
    form = consistency("edm", TIMES, 1.0)
    assert form.gain(2) == form.out[1] / form.out[2]


def test_other_names_are_refused_with_the_nearest():
    with pytest.raises(
        ValueError, match="parameterization must be one of ddim, edm; got 'dddim'; did you mean 'ddim'"
    ) as caught:
        consistency("dddim", TIMES, 1.0)
    assert "\n" not in str(caught.value)
