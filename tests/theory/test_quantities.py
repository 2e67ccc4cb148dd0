"""Public functions of the theory: labelled results, their agreement with the library below, what is refused."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.disk import store
from rfsim.limit.solver import solve_above
from rfsim.theory import density, limit_curves, masses, parts, quantile
from tests.theory.cases import limit_of


def test_a_spectrum_is_labelled_and_leaves_jax_as_it_was():
    with jax.enable_x64(False):
        result = rfsim.theory.spectrum(Problem(samples_per_dim=8, features_per_dim=64))
        assert jnp.zeros(1).dtype == jnp.float32
    limit = limit_of(8, 64)
    found = parts(limit)
    assert "large_density" not in rfsim.theory.spectrum(Problem(noise_copies=2))
    assert result.part.values.tolist() == ["null", "mini", "main", "gen"]
    for name in ("mass", "mean", "lower", "upper"):
        np.testing.assert_array_equal(result[name], [getattr(part, name) for part in found])
    assert float(result.lower[0]) == float(result.upper[0]) == float(result.s2)
    np.testing.assert_allclose(result.density, density(limit, result.eigenvalue.values))
    np.testing.assert_allclose(result.gap_below[1:], result.lower.values[1:] / result.upper.values[:-1])
    assert float(result.density_residual.max()) <= 1e-12
    assert result.sizes["eigenvalue"] == 399
    assert store.settings(result)["samples_per_dim"] == 8
    np.testing.assert_allclose(result.large_mass, [8 / 64, 1 / 64])
    np.testing.assert_allclose(result.large_lower, [0.0598, 18.0], rtol=4e-3)  # equations.md §5
    inside = result.large_interval == 0
    mass = np.trapezoid(result.large_density[inside], result.large_eigenvalue[inside])
    assert mass == pytest.approx(8 / 64, rel=1e-3)
    assert "dim" not in store.settings(result)


def test_a_grid_of_ones_own():
    result = rfsim.theory.spectrum(Problem(), grid=[1e-3, 5.0, 1e3])
    assert result.density.values[[0, 2]].tolist() == [0, 0]
    assert float(result.density[1]) > 0
    for grid, message in (([], "non-empty list"), ([[1.0]], "non-empty list"), ([np.nan], "finite"), (["a"], "real")):
        with pytest.raises(ValueError, match=f"grid must .*{message}"):
            rfsim.theory.spectrum(Problem(), grid=grid)


@pytest.mark.parametrize(
    ("problem", "trainer"),
    [
        (Problem(samples_per_dim=8, features_per_dim=64), "flow"),
        (Problem(samples_per_dim=8, features_per_dim=20, noise_copies=3, ridge=1e-3), "descent:3"),
    ],
)
@pytest.mark.slow
def test_terms_by_part_add_up_to_the_losses(problem, trainer):
    """Contours of the parts' own, and one around all: e^{−κτz} at mid times is what a wide contour gets wrong."""
    tau = [0.0, 1.0, 30.0, 100.0, 300.0, 1e3, 1e4, 1e6, np.inf]
    result = rfsim.theory.curves(problem, tau, trainer=trainer, by_part=True)
    np.testing.assert_allclose(result.train_part.sum("part") + 1, result.train, atol=1e-9)
    np.testing.assert_allclose(result.test_pair.sum(["part", "other"]) + 1, result.test, atol=1e-9)
    without = result.test_without.sel(part="gen")
    assert float(without[-1]) > 1
    if problem.ridge == 0:  # at τ = ∞ both are own(1/λ)
        energy = float(result.energy[:, -1].sum())
        assert energy * (1 - np.exp(-0.2)) == pytest.approx(1 - float(result.train[-1]), rel=1e-9)


