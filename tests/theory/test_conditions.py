"""The ridge minimizer beside noise-free inputs in the limit: against samples, theory without inputs, and itself."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from jax import numpy as jnp

import rfsim
from rfsim import Condition, Problem, theory
from rfsim.cli import main
from rfsim.limit.conditions import Conditional, conditional_losses, true_denoiser
from rfsim.problem.model import constants
from rfsim.theory.conditions import conditional

ERRORS = ("mean_error", "predictive_variance", "residual_error", "residual_alignment")
FREE = (
    "train",
    "train_penalized",
    "test",
    "mean_error",
    "predictive_variance",
    "residual_alignment",
)  # E_score follows
PROBLEM = Problem(4, 6, data=Condition(4.0, 1.0), ridge=0.01)


def test_the_numbers_of_the_equations():
    found = theory.conditions(PROBLEM, [6.0])
    wanted = (0.31970, 0.86161, 0.05659, 0.09072, 0.13418, 0.07827)
    for name, one in zip(("train", "test", *ERRORS), wanted, strict=True):
        assert float(found[name][0]) == pytest.approx(one, abs=5e-6)
    assert float(found.residual.max()) < 1e-13


@pytest.mark.parametrize(
    ("problem", "falls"),
    [
        (Problem(4, 6, data="condition:4@1", ridge=0.01), True),
        (Problem(4, 3, data="condition:9@0.5", ridge=0.1, diffusion_time=0.3, activation="relu"), True),
        (Problem(3, 4, data="condition:2@2", ridge=0.03), False),  # whose gaps are those of four seeds
    ],
    ids=["all directions", "half of them, not odd", "more inputs than directions"],
)
def test_samples_approach_it_as_one_over_d(problem, falls):
    asked = Problem(**problem.settings | {"features_per_dim": Problem.features_per_dim})
    limit = theory.conditions(asked, [problem.features_per_dim]).isel(feature_ratio=0)
    gaps, errors, dims = [], [], (32, 64, 128)
    for dim in dims:
        sample = rfsim.train(problem, [math.inf], dim=dim, seeds=4).isel(train_time=0)
        for name in FREE:
            wanted = float(limit[name])
            gap, error = float(sample[name].mean()) - wanted, float(sample[name].std(ddof=1)) / 2
            assert abs(gap) < 4 * error + 6 / dim * wanted, (name, dim)
            if name == "mean_error":
                gaps.append(abs(gap))
                errors.append(error)
    if not falls:
        return
    x = np.log(dims) - np.mean(np.log(dims))
    exponent, error = -x @ np.log(gaps) / (x @ x), math.sqrt((x**2) @ (np.divide(errors, gaps) ** 2)) / (x @ x)
    assert error < 0.35
    assert abs(exponent - 1) < 3 * error


def without_inputs(scale: float, psi_n: float, psi_p: list[float], gamma: float):
    """The losses of tanh(scale ·) beside y ≡ 0."""
    sigma = rfsim.Activation("scaled", lambda x: jnp.tanh(scale * x), odd=True)
    problem = Problem(psi_n, activation=sigma)
    own = constants(problem, 1.0, 0.0)
    limit = conditional(problem, Condition(0.0, 1.0))._replace(
        features_per_dim=np.array(psi_p), inputs_power=0.0, slope=own.a, v2=own.v2, s2=own.s2, v2_inputs=0.0
    )
    return conditional_losses(limit, gamma)


def test_inputs_that_are_zero_are_the_activation_over_root_two():
    sigma = rfsim.Activation("shrunk", lambda x: jnp.tanh(x / jnp.sqrt(2.0)), odd=True)
    for gamma, psi_p in ((0.01, 6.0), (0.3, 40.0)):
        plain = theory.ridge(Problem(4, psi_p, activation=sigma), [gamma])
        found = without_inputs(1.0, 4, [psi_p], gamma)
        for name in ("train", "train_penalized", "test"):
            assert float(getattr(found, name)[0]) == pytest.approx(float(plain[name][0]), rel=1e-10)
        assert float(found.mean_error[0]) == 0


def test_the_numbers_stated_without_a_condition():
    found = without_inputs(math.sqrt(2), 400, [100.0, 400.0, 1600.0, 6400.0], 1e-5)
    np.testing.assert_allclose(found.train, [0.7993, 0.7351, 0.5123, 0.2163], atol=6e-5)


def test_inputs_that_tell_nothing_leave_the_mean_at_zero_and_widen_the_features():
    """Of c = 0 the true denoiser is that of x alone, and its power."""
    found = theory.conditions(Problem(4, data="condition:0@1", ridge=0.01), [6.0])
    delta = -math.expm1(-0.2)
    assert float(found.true_test) == pytest.approx(1 - delta, rel=1e-13)
    assert float(found.score[0]) == pytest.approx((float(found.test[0]) - 1 + delta) / delta, rel=1e-12)


def test_losses_are_those_of_the_errors_and_the_two_parts():
    for data in ("condition:16@1", "condition:4@0.3", "condition:1@3"):
        problem = Problem(8, data=data, ridge=1e-3, diffusion_time=0.2)
        found = theory.conditions(problem, [2.0, 8.0, 100.0])
        a2, delta = math.exp(-0.4), -math.expm1(-0.4)
        np.testing.assert_allclose(found.test, a2 / delta * (found.mean_error + found.residual_error), rtol=1e-12)
        assert (found.mean_error_linear < found.mean_error).all()
        assert (found.predictive_variance_linear < found.predictive_variance).all()
        assert (found.test > found.true_test).all()


def test_no_digits_are_lost_at_small_times():
    """Most of x̂ − x cancels there: the losses go to those of t → 0 all the same."""
    near, nearer = (
        theory.conditions(Problem(4, data="condition:4@1", ridge=0.01, diffusion_time=t), [6.0]) for t in (1e-9, 1e-12)
    )
    for name in ("train", "test"):
        assert float(near[name][0]) == pytest.approx(float(nearer[name][0]), rel=1e-6)
    assert float(near.residual_error[0] / nearer.residual_error[0]) == pytest.approx(1e3, rel=1e-6)


def test_derivatives_are_those_of_finite_differences():
    """The penalized loss by γ: dL/dγ is the penalty over γ, as γ moves the minimizer to second order alone."""
    gamma, step = 0.05, 1e-5
    losses = conditional_losses(
        conditional(PROBLEM, Condition(4.0, 1.0))._replace(features_per_dim=6.0),
        [
            gamma - step,
            gamma,
            gamma + step,
        ],
    )
    slope = (losses.train_penalized[2] - losses.train_penalized[0]) / (2 * step)
    assert slope == pytest.approx((losses.train_penalized[1] - losses.train[1]) / gamma, rel=1e-7)


def test_many_features_learn_the_training_points_and_predict_no_variance():
    found = theory.conditions(Problem(32, data="condition:16@1", ridge=1e-5, diffusion_time=0.01), [32, 1e3, 1e4, 1e5])
    assert (np.diff(found.train.values) < 0).all()
    assert float(found.train[-1]) < 1e-4
    assert float(found.predictive_variance[-1]) < 1e-4
    # it falls as 1/ψ_p
    ratio = found.train.values[-2] / found.train.values[-1]
    assert ratio == pytest.approx(10, rel=0.2)
    assert (found.predictive_variance[1:] < found.true_predictive_variance).all()
    assert (np.diff(found.mean_error.values) < 0).all()


def test_the_true_denoiser_is_that_of_one_direction():
    limit = Conditional(1, 1, 1, 1, 1, 0, 0, 0, 0.8, 0.2, *np.array([[0.25], [0.75], [1.0]]))
    found = true_denoiser(limit)
    assert found.predictive_variance == pytest.approx(0.8 * 0.25**2 / 0.4)
    assert found.residual_error == pytest.approx(0.25 * 0.2 / 0.4)
    assert found.test == pytest.approx(0.8 / 0.2 * found.residual_error)


@pytest.mark.parametrize(
    ("problem", "feature_ratios", "told"),
    [
        (Problem(), [4.0], "^theory.conditions is of data condition:SNR@PER_DIM; got data 'isotropic'$"),
        (Problem(data="condition:4@1"), [0.0], "^feature_ratios must lie between 1e-100 and 1e.100; got 0$"),
        (Problem(4, 8, data="condition:4@1"), [4.0], "^theory.conditions does not use features_per_dim, .* at 8"),
        (Problem(noise_copies=2, data="condition:4@1"), [4.0], "^theory.conditions does not use noise_copies"),
        (
            Problem(data="condition:4@1", activation="linear"),
            [4.0],
            "^of a linear activation the ridge must be positive",
        ),
    ],
)
def test_what_it_does_not_know_is_refused_in_a_line(problem, feature_ratios, told):
    with pytest.raises(ValueError, match=told) as caught:
        theory.conditions(problem, feature_ratios)
    assert "\n" not in str(caught.value)


def test_the_command_says_what_the_function_finds(capsys, tmp_path):
    call = "theory conditions --data condition:16@0.5 --samples-per-dim 8 --feature-ratios 4,32 --ridge 0.001 --json"
    assert main([*call.split(), "--out", str(tmp_path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    found = theory.conditions(Problem(8, data="condition:16@0.5", ridge=0.001), [4.0, 32.0])
    for name in ("train", "test", "score", *ERRORS):
        assert answer[name] == found[name].values.tolist()
    assert answer["feature_ratio"] == [4.0, 32.0]
    assert answer["problem"]["data"] == "condition:16@0.5"
    assert (tmp_path / "figure.png").stat().st_size > 0


def test_a_sweep_maps_it_over_the_samples(tmp_path):
    axes = {"samples_per_dim": [4.0, 16.0], "feature_ratios": [2.0, 20.0]}
    fixed = {"data": "condition:4@1", "ridge": 0.01}
    swept = rfsim.sweep({"command": "theory.conditions", "axes": axes, "problem": fixed}, out=tmp_path / "swept.zarr")
    one = theory.conditions(Problem(16, data="condition:4@1", ridge=0.01), [2.0, 20.0])
    np.testing.assert_array_equal(swept.mean_error.sel(samples_per_dim=16.0), one.mean_error)
