"""Averages over the noise, interpolated from a few pre-activations and deviations (equations.md T3)."""

from __future__ import annotations

import numpy as np
import pytest

from rfsim.computing.numerics import chebyshev_points, chebyshev_polynomials
from rfsim.problem.activations import ACTIVATIONS, Activation
from rfsim.problem.diffusion import diffuse
from rfsim.problem.laws import Law
from rfsim.sample.moments import averages
from rfsim.sample.moments.host import Host
from rfsim.sample.moments.interpolated import STEP, Interpolated, factors, in_products, interpolated
from rfsim.sample.moments.planning import choose_rule, geometry_of, run_pilot

STEPPED = Activation("stepped", lambda x: abs(x - 0.3), kinks=(0.3,))


def asked(sigma, *, t, dim=30, features=600, samples=300, scale=1.0):
    """What `interpolated` is asked, its rule first, of normal weights and points."""
    rng = np.random.default_rng(0)
    weights, points = rng.standard_normal((features, dim)), scale * rng.standard_normal((samples, dim))
    law = diffuse(Law(points, np.zeros(dim)), t)
    geometry = geometry_of(weights, law)
    pilot = run_pilot(weights, law, geometry, sigma, 20)
    return choose_rule(pilot, sigma, 12), pilot, weights, law.centers, geometry.deviation, sigma, 12


@pytest.mark.parametrize("t", [0.1, 1.0])
@pytest.mark.parametrize("sigma", [ACTIVATIONS["tanh"], ACTIVATIONS["softplus"], STEPPED], ids=lambda one: one.name)
def test_every_feature_and_center_is_as_by_the_rule_itself(sigma, t):
    rule, _, weights, centers, deviation, _, orders = given = asked(sigma, t=t)
    found = interpolated(*given)
    assert isinstance(found, Interpolated)
    assert found.points * found.spreads < len(weights) * len(centers) / 10
    eta = weights @ centers.T / np.sqrt(weights.shape[1])
    assert np.abs(eta).max() == pytest.approx(found.reach)
    g, square = found.host(eta, deviation, found.window(0, orders), sigma.offset)
    known, power = rule.host(eta, deviation, rule.window(0, orders), sigma.offset)
    accuracy = 2e-13 if sigma.kinks else 2e-14
    np.testing.assert_allclose(g, known, rtol=0, atol=accuracy * np.sqrt(max(power.max(), 1)))
    np.testing.assert_allclose(square, power, rtol=0, atol=accuracy * max(power.max(), 1))


def test_later_orders_are_as_by_the_rule_itself():
    rule, _, weights, centers, deviation, sigma, _ = given = asked(ACTIVATIONS["tanh"], t=0.1)
    found = interpolated(*given)
    eta = weights[:5] @ centers.T / np.sqrt(weights.shape[1])
    g, _ = found.host(eta, deviation[:5], found.window(7, 5), sigma.offset)
    known, _ = rule.host(eta, deviation[:5], rule.window(7, 5), sigma.offset)
    assert g.shape == known.shape == (5, 5, len(centers))
    np.testing.assert_allclose(g, known, rtol=0, atol=2e-14)


def test_one_order_more_is_one_order():
    """The last round before the largest number of orders may add one alone, without g_1."""
    rule, _, weights, centers, deviation, sigma, _ = asked(ACTIVATIONS["tanh"], t=0.1, features=40, samples=40)
    work, scaled = Host(len(weights)), weights / np.sqrt(weights.shape[1])
    given = scaled, deviation, centers
    g, sums = work.coefficients(*given, rule.window(0, 12), sigma.offset, rule)
    one, (power, energy, _) = work.coefficients(*given, rule.window(11, 1), sigma.offset, rule)
    np.testing.assert_allclose(one, g[11:], atol=1e-15)
    np.testing.assert_allclose(power, sums[0], rtol=1e-14)
    np.testing.assert_allclose(energy, (g[11] ** 2).sum(axis=1), atol=1e-15)


