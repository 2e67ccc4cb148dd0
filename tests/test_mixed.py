"""High orders of U in float32: what they round stays within the bound that is told (equations.md §2)."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import rfsim
from rfsim.problem import origins, realization
from rfsim.problem.activations import ACTIVATIONS
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.laws import Law
from rfsim.sample.moments import averaged_moments, averages, mixed
from rfsim.sample.moments.host import Host
from rfsim.sample.moments.mixed import Mixed
from rfsim.sample.moments.planning import Geometry, geometry_of

SERIES = [name for name, sigma in ACTIVATIONS.items() if sigma.degrees is None]
CASES = [
    pytest.param(
        name,
        dim,
        t,
        marks=() if dim == 10 and (t == 0.1 or name == "tanh") else pytest.mark.slow,
        id=f"{name}-{dim}-{t}",
    )
    for name in SERIES
    for dim in (10, 30, 100)
    for t in (0.01, 0.1, 1.0)
]


def moments(problem, dim, *, least, monkeypatch, **options):
    """U of a draw, orders in float32 from `least` features on, and how many orders there were in either precision."""
    asked = []

    class Watched(Mixed):
        def __init__(self, features, single):
            asked.append(single)
            super().__init__(features, single)

    monkeypatch.setattr(averages, "Mixed", Watched)
    monkeypatch.setattr(mixed, "LEAST_FEATURES", least)
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, dim), 0)
    scale = math.sqrt(noise_variance(problem.diffusion_time))
    law = realization.training_law(draw, problem.diffusion_time)
    return averaged_moments(draw.weights, law, draw.sigma, noise_scale=scale, **options), asked


@pytest.mark.parametrize(("activation", "dim", "diffusion_time"), CASES)
def test_the_bound_covers_what_float32_rounds(activation, dim, diffusion_time, monkeypatch):
    problem = rfsim.Problem(2, 3, diffusion_time=diffusion_time, activation=activation)
    found, (single,) = moments(problem, dim, least=1, monkeypatch=monkeypatch, ridge=1e-3)
    exact, asked = moments(problem, dim, least=10**9, monkeypatch=monkeypatch, ridge=1e-3, tolerance=1e-8)
    assert not asked
    assert single < found.orders  # some orders were in float32
    smallest = np.linalg.eigvalsh(exact.second)[0]
    resolved = 1e-15 * len(exact.second) * np.linalg.norm(exact.second, 2)
    assert np.linalg.norm(found.second - exact.second, 2) <= found.error_bound + exact.error_bound + resolved
    assert found.error_bound <= 1e-6 * (smallest + 1e-3) * 1.5  # the moments' own estimate of λ_min stands in for it


@pytest.fixture
def tile():
    """g (orders, features, centers), directions (features, dim), of two tiles, and weights that fall with the order."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((600, 20))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    g = rng.standard_normal((6, 600, 50)) * 0.5 ** np.arange(6)[:, None, None]
    return g, directions


@pytest.mark.parametrize("single", [0, 1, 3])
@pytest.mark.parametrize("first", [0, 2])
def test_entries_keep_to_the_bound_on_entries(tile, single, first):
    g, directions = tile
    double, work = Host(600), Mixed(600, single)
    known = double.add_orders(double.zero(), g, directions, 1 / 50, first, 6)
    found = work.add_orders(work.zero(), g, directions, 1 / 50, first, 6)
    off = np.abs(found - known)
    np.fill_diagonal(off, 0.0)  # known by quadrature
    low = max(single - first, 0)
    energy = np.einsum("sic,sic->i", g[low:], g[low:]) / 50
    c = np.abs(directions @ directions.T)
    entries = mixed.rounding(50, 6 - low) * c ** max(single, first) * np.sqrt(np.outer(energy, energy))
    assert (off <= entries + 1e-15).all()
    assert off.max() > 1e-10 if single == 0 and first == 0 else off.max() > 0  # that of float32, and not less
    assert np.linalg.norm(off) <= work.error_bound(directions)


