from __future__ import annotations

import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.disk import store
from rfsim.problem import origins, realization
from rfsim.problem.diffusion import noise_variance
from rfsim.results.progress import Interrupted
from rfsim.sample.moments import sampled_moments

SMALL = Problem(samples_per_dim=2, features_per_dim=5)


def test_a_public_function_leaves_jax_as_it_was():
    with jax.enable_x64(False):
        result = rfsim.train(SMALL, [0, 1e3], dim=8)
        assert jnp.zeros(1).dtype == jnp.float32
    assert result.train.dtype == np.float64
    assert float(result.residual[0]) < 1e-12  # float32 would leave 1e-7


def test_importing_rfsim_is_light_and_configures_nothing():
    code = "import sys, rfsim; print([m for m in ('jax', 'xarray', 'matplotlib', 'scipy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
    assert {"Problem", "spectrum", "train", "load", "plot"} <= set(dir(rfsim))
    with pytest.raises(AttributeError, match="no attribute 'spectre'"):
        rfsim.spectre  # noqa: B018


def test_seeds_are_runs_of_their_own():
    together = rfsim.train(SMALL, [1.0, 1e4], dim=8, seed=3, seeds=2)
    alone = rfsim.train(SMALL, [1.0, 1e4], dim=8, seed=4)
    for name in ("train", "test", "score", "gen", "eigenvalue", "tau_mem"):
        np.testing.assert_array_equal(together[name].sel(seed=4), alone[name].sel(seed=4), err_msg=name)
    assert not np.array_equal(together.train.sel(seed=3), together.train.sel(seed=4))


def test_the_times_of_the_curves_do_not_depend_on_the_times_asked_for():
    one, other = (rfsim.train(SMALL, times, dim=8) for times in ([5.0], [1e-3, 1e9]))
    np.testing.assert_array_equal(one.tau_mem, other.tau_mem)
    np.testing.assert_array_equal(one.tau_gen, other.tau_gen)


def test_losses_and_parts_belong_together():
    result = rfsim.train(SMALL, [0.0, 10.0, np.inf], dim=8)
    np.testing.assert_allclose(result.gen, result.test - result.train)
    assert float(result.mass.sum()) == pytest.approx(1.0)
    assert int(result["count"].sum()) == result.sizes["feature"] == 40
    np.testing.assert_allclose(result.score.mean("seed"), result.bias2 + result.variance)
    tau = float(result.tau_mem.sel(mem_route="curve")[0])
    half = rfsim.train(SMALL, [tau], dim=8)
    assert float(half.gen[0, 0]) == pytest.approx(float(result.gen[0, -1]) / 2, rel=1e-3)
    lowest = rfsim.train(SMALL, np.geomspace(1e-2, 1e6, 2000), dim=8).test.min()
    at_gen = rfsim.train(SMALL, [float(result.tau_gen.sel(gen_route="curve")[0])], dim=8).test
    assert float(at_gen[0, 0]) == pytest.approx(1.01 * float(lowest), rel=1e-3)


def test_a_result_is_stored_with_its_settings(tmp_path):
    result = rfsim.train(Problem(noise_copies=2, samples_per_dim=2.55, features_per_dim=4), [1.0, np.inf], dim=10)
    store.save(result, tmp_path / "result.nc")
    found = store.settings(rfsim.load(tmp_path / "result.nc"))
    assert found["n"] == 26
    assert found["noise_copies"] == 2
    assert found["train_times"] == [1.0, "inf"]
    assert json.loads(result.attrs["versions"])["rfsim"] == rfsim.__version__
    assert result.attrs["wall_time_seconds"] > 0


@pytest.mark.slow
def test_scores_are_unknown_for_arrays():
    array = np.random.default_rng(0).standard_normal((60, 6))
    result = rfsim.train(Problem(samples_per_dim=3, features_per_dim=4), [10.0], array=array)
    assert np.isnan(result.score).all()
    assert np.isnan(result.bias2).all()
    assert np.isfinite(result.test).all()


@pytest.mark.slow
def test_erf_and_tanh_are_different_models():
    tanh, erf = (
        rfsim.train(Problem(samples_per_dim=2, features_per_dim=4, activation=name), [1e3], dim=8)
        for name in ("tanh", "erf")
    )
    assert abs(float((tanh.test - erf.test)[0, 0])) > 1e-3


