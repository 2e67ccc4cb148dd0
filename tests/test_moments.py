from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.computing import arrays
from rfsim.computing.parallel import DeviceLayout
from rfsim.problem import populations
from rfsim.problem.activations import ACTIVATIONS, centered
from rfsim.problem.diffusion import diffuse, forward, noise_variance
from rfsim.problem.laws import Law
from rfsim.sample.moments import assembly, averaged_moments, host, sampled_moments, tensor

TANH = ACTIVATIONS["tanh"]
NUMPY = {
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf),
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "sine": np.sin,
    "hermite3": lambda x: (x**3 - 3 * x) / math.sqrt(6),
}


def two_dimensional(weights, law, name, noise_scale, nodes=121):
    """M and N by a tensor trapezoid rule over the two features' own correlated noise, as (T1) defines them."""
    d = weights.shape[1]
    u = np.linspace(-9, 9, nodes)
    w = np.exp(-(u**2) / 2)
    w /= w.sum()
    sigma = NUMPY[name]
    covariance = (weights * law.variances) @ weights.T / d
    second, noise = np.zeros((2, 2)), np.zeros((2, d))
    root = np.linalg.cholesky(covariance)
    z = np.stack(np.meshgrid(u, u, indexing="ij")).reshape(2, -1)
    weight = np.outer(w, w).ravel()
    # E[ξ | pre-activations] is linear in their noise
    lift = noise_scale * np.linalg.solve(covariance, weights / math.sqrt(d)).T
    for center in law.centers:
        jitter = root @ z
        phi = sigma(weights @ center[:, None] / math.sqrt(d) + jitter)
        second += (phi * weight) @ phi.T / len(law.centers)
        noise += (phi * weight) @ (lift @ jitter).T / len(law.centers)
    return second, noise


LAWS = {
    "training points": Law(np.random.default_rng(3).standard_normal((6, 3)), np.zeros(3)),
    "isotropic": populations.read("isotropic:2").law(3),
    "atoms": populations.read("atoms:0.5@0.5,0.5@1.5").law(3),
    "subspace": populations.read("subspace:0.4").law(3),
    "mixture": populations.read("mixture:3").law(3),
}


@pytest.mark.parametrize(
    ("law", "name", "t"),
    [  # every law with tanh, every activation with one law: fast
        pytest.param(law, name, t, marks=() if name == "tanh" or law == "training points" else pytest.mark.slow)
        for law in sorted(LAWS)
        for name, t in (*((name, 0.1) for name in NUMPY), ("tanh", 0.01), ("tanh", 1.0), ("softplus", 1.0))
    ],
)
def test_two_features_equal_direct_quadrature(law, t, name):
    weights = np.random.default_rng(5).standard_normal((2, 3))
    scale = math.sqrt(noise_variance(t))
    at_t = diffuse(LAWS[law], t)
    found = averaged_moments(weights, at_t, ACTIVATIONS[name], noise_scale=scale, tolerance=1e-10, floor=1.0)
    second, noise = two_dimensional(weights, at_t, name, scale)
    np.testing.assert_allclose(found.second, second, atol=1e-10)
    np.testing.assert_allclose(found.noise, noise, atol=1e-10)
    assert found.error_bound <= 1e-10


