from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.limit import solver
from rfsim.limit.equations import Point, differences, equations, state
from rfsim.limit.solver import NotConverged, solve
from rfsim.problem.model import Problem
from rfsim.theory import curves
from tests.theory.cases import gaussian_equivalent, limit_of

CASES = [
    (4, 16, 0.1, math.inf, "isotropic"),
    (4, 16, 0.1, 2, "isotropic"),
    (2, 0.5, 0.01, 1, "isotropic:2"),
    (4, 16, 0.1, math.inf, "atoms:0.5@0.5,0.5@1.5"),
    (0.5, 8, 1.0, 4, "subspace:0.25"),
]


@pytest.fixture(params=CASES, ids=str)
def limit(request):
    return limit_of(*request.param)


def points(count=40, seed=0):
    rng = np.random.default_rng(seed)
    return 10 ** rng.uniform(-4, 3, count) * np.exp(1j * rng.uniform(-3.1, 3.1, count))


def test_solutions_are_roots_on_the_branch_of_a_resolvent(limit):
    z = points()
    found = solve(limit, z)
    assert float(found.residual.max()) <= 1e-13
    for value in found.state[:3]:
        assert np.all(np.sign(value.imag) == np.sign(z.imag))
    mirrored = solve(limit, z.conj()).state
    np.testing.assert_array_equal(mirrored.q, found.state.q.conj())


def test_far_away_q_is_a_series_of_the_moments(limit):
    """q = −1/z − (1/p Tr U)/z² …, (1/p) Tr U = E σ² = a²Γ² + v² + s²; r and h begin with Tr WᵀW/(pd) and Tr Σ/d."""
    z = 1e7 * np.exp(1j * np.array([0.3, 2.0, -1.0]))
    found = solve(limit, z).state
    power = float(limit.weights @ limit.values)
    trace = limit.gain * (limit.signal * power + limit.noise) + limit.v2 + limit.s2
    np.testing.assert_allclose(-z * (1 + z * np.asarray(found.q)), trace, rtol=1e-4)
    np.testing.assert_allclose(-z * np.asarray(found.r), 1, rtol=1e-4)
    np.testing.assert_allclose(-z * np.asarray(found.h), power, rtol=1e-4)


@jax.jit
def jacobians(limit, x, z):
    def left(v, at):
        return jnp.stack(equations(limit, state(limit, Point(*v)), at - limit.floor)[0])

    stacked = jnp.stack([x.q, x.r, x.h], axis=1)
    return jax.vmap(jax.jacfwd(left, holomorphic=True))(stacked, z), differences(limit, x, x)


def test_the_matrix_of_differences_is_the_jacobian(limit):
    z = points(6)
    automatic, system = jacobians(limit, solve(limit, z).state, z)
    mine = np.moveaxis(np.array(system.rows), 2, 0)
    np.testing.assert_allclose(mine, automatic, rtol=1e-9, atol=1e-12 * np.abs(automatic).max())
    np.testing.assert_allclose(system.determinant, np.linalg.det(mine), rtol=1e-9)


@jax.jit
def slopes(limit, x, y):
    ones = limit.features_per_dim * jnp.ones_like(x.q)
    return differences(limit, x, y).solve(Point(ones, 0 * ones, 0 * ones))


def test_differences_between_solutions_are_exact(limit):
    z, other = points(20, 1), points(20, 2)
    x, y = solve(limit, z).state, solve(limit, other).state
    for change, a, b in zip(slopes(limit, x, y), x[:3], y[:3], strict=True):
        np.testing.assert_allclose(change * (z - other), a - b, rtol=1e-8)


def test_below_the_spectrum_solutions_are_real_and_rise(limit):
    found = solve(limit, [-10.0, -1.0, -0.01]).state
    for value in found[:3]:
        np.testing.assert_allclose(value.imag / value.real, 0, atol=1e-12)
        assert np.all(np.diff(value.real) > 0)  # as Stieltjes transforms do


def test_marchenko_pastur_where_features_are_noise():
    """Without the linear part U = v² ΩΩᵀ/n + s², and q(z) is the transform of ratio ψ_p/ψ_n at z − s²."""
    limit = limit_of(4, 6)._replace(gain=0.0)
    z = points()
    c, u = 1.5, (z - limit.s2) / limit.v2
    root = np.sqrt((u - 1 - c) ** 2 - 4 * c + 0j)
    found = np.asarray(solve(limit, z).state.q) * limit.v2
    roots = np.stack([(1 - c - u + root) / (2 * c * u), (1 - c - u - root) / (2 * c * u)])
    exact = np.where(np.sign(roots[0].imag) == np.sign(z.imag), roots[0], roots[1])
    np.testing.assert_allclose(found, exact, rtol=1e-9)