@pytest.mark.parametrize(
    ("sigma", "case"),
    [
        pytest.param(ACTIVATIONS["tanh"], {"t": 0.1, "features": 40, "samples": 40}, id="few pairs"),
        pytest.param(ACTIVATIONS["relu"], {"t": 0.1}, id="closed form"),
        pytest.param(ACTIVATIONS["tanh"], {"t": 0.001}, id="too narrow a noise"),
        pytest.param(STEPPED, {"t": 0.01}, id="too narrow a noise, kinks"),
        pytest.param(ACTIVATIONS["tanh"], {"t": 0.01, "scale": 30.0}, id="too wide data"),
    ],
)
def test_what_interpolation_does_not_help_is_as_it_was(sigma, case):
    given = asked(sigma, **case)
    assert interpolated(*given) is given[0]


def test_one_deviation_and_points_at_the_origin():
    """T of one value, η of one value: an interval of length 0 in each."""
    rule, pilot, weights, centers, deviation, sigma, orders = asked(ACTIVATIONS["tanh"], t=0.1)
    same, origin = np.full_like(deviation, deviation[0]), np.zeros_like(centers)
    found = interpolated(
        rule,
        pilot._replace(deviation=np.full_like(pilot.deviation, deviation[0])),
        *(weights, origin, same, sigma, orders),
    )
    one = found if isinstance(found, Interpolated) else Interpolated(rule, sigma.offset, 1.0, (same[0], same[0]), 96, 1)
    eta = np.zeros((len(weights), 3))
    g, square = one.host(eta, same, one.window(0, orders), sigma.offset)
    known, power = rule.host(eta, same, rule.window(0, orders), sigma.offset)
    np.testing.assert_allclose(g, known, atol=2e-14)
    np.testing.assert_allclose(square, power, atol=2e-14)


@pytest.mark.parametrize(("activation", "dim"), [("tanh", 30), ("softplus", 60)])
def test_moments_are_those_without_interpolation(activation, dim, monkeypatch):
    rng = np.random.default_rng(1)
    weights, law = rng.standard_normal((400, dim)), diffuse(Law(rng.standard_normal((400, dim)), np.zeros(dim)), 0.1)
    used = []

    def watched(*given):
        used.append(interpolated(*given))
        return used[-1]

    monkeypatch.setattr(averages, "interpolated", watched)
    found = averages.averaged_moments(weights, law, ACTIVATIONS[activation], noise_scale=0.4)
    assert all(isinstance(one, Interpolated) for one in used)
    monkeypatch.setattr(averages, "interpolated", lambda rule, *_: rule)
    known = averages.averaged_moments(weights, law, ACTIVATIONS[activation], noise_scale=0.4)
    np.testing.assert_allclose(found.second, known.second, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.noise, known.noise, rtol=0, atol=1e-14)
    assert found.orders == known.orders
    assert found.error_bound == pytest.approx(known.error_bound, rel=1e-4)


def test_chebyshev_series_of_many_points_keep_their_digits():
    """Coefficients of e^x fall below rounding, and stay there."""
    nodes, transform = chebyshev_points(256)
    series = np.exp(nodes) @ transform
    assert np.abs(series[20:]).max() < 1e-15
    x = np.linspace(-1, 1, 101)
    np.testing.assert_allclose(series @ chebyshev_polynomials(x, 256), np.exp(x), rtol=1e-14)


def test_products_span_the_same_polynomials():
    rng, x = np.random.default_rng(0), np.linspace(-1, 1, 50)
    series = rng.standard_normal((3, 5 * STEP))
    near, far = factors(x, 5 * STEP)
    by_products = in_products(series) @ (far[:, None] * near).reshape(5 * STEP, -1)
    np.testing.assert_allclose(by_products, series @ chebyshev_polynomials(x, 5 * STEP), atol=1e-12)