def test_losses_belong_together():
    problem = Problem(samples_per_dim=4, features_per_dim=16, ridge=0.01)
    result = rfsim.theory.curves(problem, [0.0, 10.0, 1e3, np.inf])
    direct = limit_curves(limit_of(4, 16), [0.0, 10.0, 1e3, np.inf], 0.01)
    np.testing.assert_allclose(result.train, direct.curves.train, atol=1e-9)
    np.testing.assert_allclose(result.test, direct.curves.test, atol=1e-9)
    np.testing.assert_allclose(result.gen, result.test - result.train)
    np.testing.assert_allclose(result.score, result.bias2 + result.variance)
    np.testing.assert_array_equal(result.emp, result.train)  # noise is averaged
    assert np.all(result.train_penalized >= result.train)
    assert float(result.score[0]) == pytest.approx(1)
    assert float(result.residual) <= 1e-12
    assert float(result.error.max()) <= 1e-8


def test_timescales_by_every_route():
    result = rfsim.theory.curves(Problem(samples_per_dim=8, features_per_dim=64), [1.0])
    limit, tau = limit_of(8, 64), result.tau_mem
    _, mini, main, gen = parts(limit)
    scale = 64 / limit.noise
    assert float(tau.sel(mem_route="main")) == pytest.approx(scale / main.lower)
    assert float(tau.sel(mem_route="edge")) == pytest.approx(scale / mini.lower)
    median = float(quantile(limit, masses(limit)["null"] + 0.5 / 64)[0])
    assert float(tau.sel(mem_route="mini")) == pytest.approx(scale / median)
    assert float(tau.sel(mem_route="formula")) == pytest.approx(scale / 0.0598, rel=1e-3)  # equations.md §5
    assert float(result.tau_gen.sel(gen_route="spectrum")) == pytest.approx(scale / gen.mean)
    half = rfsim.theory.curves(
        Problem(samples_per_dim=8, features_per_dim=64), [float(tau.sel(mem_route="curve")), np.inf]
    )
    assert float(half.gen[0]) == pytest.approx(float(half.gen[1]) / 2, rel=1e-6)


@pytest.mark.slow
def test_data_are_known_by_their_covariance(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 6)) * np.sqrt([0.2, 0.2, 0.5, 1.0, 1.5, 2.6])
    result = rfsim.theory.curves(Problem(), [10.0, 1e4], array=x)
    centered = x - x.mean(0)
    eigenvalues = np.linalg.eigvalsh(centered.T @ centered / len(x)) / (centered**2).mean()
    np.save(tmp_path / "l.npy", eigenvalues)
    named = rfsim.theory.curves(Problem(data=f"eigenvalues:{tmp_path / 'l.npy'}"), [10.0, 1e4])
    assert np.isnan(named.bias2).all()
    np.testing.assert_allclose(result.test, named.test, rtol=1e-10)
    assert np.isnan(result.score).all()  # an array has no true score
    assert np.isfinite(named.score).all()
    assert store.settings(result)["data"] == "array"


@pytest.mark.slow
def test_what_is_not_defined_is_missing():
    frozen = rfsim.theory.curves(Problem(noise_copies=2, features_per_dim=6), [10.0])
    assert np.isnan(frozen.emp).all()
    assert np.isfinite(frozen.bias2).all()
    linear = rfsim.theory.curves(Problem(activation="linear"), [10.0, np.inf])
    assert linear.part.values.tolist() == ["zero", "gen"]
    assert not linear.energy.sel(part="zero").any()
    assert np.isnan(linear.tau_mem.sel(mem_route=["main", "mini"])).all()
    none = rfsim.theory.curves(Problem(activation="hermite3"), [10.0])  # a = 0 at Γ = 1: V = 0
    assert float(none.test[0]) == float(none.train[0]) == 1
    assert rfsim.theory.spectrum(Problem(activation="hermite3")).part.values.tolist() == ["null", "main"]
    zero = rfsim.theory.spectrum(Problem(activation="linear"))
    assert [
        (str(name), float(mass)) for name, mass in zip(zero.part.values, zero.mass.values.round(9), strict=True)
    ] == [
        ("zero", 0.9375),
        ("gen", 0.0625),
    ]