@pytest.mark.parametrize("law", ["training points", "mixture"])
def test_moments_lie_within_five_standard_errors_of_monte_carlo(law):
    t, draws = 0.3, 200_000
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((9, 3))
    clean = LAWS[law]
    scale = math.sqrt(noise_variance(t))
    found = averaged_moments(weights, diffuse(clean, t), TANH, noise_scale=scale)
    x = clean.centers[np.arange(draws) % len(clean.centers)]
    x = x + rng.standard_normal(x.shape) * np.sqrt(clean.variances)
    xi = rng.standard_normal(x.shape)
    phi = np.tanh(forward(x, xi, t) @ weights.T / math.sqrt(3))
    for exact, left, right in ((found.second, phi, phi), (found.noise, phi, xi)):
        products = left[:, :, None] * right[:, None, :]
        error = products.std(axis=0) / math.sqrt(draws)
        assert np.all(np.abs(products.mean(axis=0) - exact) <= 5 * error)


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "t"), [(10, 0.1), (30, 0.01), (30, 1.0)])
def test_the_bound_holds_the_actual_error(dim, t):
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((8 * dim, dim))
    law = diffuse(Law(rng.standard_normal((2 * dim, dim)), np.zeros(dim)), t)
    scale = math.sqrt(noise_variance(t))
    fine = averaged_moments(weights, law, TANH, noise_scale=scale, tolerance=1e-6, floor=1e-8)
    coarse = averaged_moments(weights, law, TANH, noise_scale=scale, tolerance=1e-3, floor=1e-2)
    actual = np.linalg.norm(np.asarray(coarse.second - fine.second), 2)
    assert coarse.orders < fine.orders
    assert actual <= coarse.error_bound <= 1e-5
    # not an empty promise: the bound is within a factor of what is really left out
    assert coarse.error_bound <= 1e3 * actual


@pytest.mark.slow
def test_the_default_order_protects_the_smallest_eigenvalue():
    rng = np.random.default_rng(2)
    for dim, psi_p in ((10, 30), (20, 16), (40, 8), (40, 1)):
        weights = rng.standard_normal((psi_p * dim, dim))
        law = diffuse(Law(rng.standard_normal((4 * dim, dim)), np.zeros(dim)), 0.1)
        found = averaged_moments(weights, law, TANH, noise_scale=math.sqrt(noise_variance(0.1)))
        smallest = np.linalg.eigvalsh(np.asarray(found.second))[0]
        assert found.error_bound <= 1e-6 * smallest


@pytest.mark.slow
def test_streaming_and_tiling_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(4)
    weights = rng.standard_normal((70, 12))
    law = diffuse(Law(rng.standard_normal((33, 12)), np.zeros(12)), 0.1)
    whole = averaged_moments(weights, law, TANH, noise_scale=0.4)
    monkeypatch.setattr(assembly, "TILE", 16)
    monkeypatch.setattr(assembly, "CHUNK_BYTES", 1)
    parts = averaged_moments(weights, law, TANH, noise_scale=0.4)
    np.testing.assert_allclose(parts.second, whole.second, atol=1e-14)
    np.testing.assert_allclose(parts.noise, whole.noise, atol=1e-14)


def test_the_second_moment_is_symmetric_and_positive():
    rng = np.random.default_rng(6)
    weights = rng.standard_normal((50, 8))
    found = averaged_moments(weights, diffuse(populations.read("powerlaw:1").law(8), 0.2), TANH, noise_scale=0.5)
    second = np.asarray(found.second)
    np.testing.assert_array_equal(second, second.T)
    assert np.linalg.eigvalsh(second)[0] > 0


def test_too_many_orders_are_refused_with_the_bound_reached():
    rng = np.random.default_rng(7)
    for dim, sigma in ((4, TANH), (2, centered(ACTIVATIONS["relu"], 1.0))):  # no tensor rule for a kink
        weights = rng.standard_normal((40, dim))
        law = diffuse(Law(rng.standard_normal((4, dim)), np.zeros(dim)), 1.0)
        with pytest.raises(ValueError, match=rf"more than 30 Hermite orders at dim = {dim}: the error bound"):
            averaged_moments(weights, law, sigma, noise_scale=0.9, max_orders=30)


def test_tensor_quadrature_is_for_one_device():
    rng = np.random.default_rng(7)
    law = diffuse(Law(rng.standard_normal((4, 2)), np.zeros(2)), 1.0)
    ring = DeviceLayout(jax.sharding.Mesh(np.array(jax.devices()[:1]), ("features",)))
    with pytest.raises(ValueError, match="more than 2 Hermite orders at dim = 2: .*; use one device, a larger dim"):
        averaged_moments(rng.standard_normal((40, 2)), law, TANH, noise_scale=0.9, max_orders=2, layout=ring)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("name", ["tanh", "softplus"])
