"""The spectrum with many features at finite m: eigenvalues of draws, finite widths, exact traces, both ends of m."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim import Problem, theory
from rfsim.limit.wide_copies import copies_density, copies_parts

INF = math.inf
TWO = "atoms:0.5@0.5,0.5@1.5"
SETTINGS = [
    {"samples_per_dim": 2, "noise_copies": 3, "diffusion_time": 0.2},
    {"samples_per_dim": 0.5, "noise_copies": 4, "diffusion_time": 0.3},
    {"samples_per_dim": 2, "noise_copies": 2, "diffusion_time": 0.5, "data": TWO},
    {"samples_per_dim": 3, "noise_copies": 1, "diffusion_time": 0.1},
]


def wide(**changes):
    return Problem(**{"features_per_dim": INF} | changes)


def kernel(limit, dim, seed=0):
    """Of the n m rows of a draw, whose eigenvalues are U's over ψ_p."""
    n, m, rng = int(limit.samples_per_dim * dim), round(limit.noise_copies), np.random.default_rng(seed)
    scales = np.sqrt(np.repeat(limit.values, np.round(np.asarray(limit.weights) * dim).astype(int)))
    clean = np.repeat(rng.standard_normal((n, dim)) * scales, m, axis=0)
    y = math.sqrt(limit.signal) * clean + math.sqrt(limit.noise) * rng.standard_normal((n * m, dim))
    frozen = limit.v2 * np.kron(np.eye(n), np.ones((m, m))) + limit.s2 * np.eye(n * m)
    return (limit.gain * y @ y.T / dim + frozen) / (limit.samples_per_dim * m)


@pytest.mark.parametrize("setting", SETTINGS)
def test_parts_hold_the_eigenvalues_of_a_draw(setting):
    limit = theory.limit(Problem(**setting))
    parts, dim = copies_parts(limit), 300
    eigenvalues = np.linalg.eigvalsh(kernel(limit, dim))
    borders = np.round(np.cumsum([0.0, *(part.mass for part in parts)]) * dim).astype(int)
    assert borders[-1] == eigenvalues.size
    assert parts[-1].name == "gen"
    for part, start, end in zip(parts, borders, borders[1:], strict=False):
        own = eigenvalues[start:end]
        assert own.mean() == pytest.approx(part.mean, rel=0.01), part.name
        if part.lower == part.upper:
            np.testing.assert_allclose(own, part.mean, rtol=1e-9)
        width = part.upper - part.lower
        assert own[0] > part.lower - 0.03 * width - 1e-12
        assert own[-1] < part.upper + 0.03 * width + 1e-12


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_mean_of_all_is_the_mean_square_of_features(setting):
    problem = Problem(**setting)
    limit = theory.limit(problem)
    found = theory.spectrum(wide(**setting))
    power = float(limit.signal * (limit.weights @ limit.values) + limit.noise)
    assert float(found.mass @ found["mean"]) == pytest.approx(limit.gain * power + limit.v2 + limit.s2, rel=1e-8)
    assert float(found.mass.sum()) == pytest.approx(problem.samples_per_dim * problem.noise_copies, rel=1e-12)
    assert float(found.density_residual.max()) < 1e-8
    assert found.attrs["per"] == "dimension"


def test_finite_widths_approach_it():
    """Edges, means and the density itself, by the 3 × 3 equations of finite ψ_p."""
    setting = {"samples_per_dim": 2, "noise_copies": 3, "diffusion_time": 0.2}
    found = theory.spectrum(wide(**setting))
    widths = [1600.0, 6400.0]
    others = [theory.spectrum(Problem(features_per_dim=p, **setting)) for p in widths]
    for part, edge in (("gen", "lower"), ("gen", "upper"), ("gen", "mean")):
        near, far = (float(one[edge].sel(part=part)) / p for one, p in zip(others, widths, strict=True))
        assert (4 * far - near) / 3 == pytest.approx(float(found[edge].sel(part=part)), rel=2e-3), (part, edge)
    limit = theory.limit(Problem(**setting))
    u = np.array([0.2, 0.4, 0.6])
    own = copies_density(limit, u)[0]
    near, far = (theory.density(limit._replace(features_per_dim=p), u * p) * p**2 for p in widths)
    np.testing.assert_allclose((4 * far - near) / 3, own, rtol=1e-3)


def test_many_copies_are_the_averaged_noise():
    setting = {"samples_per_dim": 2, "diffusion_time": 0.2}
    end = theory.spectrum(wide(**setting))
    found = theory.spectrum(wide(**setting, noise_copies=1e5))
    for name in ("mini", "main", "gen"):
        for value in ("mass", "mean", "lower", "upper"):
            here, there = (float(one[value].sel(part=name)) for one in (found, end))
            assert here == pytest.approx(there, rel=1e-3), (name, value)


def test_a_linear_activation_has_gen_alone():
    """Eigenvalues of YYᵀ/(n m): those of Marchenko and Pastur at m = 1."""
    found = theory.spectrum(wide(samples_per_dim=4, noise_copies=1, activation="linear", diffusion_time=0.3))
    assert [str(name) for name in found.part.values] == ["gen"]
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [0.25, 2.25], rtol=1e-8)
    assert float(found["mean"][0]) == pytest.approx(1.0, rel=1e-8)
    lam = found.eigenvalue.values
    exact = 4 * np.sqrt((lam - 0.25) * (2.25 - lam)) / (2 * np.pi * lam)
    np.testing.assert_allclose(found.density, exact, rtol=1e-6)


def test_without_a_linear_part_there_are_two_atoms():
    found = theory.spectrum(wide(samples_per_dim=2, noise_copies=3, activation="hermite3", diffusion_time=0.3))
    v2, s2 = float(found.v2), float(found.s2)
    np.testing.assert_allclose(found["mean"], [s2 / 6, v2 / 2 + s2 / 6], rtol=1e-12)
    np.testing.assert_allclose(found.mass, [4.0, 2.0], rtol=1e-12)


def test_a_point_at_an_atom_is_refused():
    found = theory.spectrum(wide(samples_per_dim=2, noise_copies=3))
    with pytest.raises(ValueError, match="^the density has no value at an atom of frozen noise; leave that point out"):
        theory.spectrum(wide(samples_per_dim=2, noise_copies=3), grid=[float(found.lower.sel(part="main"))])