def test_parts_that_do_not_add_up_are_left_out():
    """Close to p = n m the gap below the lowest part closes, and its contour with it: losses stand, parts do not."""
    result = rfsim.theory.curves(
        Problem(noise_copies=4, features_per_dim=16.001), [1.0, np.inf], by_part=True, tolerance=1e-6
    )
    assert np.isfinite(result.test).all()
    assert float(result.part_error[1]) > 1e-7
    np.testing.assert_array_equal(np.isnan(result.energy).all("part"), result.part_error > 1e-6)
    np.testing.assert_array_equal(np.isnan(result.test_without).all("part"), result.part_error > 1e-6)


def test_linear_activations_have_a_ridge_too():
    """Their floor is 0 where noise is averaged: γ → 0 is a limit, as at finite m."""
    problem = Problem(activation="linear")
    found = rfsim.theory.ridge(problem, [0.0, 1e-3])
    final = rfsim.theory.curves(problem, [np.inf])
    assert float(found.test[0]) == pytest.approx(float(final.test[0]), rel=1e-6)
    assert 0 <= float(found.best_ridge) < np.inf
    assert float(found.best_test) <= float(found.test.min())
    many = rfsim.theory.ridge(Problem(activation="linear", samples_per_dim=1e6), [1e-3])
    assert float(many.best_test) <= float(many.test[0]) < 0.82


def test_times_beyond_the_tolerance_are_left_out(monkeypatch):
    result = rfsim.theory.curves(Problem(), [0.0, *np.geomspace(1, 1e6, 12), np.inf], tolerance=1e-30)
    known = result.error.values <= 1e-30
    np.testing.assert_array_equal(np.isnan(result.test), ~known)
    np.testing.assert_array_equal(np.isnan(result.energy).all("part"), ~(known & (result.part_error <= 1e-30)))
    assert not known.all()
    assert known[0]


def test_what_the_theory_does_not_know_is_refused(tmp_path):
    at_nm = Problem(samples_per_dim=4, features_per_dim=8, noise_copies=2)
    with pytest.raises(ValueError, match=r"features_per_dim 8, samples_per_dim 4 and noise_copies 2 .*give a ridge"):
        rfsim.theory.curves(at_nm, [1.0])
    with pytest.raises(ValueError, match="trainer descent:9 diverges: the largest eigenvalue of U is"):
        rfsim.theory.curves(Problem(), [1.0], trainer="descent:9")
    with pytest.raises(ValueError, match="tolerance must lie between 0 and 1; got -1"):
        rfsim.theory.curves(Problem(), [1.0], tolerance=-1)
    with pytest.raises(ValueError, match="have no true score to be in error of"):
        np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((30, 3)))
        rfsim.theory.score_minimum(Problem(data=str(tmp_path / "x.npy")), samples_per_dim=[2], features_per_dim=[4])
    with pytest.raises(ValueError, match="train_times must not be negative; got -1"):
        rfsim.theory.curves(Problem(), [-1.0])
    with pytest.raises(RuntimeError, match="float32"), jax.enable_x64(False):
        solve_above(limit_of(4, 16), [1.0])


def test_results_are_stored_and_read(tmp_path):
    for number, result in enumerate(
        (rfsim.theory.spectrum(Problem()), rfsim.theory.curves(Problem(), [1.0, np.inf], by_part=True))
    ):
        path = tmp_path / f"{number}.nc"
        store.save(result, path)
        again = rfsim.load(path)
        assert again.identical(result)
        assert json.loads(again.attrs["settings"])["data"] == "isotropic"


def test_progress_is_reported():
    steps = []
    rfsim.theory.curves(Problem(), [1.0], report=lambda step, values: steps.append(step))
    assert steps == ["timescales"]