def test_progress_names_the_seed_and_the_step():
    steps = []
    rfsim.spectrum(SMALL, dim=6, seeds=2, report=lambda step, values: steps.append((step, values["seed"])))
    assert steps == [("moments and eigenvalues", 0), ("moments and eigenvalues", 1)]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([], "non-empty list"),
        ([[1.0]], "non-empty list"),
        ([-1.0], "not be negative; got -1"),
        ([np.nan], "got nan"),
        ([1e300], "at most 1e\\+100, or inf"),
        (["a"], "must be real"),
    ],
)
def test_bad_times_are_refused(times, message):
    with pytest.raises(ValueError, match=message):
        rfsim.train(SMALL, times, dim=6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0, .*; got -1"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1, .*; got 0"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_bad_seeds_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rfsim.spectrum(SMALL, dim=6, **arguments)


def test_sizes_beyond_memory_are_refused_before_anything_is_drawn():
    with pytest.raises(MemoryError, match=r"dim 1000 with 2000 samples and 5000000 features needs about .* GiB"):
        rfsim.spectrum(Problem(samples_per_dim=2, features_per_dim=5000), dim=1000)
    with pytest.raises(MemoryError, match=r"dim 1e\+12 with"):
        rfsim.spectrum(Problem(samples_per_dim=2, features_per_dim=5), dim=10**12)


def test_an_interrupt_keeps_the_seeds_that_have_ended():
    def stop(step, values):
        if values["seed"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        rfsim.train(SMALL, [1.0, 1e4], dim=8, seed=3, seeds=4, report=stop)
    kept, whole = caught.value.result, rfsim.train(SMALL, [1.0, 1e4], dim=8, seed=3, seeds=2)
    np.testing.assert_array_equal(kept.test, whole.test)
    assert store.settings(kept) == store.settings(whole)
    with pytest.raises(KeyboardInterrupt) as caught:
        rfsim.spectrum(SMALL, dim=8, seed=5, report=stop)
    assert not isinstance(caught.value, Interrupted)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dim": float("inf")}, "dim must be a whole number"),
        ({"dim": float("nan")}, "dim must be a number; got nan"),
        ({"dim": "3"}, "dim must be a number; got '3'"),
        ({"dim": True}, "dim must be a number; got True"),
        ({"seed": 2**65}, "seed must be a whole number"),
        ({"dim": 6, "center": "no"}, "center must be True or False; got 'no'"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rfsim.spectrum(SMALL, **arguments)


def test_a_scale_that_the_constants_refuse_is_refused_before_any_work():
    with pytest.raises(ValueError, match=r"Γ = 9.05e\+03, must lie in \[1e-3, 1e3\]; scale the data toward 1"):
        rfsim.spectrum(Problem(data="isotropic:1e8"), dim=20, report=lambda *_: pytest.fail("began to work"))


def test_an_array_is_called_one_in_the_settings():
    array = np.random.default_rng(0).standard_normal((60, 6))
    result = rfsim.spectrum(Problem(samples_per_dim=3, features_per_dim=4), array=array, seeds=2)
    assert store.settings(result)["data"] == "array"


@pytest.mark.parametrize("name", ["real", "gaussian"])
def test_the_terms_of_the_parts_add_up_to_the_losses(name):
    result = rfsim.train(SMALL, [0.0, 10.0, np.inf], dim=8, model=name, by_part=True)
    np.testing.assert_allclose(1 + result.train_part.sum("part"), result.train)
    np.testing.assert_allclose(1 + result.test_pair.sum(["part", "other"]), result.test)
    # switching the filter off on a part leaves the terms of the others
    others = [part for part in result.part.values if part != "mini"]
    rest = result.test_pair.sel(part=others, other=others).sum(["part", "other"])
    np.testing.assert_allclose(result.test_without.sel(part="mini"), 1 + rest)
    rest = result.train_part.sel(part=others).sum("part")
    np.testing.assert_allclose(result.train_without.sel(part="mini"), 1 + rest)
    assert "test_pair" not in rfsim.train(SMALL, [1.0], dim=8, model=name)


@pytest.mark.slow
def test_fresh_noise_at_finite_copies_is_the_average_over_draws():
    """L_emp of the ridge minimizer against many fresh draws of the noise, and beside the theory."""
    problem = Problem(samples_per_dim=3, features_per_dim=4, noise_copies=2, ridge=0.05)
    result = rfsim.train(problem, [0.0, np.inf], dim=30, seed=3, fresh_noise=True)
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, 30), 3)
    moments = sampled_moments(draw.weights, realization.frozen_draws(draw, problem), draw.sigma)
    p, d = draw.weights.shape
    weights = np.linalg.solve(np.asarray(moments.second) + 0.05 * np.eye(p), np.asarray(moments.noise))
    delta, rng, found = noise_variance(problem.diffusion_time), np.random.default_rng(0), []
    for _ in range(200):
        xi = rng.standard_normal(draw.points.shape)
        noisy = np.sqrt(1 - delta) * draw.points + np.sqrt(delta) * xi
        phi = np.asarray(draw.sigma.function(noisy @ draw.weights.T / np.sqrt(d)))
        found.append(((xi - phi @ weights) ** 2).mean())
    assert result.emp[0, 0] == pytest.approx(1, abs=1e-12)
    assert result.emp[0, 1] == pytest.approx(np.mean(found), abs=4 * np.std(found) / np.sqrt(200))
    assert float(result.train[0, 1] + 0.05 * (weights**2).sum() / d) == pytest.approx(
        float(result.train_penalized[0, 1]), rel=1e-9
    )
    exact = rfsim.train(Problem(samples_per_dim=3, features_per_dim=4, ridge=0.05), [np.inf], dim=30)
    np.testing.assert_array_equal(exact.emp, exact.train)
    assert np.isnan(rfsim.train(problem, [1.0], dim=5).emp).all()
    with pytest.raises(ValueError, match="fresh_noise is for finite noise_copies, .* got noise_copies inf"):
        rfsim.train(Problem(), [1.0], dim=5, fresh_noise=True)