def test_marchenko_pastur_where_samples_abound():
    """n ≫ p: U is its population, a²Γ² WWᵀ/d + v² + s², another Marchenko–Pastur law."""
    limit = limit_of(1e9, 4)
    scale, shift = limit.gain, limit.v2 + limit.s2
    z = np.array([0.5 + 0.2j, 3 + 1j, 10 + 0.1j])
    q, u = np.asarray(solve(limit, z).state.q) * scale, (z - shift) / scale
    # WWᵀ/d with ψ_p = 4: the quadratic of the Marchenko–Pastur transform
    np.testing.assert_allclose(4 * u * q**2 + (u + 4 - 1) * q + 1, 0, atol=1e-6)


@pytest.mark.parametrize("m", [2, math.inf])
@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@1.5"])
def test_a_gaussian_equivalent_sample_has_these_traces(m, data):
    limit, dim = limit_of(3, 6, 0.1, m, data), 80
    u, *_ = gaussian_equivalent(limit, dim, 0)
    lam = np.linalg.eigvalsh(u)
    z = np.array([-0.01, 0.05 + 0.05j, 3 + 2j])
    expected = (1 / (lam - z[:, None])).mean(1)
    np.testing.assert_allclose(solve(limit, z).state.q, expected, rtol=0.02)


def test_the_solver_maps_over_parameters():
    z = np.array([1 + 1j])
    psi = np.array([2.0, 4.0, 8.0])
    limit = limit_of(4, 16)
    mapped = jax.jit(jax.vmap(lambda n: solver.solve_core(limit._replace(samples_per_dim=n), z - limit.floor).state.q))(
        psi
    )
    for n, q in zip(psi, mapped, strict=True):
        np.testing.assert_allclose(q, solve(limit._replace(samples_per_dim=float(n)), z).state.q, rtol=1e-12)


@pytest.mark.slow
def test_an_unconverged_point_is_named():
    limit = limit_of(4, 16)
    found = solver.solve_core(limit, jnp.array([0.02 + 0j, 1j]), solver.path(2, 1, 0.1, 1, 0))
    with pytest.raises(NotConverged, match=r"2 of 2 points.*residual is .*samples_per_dim 4, .*noise_copies inf"):
        solver.require_converged(limit, found)
    good = solve(limit, [0.02, 1j])
    wrong = good._replace(branch=np.array([True, False]))
    with pytest.raises(NotConverged, match=r"1 of 2 points.* z = 0\+1j .*, on a wrong branch"):
        solver.require_converged(limit, wrong)


def test_an_attempt_tells_which_points_converged(monkeypatch):
    limit, far = limit_of(4, 16), 1e3 * float(limit_of(4, 16).ceiling)
    for name in ("FAST_PATH", "PATH", "SLOW_PATH"):
        monkeypatch.setattr(solver, name, solver.path(2, 1, 0.1, 1, 0))
    found = solver.attempt_above(limit, [-far, 0.02])
    assert found.converged.tolist() == [True, False]
    assert found.residual[1] > solver.TOLERANCE
    with pytest.raises(NotConverged, match="1 of 2 points"):
        solver.solve_above(limit, [-far, 0.02])


def test_a_hard_point_is_tried_again_in_small_steps(monkeypatch):
    for name in ("FAST_PATH", "PATH"):
        monkeypatch.setattr(solver, name, solver.path(2, 1, 0.1, 1, 0))
    assert float(solve(limit_of(4, 16), [1j]).residual[0]) <= 1e-12


def test_what_is_called_inside_refuses_float32():
    limit = limit_of(4, 16)
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="float64"):
        solver.solve_above(limit, [1j])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("psi_n", "psi_p", "t", "ridge", "stated"),
    [
        (0.0678, 7.63, 0.03, 1e-5, [1.84818593, 5.47547334, 5.47547334]),
        (0.147, 10.5, 0.0034, 1e-8, [1.02568302, 57.50001243, 66.11948732]),
    ],
)
def test_the_sign_of_h_tells_a_wrong_solution_on_a_short_path(psi_n, psi_p, t, ridge, stated):
    # here the short path ends on points with the right q, and signs of q and r, whose r is a fifth off
    problem = Problem(
        samples_per_dim=psi_n, features_per_dim=psi_p, diffusion_time=t, noise_copies=8, ridge=ridge,
        data="atoms:0.5@0.1,0.5@2",
    )  # fmt: skip
    found = curves(problem, [1e2, 1e5, np.inf])
    np.testing.assert_allclose(found.test, stated, rtol=1e-8)  # stated to 8 decimals; a wrong root moved one by 3e-8
    assert float(found.error.max()) < 1e-8