def test_few_dimensions_are_averaged_over_the_noise_itself(dim, name):
    rng = np.random.default_rng(16)
    weights, points = rng.standard_normal((14, dim)), rng.standard_normal((3, dim))
    scale, sigma = math.sqrt(noise_variance(0.5)), centered(ACTIVATIONS[name], 1.1)
    for clean in (Law(points, np.zeros(dim)), populations.read("isotropic").law(dim)):
        law = diffuse(clean, 0.5)
        # 2 orders are too few: what the series cannot reach is left to the tensor rule
        found = averaged_moments(weights, law, sigma, noise_scale=scale, floor=1e-4, max_orders=2)
        assert found.orders == 0
        assert found.error_bound <= 1e-10
        z, w = np.polynomial.hermite_e.hermegauss({1: 150, 2: 110, 3: 60}[dim])
        z = np.stack(np.meshgrid(*[z] * dim, indexing="ij")).reshape(dim, -1)
        w = np.prod(np.meshgrid(*[w / w.sum()] * dim, indexing="ij"), axis=0).ravel()
        second, noise = np.zeros((14, 14)), np.zeros((14, dim))
        for center in law.centers:
            x = center[:, None] + np.sqrt(law.variances)[:, None] * z
            phi = NUMPY[name](weights @ x / math.sqrt(dim)) - sigma.offset
            second += (phi * w) @ phi.T / len(law.centers)
            noise += scale * (phi * w) @ (z / np.sqrt(law.variances)[:, None]).T / len(law.centers)
        np.testing.assert_allclose(found.second, second, atol=1e-9)
        np.testing.assert_allclose(found.noise, noise, atol=1e-9)


def test_the_tensor_rule_and_the_series_agree_where_both_converge():
    rng = np.random.default_rng(17)
    weights = rng.standard_normal((3, 3))
    law = diffuse(Law(rng.standard_normal((4, 3)), np.zeros(3)), 0.1)
    series = averaged_moments(weights, law, TANH, noise_scale=0.4, floor=1e-6)
    direct = averaged_moments(weights, law, TANH, noise_scale=0.4, floor=1e-6, max_orders=2)
    assert (series.orders > 0, direct.orders) == (True, 0)
    np.testing.assert_allclose(direct.second, series.second, atol=2e-12)
    np.testing.assert_allclose(direct.noise, series.noise, atol=2e-12)


def test_tensor_rules_that_do_not_agree_are_refused_with_the_error_reached(monkeypatch):
    rng = np.random.default_rng(18)
    weights = rng.standard_normal((10, 2))
    law = diffuse(Law(rng.standard_normal((4, 2)), np.zeros(2)), 0.5)
    monkeypatch.setattr(tensor, "MOST_POINTS", 4000)
    with pytest.raises(ValueError, match=r"by tensor quadrature at dim = 2 is found to .*, asked is .*; use fewer"):
        averaged_moments(weights, law, TANH, noise_scale=0.8, floor=1e-4, max_orders=2)


def test_a_law_without_noise_is_refused():
    with pytest.raises(ValueError, match="diffuse it to a positive time first"):
        averaged_moments(np.ones((2, 2)), Law(np.ones((3, 2)), np.zeros(2)), TANH, noise_scale=0.1)


def test_frozen_moments_are_the_plain_averages():
    rng = np.random.default_rng(8)
    weights = rng.standard_normal((21, 4))
    draws = [tuple(rng.standard_normal((2, 9, 4))) for _ in range(3)]
    found = sampled_moments(weights, draws, TANH)
    x, xi = (np.concatenate(parts) for parts in zip(*draws, strict=True))
    phi = np.tanh(x @ weights.T / 2)
    np.testing.assert_allclose(found.second, phi.T @ phi / 27, atol=1e-14)
    np.testing.assert_allclose(found.noise, phi.T @ xi / 27, atol=1e-14)
    assert found.constant == pytest.approx((xi**2).sum() / (27 * 4))