@pytest.mark.parametrize("scale", [1e17, 1e-25])
def test_numbers_that_float32_does_not_hold_are_bounded_too(tile, scale):
    g, directions = tile
    double, work = Host(600), Mixed(600, 0)
    known = double.add_orders(double.zero(), scale * g, directions, 1 / 50, 0, 6)
    found = work.add_orders(work.zero(), scale * g, directions, 1 / 50, 0, 6)
    assert np.isfinite(found).all()
    np.fill_diagonal(found, np.diagonal(known))
    assert np.linalg.norm(found - known) <= work.error_bound(directions) + 1e-14 * np.linalg.norm(known)


def test_an_estimate_that_is_far_off_ends_in_float64(monkeypatch):
    """A bound that float32 does not keep is no reason to add orders: they are all summed again, in float64."""
    problem = rfsim.Problem(2, 3, diffusion_time=0.1)
    known, _ = moments(problem, 10, least=10**9, monkeypatch=monkeypatch)
    monkeypatch.setattr(averages, "choose_single", lambda *_: 0)
    found, (single,) = moments(problem, 10, least=1, monkeypatch=monkeypatch)
    assert single == 0
    np.testing.assert_array_equal(found.second, known.second)
    assert found.error_bound == known.error_bound


def test_forty_digits(monkeypatch):
    """E φφᵀ by a trapezoid rule over the plane of two noises, whose error is e^(−90)."""
    dim, t = 10, 0.1
    problem = rfsim.Problem(samples_per_dim=0.2, features_per_dim=0.3, diffusion_time=t)
    found, (single,) = moments(problem, dim, least=1, monkeypatch=monkeypatch, ridge=1e-2)
    assert single < found.orders
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, dim), 0)
    law = realization.training_law(draw, t)
    eta = draw.weights @ law.centers.T / math.sqrt(dim)
    geometry = geometry_of(draw.weights, law)
    for i in range(3):
        for j in range(i):
            exact = np.mean([_pair(geometry, eta[:, k], i, j) for k in range(2)])
            assert abs(found.second[i, j] - exact) <= found.error_bound
            assert abs(found.second[i, j] - exact) <= 1e-8 * abs(exact)


def _pair(geometry: Geometry, eta: np.ndarray, i: int, j: int) -> float:
    with mpmath.workdps(40):
        step, reach = mpmath.mpf(1) / 4, 52
        ti, tj = (mpmath.mpf(geometry.deviation[k]) for k in (i, j))
        c = mpmath.mpf(float(geometry.directions[i] @ geometry.directions[j]))
        s = mpmath.sqrt(1 - c**2)
        nodes = [k * step for k in range(-reach, reach + 1)]
        weights = [mpmath.exp(-(u**2) / 2) for u in nodes]
        total = mpmath.mpf(0)
        for u, w in zip(nodes, weights, strict=True):
            inner = mpmath.fsum(
                weight * mpmath.tanh(eta[j] + tj * (c * u + s * v)) for v, weight in zip(nodes, weights, strict=True)
            )
            total += w * mpmath.tanh(eta[i] + ti * u) * inner
        return float(total * step**2 / (2 * mpmath.pi))


def test_a_population_of_one_center_is_bounded_too(monkeypatch):
    monkeypatch.setattr(mixed, "LEAST_FEATURES", 1)
    rng = np.random.default_rng(0)
    weights, law = rng.standard_normal((60, 20)), Law(np.zeros((1, 20)), np.full(20, 0.8))
    found = averaged_moments(weights, law, ACTIVATIONS["tanh"], noise_scale=0.5)
    monkeypatch.setattr(mixed, "LEAST_FEATURES", 10**9)
    exact = averaged_moments(weights, law, ACTIVATIONS["tanh"], noise_scale=0.5, tolerance=1e-12)
    off = np.linalg.norm(found.second - exact.second, 2)
    assert 0 < off <= found.error_bound
