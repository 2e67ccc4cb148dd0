"""Functions at many points: NumPy's where the CPU is fast at them, else two programs of XLA's for any number."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.computing import arrays
from rfsim.computing.arrays import pointwise, pointwise_product


@pytest.mark.parametrize("wide", [True, False])
def test_functions_that_numpy_has_are_numpys_where_the_cpu_is_fast_at_them(wide, monkeypatch):
    """The same numbers with AVX-512 and without, at any number of points."""
    monkeypatch.setattr(arrays, "_is_wide", lambda: wide)
    monkeypatch.setattr(arrays, "FEW", 3)
    monkeypatch.setattr(arrays, "PIECE", 8)
    monkeypatch.setattr(arrays, "LARGE", 64)
    for size in (0, 7, 8, 20, 64, 65, 200):
        x = np.linspace(-3, 3, size)
        for function, plain in ((jnp.tanh, np.tanh), (jnp.sin, np.sin), (lambda x: jnp.tanh(x), np.tanh)):
            np.testing.assert_allclose(pointwise(function, x), plain(x), rtol=1e-15 if wide else 1e-14, atol=1e-16)
        np.testing.assert_allclose(pointwise(lambda x: jnp.tanh(2 * x), x), np.tanh(2 * x), rtol=1e-14, atol=1e-16)
        np.testing.assert_array_equal(pointwise(lambda x: 0 * jnp.tanh(x) + 1, x), np.ones(size))
    assert arrays._ufunc(jnp.tanh, 3) is np.tanh
    assert arrays._ufunc(jnp.tanh, 4) is (np.tanh if wide else None)
    assert arrays._ufunc(jax.nn.softplus, 3) is None
    assert np.isnan(pointwise(jnp.sin, np.array([np.inf]))).all()  # and says nothing, as JAX


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (1, 1), (5, 7), (40, 3), (3, 100), (2, 64), (4, 4), (5, 3)])
def test_a_function_of_a_product_some_rows_at_a_time(rows, columns, wide, monkeypatch):
    monkeypatch.setattr(arrays, "_is_wide", lambda: wide)
    monkeypatch.setattr(arrays, "FEW", 3)
    monkeypatch.setattr(arrays, "PIECE", 8)
    monkeypatch.setattr(arrays, "LARGE", 64)
    rng = np.random.default_rng(0)
    left, right, found = (
        rng.standard_normal((rows, 4)),
        rng.standard_normal((4, columns)),
        np.full((rows, columns), np.nan),
    )
    for here, values in pointwise_product(jnp.tanh, left, right, 0.25):
        other = [one.copy() for _, one in pointwise_product(jnp.cos, left, right, 0.0)]  # another one meanwhile
        np.testing.assert_allclose(np.concatenate(other), np.cos(left @ right), rtol=1e-12)
        found[here] = values
    np.testing.assert_allclose(found, np.tanh(left @ right) - 0.25, rtol=1e-13)
    (whole,) = pointwise_product(jnp.tanh, jnp.asarray(left), right, 0.25)
    np.testing.assert_allclose(whole[1], found, rtol=1e-12)


@pytest.mark.parametrize(
    ("known", "wide"),
    [
        ({"SIMD Extensions": {"found": ["X86_V2", "X86_V3"]}}, False),
        ({"SIMD Extensions": {"found": ["X86_V3", "X86_V4"]}}, True),
        ({"SIMD Extensions": {"found": ["SSE42", "AVX2", "AVX512_SKX"]}}, True),
        ({"SIMD Extensions": {"baseline": ["NEON"]}}, False),
        ({}, False),
    ],
)
def test_a_cpu_is_known_by_its_instructions(known, wide, monkeypatch):
    monkeypatch.setattr(np, "show_config", lambda mode: known)
    assert arrays._is_wide.__wrapped__() == wide
