from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim import Problem
from rfsim.disk import store
from rfsim.limit import maps, solver
from rfsim.limit.dynamics import limit_curves
from rfsim.limit.maps import STATUS, flow_map
from rfsim.limit.minimizer import ridge_losses
from rfsim.theory.curves import curves
from rfsim.theory.diagram import diagram
from tests.theory.cases import limit_of

TIMES = np.array([1e3, 1e4])


def cells(count, seed, lower=1.0, upper=64.0):
    return np.exp(np.random.default_rng(seed).uniform(np.log(lower), np.log(upper), (2, count)))


def one_by_one(limit, psi_n, psi_p, tau, ridge=0.0, tolerance=1e-8):
    found = [
        limit_curves(
            limit._replace(samples_per_dim=float(n), features_per_dim=float(p)), tau, ridge, tolerance=tolerance
        ).curves
        for n, p in zip(psi_n, psi_p, strict=True)
    ]
    return np.array([[one.train, one.test] for one in found]).swapaxes(0, 1)


def assert_the_same(found, expected, relative):
    assert set(found.status) == {STATUS.index("converged")}
    assert found.residual.max() <= 1e-12
    scale = np.maximum(np.abs(expected[1] - expected[0]), maps.SMALL)
    assert np.all(np.abs([found.train, found.test] - expected) <= relative * scale)
    assert np.all(np.abs([found.train, found.test] - expected).max((0, 2)) <= found.error + 1e-8)


@pytest.mark.slow
def test_a_map_is_its_cells_one_by_one():
    psi_n, psi_p = cells(8, 0)
    found = flow_map(limit_of(8, 64), psi_n, psi_p, TIMES)
    assert_the_same(found, one_by_one(limit_of(8, 64), psi_n, psi_p, TIMES), 1e-7)


@pytest.mark.slow
def test_fifty_cells_of_a_map_at_both_tolerances():
    psi_n, psi_p = cells(50, 1)
    expected = one_by_one(limit_of(8, 64), psi_n, psi_p, TIMES)
    assert_the_same(flow_map(limit_of(8, 64), psi_n, psi_p, TIMES), expected, 1e-7)
    assert_the_same(flow_map(limit_of(8, 64), psi_n, psi_p, TIMES, tolerance=1e-8), expected, 3e-8)


@pytest.mark.slow
@pytest.mark.parametrize(("m", "ridge"), [(1, 1e-3), (16, 1e-5), (math.inf, 0.0), (math.inf, 1.0)])
@pytest.mark.parametrize("t", [1e-3, 0.1, 2.0])
def test_cells_far_apart_all_converge(t, m, ridge):
    limit = limit_of(8, 64, t, m, "atoms:0.5@0.5,0.5@1.5")
    psi_n, psi_p = cells(64, 2, 1e-2, 1e4)
    tau = np.array([10.0, 1e3, 1e5, np.inf])
    found = flow_map(limit, psi_n, psi_p, tau, ridge)
    few = maps.Map(*(values[:4] for values in found))
    assert set(found.status) == {STATUS.index("converged")}
    assert_the_same(few, one_by_one(limit, psi_n[:4], psi_p[:4], tau, ridge), 1e-6)


@pytest.mark.slow
def test_untrained_and_fully_trained_cells_are_known():
    """τ = 0 is the zero score; τ = ∞ with a ridge is its minimizer, solved on the real axis."""
    limit, ridge = limit_of(4, 16, m=2), 1e-2
    psi_n, psi_p = cells(4, 3, 0.5, 20)
    found = flow_map(limit, psi_n, psi_p, [0.0, np.inf], ridge, tolerance=1e-6)
    for k in range(4):
        late = ridge_losses(limit._replace(samples_per_dim=float(psi_n[k]), features_per_dim=float(psi_p[k])), [ridge])
        np.testing.assert_allclose(found.train[k], [1, late.train[0]], atol=1e-8)
        np.testing.assert_allclose(found.test[k], [1, late.test[0]], atol=1e-8)


@pytest.mark.slow
def test_where_eigenvalues_reach_zero_the_cell_is_named_not_drawn():
    """p = nm without a ridge has no contour; other cells have."""
    limit = limit_of(4, 8, m=2)
    found = flow_map(limit, [4.0, 4.0], [1.0, 8.0], TIMES)
    assert [STATUS[k] for k in found.status] == ["converged", "no-contour"]
    assert np.all(np.isnan([found.train[1], found.test[1]]))
    expected = one_by_one(limit, [4.0], [1.0], TIMES, tolerance=1e-4)
    np.testing.assert_allclose([found.train[:1], found.test[:1]], expected, atol=1e-4)


