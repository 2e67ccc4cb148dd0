"""Populations of classes: their draws, laws and scores, and every sampled quantity of them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

import rfsim
from rfsim.cli import main
from rfsim.problem import data, origins, realization
from rfsim.problem.diffusion import diffuse
from rfsim.problem.laws import ClassLaw, score, score_power
from rfsim.sample.spectra.accurate import population_above

CLASSES = "classes:0.3@0.5,0.7@1.5"
RATIOS = {"samples_per_dim": 3, "features_per_dim": 6}


def law(shares, variances, dim):
    variances = np.repeat(np.array(variances)[:, None], dim, axis=1)
    return ClassLaw(np.array(shares), variances, np.zeros(variances.shape))


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(1, 200), st.integers(0, 200))
def test_any_draws_in_a_row_have_the_classes_shares(parts, count, first):
    shares = np.array(parts) / sum(parts)
    given_law = law(shares, np.ones(shares.size), 1)
    found = given_law.in_turn(0, first + count)
    np.testing.assert_array_equal(given_law.in_turn(first, count), found[first:])
    counts = np.bincount(found[first:], minlength=shares.size)
    assert counts.sum() == count
    assert np.all(np.abs(counts - shares * count) < shares.size + 1)


def test_points_have_the_variance_of_their_class_and_keep_its_label():
    problem = rfsim.Problem(samples_per_dim=20, features_per_dim=1, data=CLASSES)
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, 100), 0)
    assert draw.classes is not None
    assert np.bincount(draw.classes).tolist() == [600, 1400]
    for k, variance in enumerate((0.5, 1.5)):
        of_class = draw.points[draw.classes == k]
        assert (of_class**2).mean() == pytest.approx(variance, abs=4 * variance * math.sqrt(2 / of_class.size))
    # the same normal values as ever
    plain = data.draw(rfsim.Isotropic().law(100), 2000, 0)
    np.testing.assert_allclose(draw.points, plain * np.sqrt([0.5, 1.5])[draw.classes][:, None], rtol=1e-15)


def test_the_score_is_the_gradient_of_the_log_density():
    of, x, step = law([0.3, 0.7], [0.5, 1.5], 3), np.random.default_rng(0).standard_normal((6, 3)), 1e-5

    def log_density(at):
        parts = [p * stats.multivariate_normal(np.zeros(3), v * np.eye(3)).pdf(at) for p, v in ((0.3, 0.5), (0.7, 1.5))]
        return np.log(sum(parts))

    by_hand = [(log_density(x + step * e) - log_density(x - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(score(of, x), np.transpose(by_hand), atol=1e-9)
    with pytest.raises(ValueError, match="diffuse it first"):
        score(law([0.5, 0.5], [0.0, 1.0], 3), x)


@pytest.mark.parametrize("dim", [1, 3, 40])
def test_the_scores_power_is_its_integral_over_the_radius(dim):
    shares, variances = (0.3, 0.7), (0.5, 1.5)
    of = law(shares, variances, dim)

    def integrand(r, k):
        x = np.zeros((1, dim))
        x[0, 0] = r
        power = float((score(of, x) ** 2).sum()) / dim
        scale = math.sqrt(variances[k])
        return shares[k] * power * stats.chi(dim, scale=scale).pdf(r)

    ends = math.sqrt(1.5) * (math.sqrt(dim) + 9)
    by_hand = sum(integrate.quad(integrand, 0, ends, (k,), limit=400, epsrel=1e-11)[0] for k in (0, 1))
    assert score_power(of) == pytest.approx(by_hand, rel=1e-9)
    assert score_power(law([0.4, 0.6], [0.7, 0.7], dim)) == pytest.approx(1 / 0.7, rel=1e-12)
    uneven = ClassLaw(np.array([0.3, 0.7]), np.array([[1.0, 2.0], [2.0, 1.0]]), np.zeros((2, 2)))
    assert score_power(uneven) is None
    one = ClassLaw(np.array([0.3, 0.7]), np.array([[1.0, 2.0], [1.0, 2.0]]), np.zeros((2, 2)))
    assert score_power(one) == 0.75


def test_the_populations_moments_are_those_of_draws():
    problem = rfsim.Problem(samples_per_dim=2, features_per_dim=2, diffusion_time=0.3, data="classes:0.5@0.1,0.5@4")
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, 8), 0)
    found = population_above(problem, draw, None)
    rng, noisy = np.random.default_rng(0), diffuse(draw.population, 0.3)
    rows = 400_000
    x = noisy.points(noisy.at_random(rng, rows), rng.standard_normal((rows, 8)))
    phi = np.tanh(x @ draw.weights.T / math.sqrt(8))
    error = np.abs(phi.T @ phi / rows - found.second).max()
    assert error < 5 / math.sqrt(rows)
    # it tells classes from one Gaussian of the same covariance
    one = rfsim.Problem(samples_per_dim=2, features_per_dim=2, diffusion_time=0.3, data="isotropic:2.05")
    other = population_above(one, draw._replace(population=one.data.law(8)), None)
    assert np.abs(other.second - found.second).max() > 3 * error


QUANTITIES = {
    "train": lambda problem: rfsim.train(problem, [0, 10, 1e3, math.inf], dim=10, by_part=True),
    "train by krylov": lambda problem: rfsim.train(problem, [0, 10, 1e3], dim=10, route="krylov"),
    "simulate": lambda problem: rfsim.simulate(problem, dim=6, steps=20),
    "distill": lambda problem: rfsim.distill(
        problem, dim=6, levels=3, generated=32, distill_times=[10], time_min=0.1, time_max=1, distill_data="fresh"
    ),
    "generated": lambda problem: rfsim.generated(problem, [0, 1e3], dim=4, levels=3, generated=32),
}


@pytest.mark.parametrize("name", QUANTITIES)
def test_classes_of_one_variance_are_one_gaussian(name):
    plain = QUANTITIES[name](rfsim.Problem(**RATIOS, data="isotropic:1.2"))
    # rounding of two classes' sums beside one
    for classes, rtol in (([(1.2, 1.0)], 1e-10), ([(1.2, 0.25), (1.2, 0.75)], 1e-9)):
        found = QUANTITIES[name](rfsim.Problem(**RATIOS, data=rfsim.Classes(classes)))
        for variable in plain.data_vars:
            if plain[variable].dtype.kind == "f":
                np.testing.assert_allclose(
                    found[variable], plain[variable], rtol=rtol, atol=rtol / 100, err_msg=str(variable)
                )


def test_losses_by_class_add_up_and_are_those_of_the_classes():
    problem = rfsim.Problem(samples_per_dim=4, features_per_dim=8, data=CLASSES)
    found = rfsim.train(problem, [0, 10, 1e3, math.inf], dim=10)
    np.testing.assert_array_equal(found["class_share"], [0.3, 0.7])
    np.testing.assert_array_equal(found["class_variance"], [0.5, 1.5])
    for name in ("train", "test", "gen"):
        by_class = found[f"{name}_class"]
        assert by_class.dims == ("seed", "class", "train_time")
        # 12 and 28 of 40 points: shares to the letter
        np.testing.assert_allclose((by_class * found["class_share"]).sum("class"), found[name], atol=1e-8)
    # the class of a high variance is learned first
    assert found.tau_gen_class[0, 1] < found.tau_gen_class[0, 0] / 2
    # by other weights: of a training set of one class alone, seen from it
    one = rfsim.train(rfsim.Problem(samples_per_dim=4, features_per_dim=8, data="classes:1@1.5"), [10, 1e3], dim=10)
    np.testing.assert_allclose(one.test_class[:, 0], one.test, rtol=1e-12)
    np.testing.assert_allclose(one.train_class[:, 0], one.train, atol=1e-9)
    for name, route in (("gen", {"gen_route": "curve"}), ("mem", {"mem_route": "curve"})):
        np.testing.assert_allclose(one[f"tau_{name}_class"][:, 0], one[f"tau_{name}"].sel(route), rtol=1e-6)


def test_losses_by_class_are_there_over_ridges_and_frozen_copies_and_without_a_point():
    problem = rfsim.Problem(samples_per_dim=2, features_per_dim=4, noise_copies=2, data="classes:0.02@0.5,0.98@1.5")
    found = rfsim.train(problem, [0, 10, 1e3], dim=8, ridges=[0.1, 1.0], fresh_noise=True)
    assert found.train_class.dims == ("ridge", "seed", "class", "train_time")
    assert found.tau_mem_class.dims == ("ridge", "seed", "class")
    assert found.class_variance.dims == ("class",)
    # none of 16 points is of the rare class
    assert np.isnan(found.train_class.isel({"class": 0})).all()
    assert np.isnan(found.tau_mem_class.isel({"class": 0})).all()
    np.testing.assert_allclose(found.train_class.isel({"class": 1}), found.train, atol=1e-10)
    by_class = (found.test_class * found["class_share"]).sum("class")
    np.testing.assert_allclose(by_class, found.test, atol=1e-8)


def test_classes_are_in_the_answer_of_their_data_alone(capsys, tmp_path):
    sizes = ("--dim", "6", "--samples-per-dim", "4", "--features-per-dim", "6", "--train-times", "10,1000")
    command = ["train", *sizes, "--data", CLASSES, "--seeds", "2", "--out", str(tmp_path / "classes")]
    assert main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["share"] for one in answer["classes"]] == [0.3, 0.7]
    result = rfsim.load(tmp_path / "classes" / "result.nc")
    for k, one in enumerate(answer["classes"]):
        for name in ("train", "test", "gen", "tau_gen", "tau_mem"):
            found = result[f"{name}_class"].isel({"class": k}).mean("seed")
            np.testing.assert_allclose(one[name], found, rtol=1e-12)
    assert main([*command, "--force"]) == 0
    assert "class 1  share 0.7  variance 1.5  train " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda problem: rfsim.train(problem, dim=6, model="gaussian"), "model gaussian has one variance"),
        (
            lambda problem: rfsim.theory.distill(problem, [0.05, 0.1]),
            "of classes the limit knows .* or isotropic:1.2",
        ),
    ],
)
def test_what_knows_no_classes_says_so(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(rfsim.Problem(**RATIOS, data=CLASSES))
