from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest

from rfsim.limit import bulks
from rfsim.limit.large import large_densities, large_form, population_limit
from rfsim.limit.quantiles import mass_below
from tests.theory.cases import limit_of


def silverstein_edges(limit):
    """Edges of a²WΣ_tWᵀ/d + v² + s² from z(w) = w + ∫σ w/(w − ψ_pσ): its real extrema, w = −1/q."""
    psi_p = limit.features_per_dim
    sigma = limit.gain * (limit.signal * np.asarray(limit.values) + limit.noise)
    weights = np.asarray(limit.weights)
    # z'(w) = 0 as a polynomial: ∏(w − t)² − Σ weights t²/ψ_p ∏_others(w − t)²
    squares = [np.poly1d([1, -t]) ** 2 for t in psi_p * sigma]
    whole = reduce(np.polymul, squares)
    for k, t in enumerate(psi_p * sigma):
        others = reduce(np.polymul, [*squares[:k], *squares[k + 1 :]], np.poly1d([1.0]))
        whole = whole - weights[k] * t**2 / psi_p * others
    w = np.sort([root.real for root in whole.roots if abs(root.imag) < 1e-9 * abs(root)])
    z = w * (1 + (weights * sigma / (w[:, None] - psi_p * sigma)).sum(1))
    return np.sort(z) + limit.v2 + limit.s2


@pytest.mark.parametrize("data", ["isotropic", "isotropic:2", "atoms:0.5@0.5,0.5@1.5"])
@pytest.mark.parametrize("psi_p", [0.5, 64])
def test_edges_of_the_population_by_a_second_route(psi_p, data):
    limit = limit_of(8, psi_p, data=data)
    found = [edge for one in large_form(limit).gen.intervals for edge in one]
    np.testing.assert_allclose(found, silverstein_edges(limit), rtol=1e-9)


def test_the_published_bulk_of_the_population():
    """equations.md §5: at ψ_n = 8, ψ_p = 64, t = 0.1 Ũ's bulk is [18.0, 29.7]."""
    form = large_form(limit_of(8, 64))
    ((lower, upper),) = form.gen.intervals
    assert (f"{lower:.1f}", f"{upper:.1f}") == ("18.0", "29.7")
    assert (form.atom.mass, form.mem.mass, form.gen.mass) == (0.859375, 0.125, 0.015625)


@pytest.mark.parametrize(("psi_n", "psi_p", "m"), [(8, 64, math.inf), (8, 64, 2), (16, 4, 1), (8, 0.5, 3)])
def test_densities_hold_their_masses(psi_n, psi_p, m):
    limit = limit_of(psi_n, psi_p, m=m)
    form = large_form(limit)
    assert form.atom.mass + form.mem.mass + form.gen.mass == pytest.approx(1, abs=1e-15)
    angle = (np.arange(200) + 0.5) * np.pi / 200
    for k, part in enumerate((form.mem, form.gen)):
        total = 0.0
        for lower, upper in part.intervals:
            center, half = (lower + upper) / 2, (upper - lower) / 2
            rho = large_densities(limit, center + half * np.cos(angle))[k]
            total += rho @ np.sin(angle) * half * np.pi / 200
        assert total == pytest.approx(part.mass, rel=1e-8)


def test_densities_are_zero_outside():
    mem, gen = large_densities(limit_of(8, 64), [0.02, 0.1, 1.0, 25.0, 40.0])
    assert (mem > 0).tolist() == [False, True, False, False, False]
    assert (gen > 0).tolist() == [False, False, False, True, False]


def test_the_exact_spectrum_approaches_it():
    """Main's edges and density as ψ_n grows at ψ_p = 100 ψ_n, and gen's edges as ψ_n^{-1/2}."""
    errors = []
    for psi_n in (100, 1600):
        limit = limit_of(psi_n, 100 * psi_n)
        found = {part.name: part for part in bulks.parts(limit)}
        form = large_form(limit)
        (mem,), (gen,) = form.mem.intervals, form.gen.intervals
        middle = math.sqrt(mem.lower * mem.upper)
        ratio = bulks.density(limit, [middle])[0] / large_densities(limit, [middle])[0][0]
        bulk, ends = found["main"], found["gen"]
        errors.append(
            [bulk.lower / mem.lower, bulk.upper / mem.upper, ratio, ends.lower / gen.lower, ends.upper / gen.upper]
        )
        assert found["null"].mass == pytest.approx(form.atom.mass, abs=1e-15)
        assert found["mini"].mass + found["main"].mass == pytest.approx(form.mem.mass, rel=1e-6)
    first, second = np.abs(np.array(errors) - 1)
    np.testing.assert_allclose(first[:3] / second[:3], 16, rtol=0.5)
    np.testing.assert_allclose(first[3:] / second[3:], 4, rtol=0.5)
    assert second.max() < 0.06


def test_at_infinitely_many_samples_the_engine_is_the_population():
    limit = population_limit(limit_of(8, 4, data="atoms:0.5@0.5,0.5@1.5"))
    near = limit_of(1e9, 4, data="atoms:0.5@0.5,0.5@1.5")
    lam = np.array([0.6, 1.0, 2.5])
    np.testing.assert_allclose(bulks.density(limit, lam), bulks.density(near, lam), rtol=1e-6)
    np.testing.assert_allclose(mass_below(limit, lam), mass_below(near, lam), atol=1e-7)


def test_parts_that_do_not_exist_have_no_mass():
    noise = large_form(limit_of(8, 64)._replace(gain=0.0))
    assert noise.gen == (0.0, ())
    assert noise.mem.mass == 0.125
    linear = limit_of(8, 64)._replace(v2=0.0, s2=0.0)
    assert large_form(linear).mem == (0.0, ())
    assert large_form(linear).atom.mass == pytest.approx(63 / 64)
    assert [rho[0] > 0 for rho in large_densities(linear, [24.0])] == [False, True]