def kinked_rules(name="relu"):
    """The closed form of relu, and relu as a callable with a declared kink."""
    sigma = centered(ACTIVATIONS[name], 1.2)
    return sigma, sigma._replace(closed=None)


@pytest.mark.slow
def test_the_closed_form_of_relu_equals_panels_split_at_its_kink():
    rng = np.random.default_rng(11)
    weights = rng.standard_normal((16, 12))
    for t, law in (
        (0.001, Law(rng.standard_normal((9, 12)), np.zeros(12))),
        (1.0, populations.read("powerlaw:1").law(12)),
    ):
        scale, at_t = math.sqrt(noise_variance(t)), diffuse(law, t)
        closed, panels = (
            averaged_moments(weights, at_t, sigma, noise_scale=scale, floor=1.0) for sigma in kinked_rules()
        )
        assert closed.orders == panels.orders
        np.testing.assert_allclose(panels.second, closed.second, atol=1e-13)
        np.testing.assert_allclose(panels.noise, closed.noise, atol=1e-13)
        assert panels.error_bound == pytest.approx(closed.error_bound, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("sigma", kinked_rules(), ids=["closed form", "panels"])
def test_more_orders_of_a_kinked_activation_change_no_more_than_the_bound(sigma):
    rng = np.random.default_rng(12)
    weights = rng.standard_normal((60, 10))
    law = diffuse(Law(rng.standard_normal((20, 10)), np.zeros(10)), 0.1)
    fine, coarse = (averaged_moments(weights, law, sigma, noise_scale=0.4, floor=x) for x in (1e-4, 1e2))
    actual = np.linalg.norm(np.asarray(coarse.second - fine.second), 2)
    assert coarse.orders < fine.orders
    assert actual <= coarse.error_bound <= 1e3 * actual


@pytest.mark.slow
def test_streaming_does_not_change_kinked_averages(monkeypatch):
    rng = np.random.default_rng(13)
    weights = rng.standard_normal((40, 12))
    law = diffuse(Law(rng.standard_normal((5, 12)), np.zeros(12)), 0.1)
    for sigma in kinked_rules():
        whole = averaged_moments(weights, law, sigma, noise_scale=0.4, floor=1.0)
        with monkeypatch.context() as patched:
            patched.setattr(assembly, "TILE", 16)
            patched.setattr(assembly, "CHUNK_BYTES", 1)
            parts = averaged_moments(weights, law, sigma, noise_scale=0.4, floor=1.0)
        np.testing.assert_allclose(parts.second, whole.second, atol=1e-14)
        np.testing.assert_allclose(parts.noise, whole.noise, atol=1e-14)


@pytest.mark.parametrize("dim", [1, 2, 20])
def test_polynomial_activations_need_the_orders_of_their_degree_and_no_more(dim):
    rng = np.random.default_rng(14)
    weights = rng.standard_normal((30, dim))
    law = diffuse(Law(rng.standard_normal((7, dim)), np.zeros(dim)), 0.1)
    for name, orders in (("linear", 2), ("hermite3", 4)):
        found = averaged_moments(weights, law, ACTIVATIONS[name], noise_scale=0.4)
        assert found.orders == orders
        assert found.error_bound == 0.0
    # E (w·x)(w'·x)/d in closed form
    second = weights @ (law.centers.T @ law.centers / 7 + np.diag(law.variances)) @ weights.T / dim
    linear = averaged_moments(weights, law, ACTIVATIONS["linear"], noise_scale=0.4)
    np.testing.assert_allclose(linear.second, second, atol=1e-12)
    np.testing.assert_allclose(linear.noise, 0.4 * weights / math.sqrt(dim), atol=1e-13)


@pytest.mark.slow
def test_an_offset_is_not_a_new_program(monkeypatch):
    monkeypatch.setattr(arrays, "on_host", lambda: False)
    rng = np.random.default_rng(15)
    weights = rng.standard_normal((17, 6))
    law = diffuse(Law(rng.standard_normal((5, 6)), np.zeros(6)), 0.1)
    for name in ("relu", "softplus"):
        raw = ACTIVATIONS[name]
        averaged_moments(weights, law, centered(raw, 1.0), noise_scale=0.4, floor=0.1)
        compiled = assembly.coefficients._cache_size()
        averaged_moments(weights, law, centered(raw, 1.001), noise_scale=0.4, floor=0.1)
        assert assembly.coefficients._cache_size() == compiled


@pytest.mark.slow
def test_many_frozen_copies_approach_the_exact_average():
    rng = np.random.default_rng(9)
    weights, points = rng.standard_normal((12, 5)), rng.standard_normal((6, 5))
    t, copies = 0.2, 4000

    def draws():
        for _ in range(copies):
            xi = rng.standard_normal(points.shape)
            yield forward(points, xi, t), xi

    law = diffuse(Law(points, np.zeros(5)), t)
    exact = averaged_moments(weights, law, TANH, noise_scale=math.sqrt(noise_variance(t)))
    found = sampled_moments(weights, draws(), TANH)
    # entries of φφᵀ lie in [−1, 1], so 5/√(nm) bounds five standard errors
    assert float(jnp.abs(found.second - exact.second).max()) < 5 / math.sqrt(6 * copies)
    assert float(jnp.abs(found.noise - exact.noise).max()) < 5 / math.sqrt(6 * copies)


def test_float32_is_refused():
    import jax

    with jax.enable_x64(False), pytest.raises(RuntimeError, match="rfsim computes in float64"):
        averaged_moments(np.ones((2, 2)), LAWS["isotropic"], TANH, noise_scale=0.1)


def test_wide_preactivations_are_averaged_as_well():
    # powerlaw:2 puts nearly all variance on one direction: deviations up to several, poles of tanh close by
    rng = np.random.default_rng(10)
    weights = np.vstack([rng.standard_normal((2, 20)), np.eye(1, 20) * 4.5])
    law = diffuse(populations.read("powerlaw:2").law(20), 0.1)
    deviation = np.sqrt((weights**2 * law.variances).sum(1) / 20)
    assert deviation.max() > 3
    found = averaged_moments(weights, law, TANH, noise_scale=0.4, tolerance=1e-10, floor=1.0)
    second, noise = two_dimensional(weights[1:], law, "tanh", 0.4, nodes=601)
    np.testing.assert_allclose(found.second[1:, 1:], second, atol=1e-9)
    np.testing.assert_allclose(found.noise[1:], noise, atol=1e-9)


def test_one_dimension_with_many_features_is_averaged_over_the_noise_itself():
    weights = np.random.default_rng(12).standard_normal((500, 1))
    law = diffuse(Law(np.ones((2, 1)), np.zeros(1)), 0.1)
    found = averaged_moments(weights, law, TANH, noise_scale=math.sqrt(noise_variance(0.1)), floor=1e-4)
    z, w = np.polynomial.hermite_e.hermegauss(200)
    phi = np.tanh(weights * (math.exp(-0.1) + math.sqrt(noise_variance(0.1)) * z))
    np.testing.assert_allclose(found.second, (phi * w / w.sum()) @ phi.T, atol=1e-9)


def test_tiles_of_the_host_make_the_whole_matrix(monkeypatch):
    rng = np.random.default_rng(16)
    weights = rng.standard_normal((41, 6))
    law = diffuse(Law(rng.standard_normal((5, 6)), np.zeros(6)), 0.1)
    whole = averaged_moments(weights, law, TANH, noise_scale=0.4, floor=0.1)
    monkeypatch.setattr(host, "TILE", 16)
    monkeypatch.setattr(host, "POWER_ROWS", 8)
    tiled = averaged_moments(weights, law, TANH, noise_scale=0.4, floor=0.1)
    np.testing.assert_allclose(tiled.second, whole.second, atol=1e-14)
    np.testing.assert_allclose(tiled.second, tiled.second.T, atol=1e-15)
    assert tiled.error_bound == pytest.approx(whole.error_bound, rel=1e-9)