@pytest.mark.slow
def test_a_path_too_short_is_walked_again(monkeypatch):
    limit, (psi_n, psi_p) = limit_of(8, 64), cells(8, 0)
    expected = flow_map(limit, psi_n, psi_p, TIMES)
    monkeypatch.setattr(maps, "SHORT_PATH", solver.path(0, 1, 0.0, 1, 0))  # no step down from far away
    np.testing.assert_allclose(flow_map(limit, psi_n, psi_p, TIMES).test, expected.test, atol=1e-10)
    for name in ("PATH", "SLOW_PATH"):
        monkeypatch.setattr(solver, name, solver.path(0, 1, 0.0, 1, 0))
    found = flow_map(limit, psi_n, psi_p, TIMES)
    assert {STATUS[k] for k in found.status} == {"newton"}
    assert np.all(found.residual > maps.TOLERANCE)
    assert np.all(np.isnan(found.test))


@pytest.mark.slow
def test_too_few_nodes_leave_a_cell_empty_with_its_error(monkeypatch):
    monkeypatch.setattr(maps, "NODES", (48, 96))
    found = flow_map(limit_of(8, 64), [8.0], [64.0], TIMES, tolerance=1e-15)
    assert STATUS[found.status[0]] == "nodes"
    assert found.nodes[0] == 96
    assert 1e-15 < found.error[0] < 1e-3
    assert np.all(np.isnan([found.train, found.test]))


@pytest.mark.slow
def test_a_diagram_is_a_labelled_result():
    problem, told = Problem(diffusion_time=0.3, data="isotropic:2"), []
    found = diagram(
        problem,
        samples_per_dim=[2, 8],
        features_per_dim=[4, 16, 64],
        train_times=[0, 1e3, np.inf],
        report=lambda step, values: told.append(step),
    )
    assert found.gen.dims == ("samples_per_dim", "features_per_dim", "train_time")
    assert found.gen.shape == (2, 3, 3)
    settings = store.settings(found)
    assert (settings["samples_per_dim"], settings["features_per_dim"]) == ([2, 8], [4, 16, 64])
    assert settings["train_times"] == [0, 1e3, "inf"]
    expected = one_by_one(limit_of(8, 64, 0.3, data="isotropic:2"), [8], [16], [1e3])[:, 0, 0]
    cell = found.sel(samples_per_dim=8, features_per_dim=16, train_time=1e3)
    np.testing.assert_allclose([cell.train, cell.test], expected, atol=1e-7)
    np.testing.assert_allclose(found.gen, found.test - found.train)
    # the identity under (T2), Σ_t = (2 e^{−2t} + Δ) I
    delta = -math.expm1(-0.6)
    power = 1 / (2 * math.exp(-0.6) + delta)
    np.testing.assert_allclose(found.test, 1 - delta * power + delta * found.score, rtol=1e-12)
    assert float(cell.tau_mem) == pytest.approx(16 / (delta * (cell.s2 + cell.v2 * (1 - math.sqrt(2)) ** 2)))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"samples_per_dim": [4, 0]}, "samples_per_dim must be positive and finite; got 0"),
        ({"features_per_dim": [4, 4]}, r"features_per_dim must be a non-empty list of increasing values; got \[4.0"),
        ({"features_per_dim": []}, "features_per_dim must be a non-empty list"),
        ({"train_times": [-1]}, "train_times must not be negative"),
        ({"tolerance": 0.0}, "tolerance must lie between 0 and 1; got 0"),
    ],
)
def test_a_diagram_refuses(settings, match):
    with pytest.raises(ValueError, match=match):
        diagram(Problem(), **({"samples_per_dim": [4], "features_per_dim": [8], "train_times": [1e3]} | settings))


@pytest.mark.slow
def test_a_map_splits_the_score_error_as_one_point_does():
    """bias² and variance by the map's contour and by `theory.curves`; τ_gen by its formula."""
    found = diagram(Problem(), samples_per_dim=[4], features_per_dim=[16], train_times=TIMES, tolerance=1e-8)
    one = curves(Problem(samples_per_dim=4, features_per_dim=16), TIMES)
    for name in ("score", "bias2", "variance"):
        np.testing.assert_allclose(found[name].values[0, 0], one[name].values, rtol=1e-6)
    assert float(found.tau_gen[0, 0]) == pytest.approx(float(one.tau_gen.sel(gen_route="formula")), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("ridge", [0.0, 1e-2])
def test_the_time_of_half_the_rise_is_that_of_the_curves(ridge):
    psi_n, psi_p = np.array([2.0, 4.0, 8.0, 8.0]), np.array([16.0, 8.0, 64.0, 2.0])
    found = flow_map(limit_of(4, 16), psi_n, psi_p, TIMES, ridge, mem_time=True)
    for n, p, time in zip(psi_n, psi_p, found.mem_time, strict=True):
        here = curves(Problem(samples_per_dim=n, features_per_dim=p, ridge=ridge), TIMES)
        assert time == pytest.approx(float(here.tau_mem.sel(mem_route="curve")), rel=1e-5, nan_ok=True)
    assert np.isnan(flow_map(limit_of(4, 16), psi_n[:1], psi_p[:1], TIMES, ridge).mem_time).all()
