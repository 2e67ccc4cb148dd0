"""Gaussian classes given as an object: their law, what is sampled of them, their fit to labeled rows, their limit."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from scipy import stats

import rfsim
from rfsim import GaussianClasses, theory
from rfsim.problem import data, realization
from rfsim.problem.diffusion import diffuse
from rfsim.problem.laws import score
from rfsim.sample.spectra.accurate import population_above

RATIOS = {"samples_per_dim": 4, "features_per_dim": 8}
TIMES = [0, 10, 1e3, math.inf]
RNG = np.random.default_rng(0)
WEIGHTS = np.array([0.2, 0.3, 0.5])
VARIANCES, MEANS = RNG.uniform(0.2, 2, (3, 6)), RNG.standard_normal((3, 6))
THREE = GaussianClasses(WEIGHTS, VARIANCES, MEANS, names=["ant", "bee", "cat"])


def trained(given, **options):
    return rfsim.train(rfsim.Problem(**RATIOS, data=given), TIMES, **options)


def drawn(given, problem=None):
    asked = rfsim.Problem(samples_per_dim=2, features_per_dim=2, diffusion_time=0.3, data=given)
    origin = realization.source(asked)
    return asked, realization.instance(asked, origin, realization.resolve(asked, origin, None), 0)


@pytest.mark.parametrize(
    ("given", "plain", "dim"),
    [
        (GaussianClasses([0.3, 0.7], [0.5, 1.5]), "classes:0.3@0.5,0.7@1.5", 8),
        (GaussianClasses([1.0], [[0.5, 0.5, 1.5, 1.5]]), "atoms:0.5@0.5,0.5@1.5", 4),
        (GaussianClasses([0.5, 0.5], [1.0, 1.0], [[1.5, 0, 0, 0, 0], [-1.5, 0, 0, 0, 0]]), "mixture:3", 5),
    ],
)
def test_populations_of_a_name_are_among_them(given, plain, dim):
    found, expected = trained(given, dim=dim), trained(plain, dim=dim)
    for name in ("eigenvalue", "train", "test", "gen", "tau_gen", "tau_mem", "energy"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-11, err_msg=name)
    if "test_class" in expected:
        np.testing.assert_array_equal(found.test_class, expected.test_class)


def test_losses_by_class_add_up_and_carry_their_names():
    found = trained(THREE, seeds=2)
    assert found["class"].values.tolist() == ["ant", "bee", "cat"]
    np.testing.assert_allclose((found.test_class * found.class_share).sum("class"), found.test, atol=1e-8)
    np.testing.assert_allclose(found.class_variance, VARIANCES.mean(axis=1), rtol=1e-14)
    assert found.sizes["feature"] == 48  # d is the classes' own
    # the training points of each class, by their turns
    _, draw = drawn(THREE)
    assert np.bincount(draw.classes).tolist() == [2, 4, 6]
    normal = data.stream(0, "data").standard_normal((12, 6))
    np.testing.assert_array_equal(draw.points, normal * np.sqrt(VARIANCES)[draw.classes] + MEANS[draw.classes])


def test_the_populations_moments_are_those_of_draws():
    problem, draw = drawn(THREE)
    found = population_above(problem, draw, None)
    rng, noisy, rows = np.random.default_rng(0), diffuse(draw.population, 0.3), 400_000
    x = noisy.points(noisy.at_random(rng, rows), rng.standard_normal((rows, 6)))
    phi = np.tanh(x @ draw.weights.T / math.sqrt(6))
    error = np.abs(phi.T @ phi / rows - found.second).max()
    assert error < 5 / math.sqrt(rows)
    # it tells classes with means from those without
    other = population_above(problem, draw._replace(population=draw.population._replace(centers=0 * MEANS)), None)
    assert np.abs(other.second - found.second).max() > 3 * error


def test_the_law_has_the_moments_and_the_score_of_its_classes():
    law = THREE.law(6)
    np.testing.assert_allclose(law.mean, WEIGHTS @ MEANS, rtol=1e-14)
    second = sum(w * (np.diag(v) + np.outer(m, m)) for w, v, m in zip(WEIGHTS, VARIANCES, MEANS, strict=True))
    np.testing.assert_allclose(law.second, second, rtol=1e-13)
    np.testing.assert_allclose(law.covariance, second - np.outer(law.mean, law.mean), rtol=1e-12, atol=1e-14)
    assert law.power == pytest.approx(np.trace(second) / 6, rel=1e-14)
    assert law.powers @ WEIGHTS == pytest.approx(law.power, rel=1e-14)
    assert law.gaussian is None
    assert not law.isotropic
    x, step = RNG.standard_normal((5, 6)), 1e-5

    def log_density(at):
        of = zip(WEIGHTS, MEANS, VARIANCES, strict=True)
        return np.log(sum(w * stats.multivariate_normal(m, np.diag(v)).pdf(at) for w, m, v in of))

    by_hand = [(log_density(x + step * e) - log_density(x - step * e)) / (2 * step) for e in np.eye(6)]
    np.testing.assert_allclose(score(law, x), np.transpose(by_hand), atol=1e-8)


def test_they_are_fitted_to_labeled_rows_along_the_axes_of_all():
    turn = np.linalg.qr(RNG.standard_normal((6, 6)))[0]
    codes = np.arange(600) % 3
    rows = (RNG.standard_normal((600, 6)) * np.sqrt(VARIANCES)[codes] + 2 * MEANS[codes]) @ turn
    found = GaussianClasses.fitted(rows, np.array(["u", "v", "w"])[codes])
    assert found.names == ("u", "v", "w")
    np.testing.assert_allclose(found.weights, 1 / 3)
    law, prepared = found.law(6), data.prepare(rows)
    assert law.power == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(law.mean, 0, atol=1e-12)
    # lengths of the means, and the variance of a class, know no axes; the pooled second moment is diagonal in them
    for k in range(3):
        own = prepared[codes == k]
        assert (found.means[k] ** 2).sum() == pytest.approx((own.mean(axis=0) ** 2).sum(), rel=1e-10)
        assert found.variances[k].sum() == pytest.approx(own.var(axis=0).sum(), rel=1e-10)
    lengths = np.linalg.eigvalsh(prepared.T @ prepared / 600)[::-1]
    np.testing.assert_allclose(np.diag(law.second), lengths, rtol=1e-10)
    with pytest.raises(ValueError, match="labels has 2 rows, the array 600"):
        GaussianClasses.fitted(rows, [0, 1])


def test_an_object_is_told_apart_by_its_text():
    again = GaussianClasses(WEIGHTS, VARIANCES, MEANS, names=["ant", "bee", "cat"])
    assert again == THREE
    assert hash(again) == hash(THREE)
    assert str(THREE).startswith("gaussian-classes:3x6@")
    others = (
        GaussianClasses(WEIGHTS, VARIANCES, MEANS),
        GaussianClasses(WEIGHTS, VARIANCES),
        GaussianClasses(WEIGHTS, VARIANCES, MEANS + 1e-9, names=["ant", "bee", "cat"]),
    )
    assert len({str(one) for one in (*others, THREE)}) == 4
    problem = rfsim.Problem(**RATIOS, data=THREE)
    assert pickle.loads(pickle.dumps(problem)) == problem
    with pytest.raises(ValueError, match="are an object of Python alone: give rfsim.GaussianClasses"):
        rfsim.Problem(data=str(THREE))
    with pytest.raises(ValueError, match="read-only"):
        THREE.weights[0] = 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([0.5, 0.4], [1, 1]), "the weights sum to 0.9, not 1$"),
        (([1.5, -0.5], [1, 2]), "the weights must be positive; got -0.5"),
        (([0.5, 0.5], [1, 1, 1]), "variances has 3 classes, weights 2; give a row for each"),
        (([0.5, 0.5], [1, 1], [[0.0]]), "means has 1 classes, weights 2"),
        (([0.5, 0.5], [[1, 1], [1, -1]]), "variances must not be negative, and one of them positive; got -1"),
        (([0.5, 0.5], [0, 0]), "one of them positive; got 0"),
        (([0.5, 0.5], [[1, 1], [1]]), "variances must be numbers, in rows of as many"),
        (([0.5, 0.5], ["a", "b"]), "variances must be numbers"),
        (([0.5, 0.5], [1, math.nan]), "variances must be finite"),
        (([0.5, 0.5], 0.3), r"variances must have the shape \(classes,\) or \(classes, dim\); got \(\)"),
        (([0.5, 0.5], [1, 1], [0, 0]), r"means must have the shape \(classes, dim\); got \(2,\)"),
        (([0.5, 0.5], [[1, 2], [1, 2]], [[1], [1]]), "variances have 2 directions, means 1; give as many"),
        (([0.5, 0.5], [1, 2], None, ["a", "a"]), "2 classes need as many names, each another one"),
        (([], []), r"weights must have the shape \(classes,\); got \(0,\)"),
        ((np.full(300, 1 / 300), np.ones(300)), "from 1 to 256 classes are taken; got 300 weights"),
    ],
)
def test_what_are_no_classes_is_refused_in_a_line(given, message):
    with pytest.raises(ValueError, match=f"^gaussian-classes: .*{message}") as caught:
        GaussianClasses(*given)
    assert "\n" not in str(caught.value)


UNEVEN = GaussianClasses([0.5, 0.5], [[0.5, 1.5], [1.5, 0.5]])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: trained(THREE, dim=7), "dim is 6, given by data 'gaussian-classes:3x6@.*'; got 7: leave it out"),
        (lambda: trained(THREE, model="gaussian"), "model gaussian has one variance for all points"),
        (lambda: THREE.law(4), "have 6 dimensions; got dim 4"),
        (lambda: theory.curves(rfsim.Problem(data=THREE), [1]), "the limit of classes with means, .* is not derived"),
        (lambda: theory.curves(rfsim.Problem(data=UNEVEN), [1]), "whose covariances are multiples of one"),
        (
            lambda: theory.distill(rfsim.Problem(data=GaussianClasses([1.0], [[1.0, 3.0]])), [0.05, 0.1]),
            "theory curves, theory spectrum and theory ridge alone; .* isotropic:2, of the same variance",
        ),
    ],
)
def test_what_knows_none_of_them_says_so(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_the_other_commands_draw_from_them():
    problem = rfsim.Problem(samples_per_dim=3, features_per_dim=6, data=THREE)
    assert np.isfinite(rfsim.simulate(problem, steps=5).test).all()
    found = rfsim.generated(problem, [1e3], levels=3, generated=32)
    assert np.isfinite(found.linear_share).all()


SHARES, SCALES = [0.3, 0.7], np.array([0.5, 1.5])
PROPORTIONAL = GaussianClasses(SHARES, SCALES[:, None] * np.repeat([0.4, 1.6], 2))


def test_classes_whose_covariances_are_multiples_of_one_have_a_limit():
    """(P1) to (P3) with σ_c²Σ: one class is Σ's own limit, and so are two that are alike."""
    plain = theory.curves(rfsim.Problem(**RATIOS, data="atoms:0.5@0.48,0.5@1.92"), TIMES)
    for given in (
        GaussianClasses([1.0], [[0.48, 1.92]]),
        GaussianClasses([0.25, 0.75], [[0.48, 1.92], [0.48, 1.92]]),
    ):
        found = theory.curves(rfsim.Problem(**RATIOS, data=given), TIMES)
        for name in ("train", "test", "tau_gen", "tau_mem"):
            np.testing.assert_allclose(found[name], plain[name], rtol=1e-10, atol=1e-12, err_msg=name)
    found = theory.curves(rfsim.Problem(**RATIOS, data=PROPORTIONAL), TIMES)
    for name in ("train", "test"):
        np.testing.assert_allclose((found[f"{name}_class"] * found.class_share).sum("class"), found[name], atol=1e-8)
    np.testing.assert_allclose(found.class_variance, SCALES, rtol=1e-12)
    assert found["class"].values.tolist() == ["0", "1"]
    assert np.abs(found.test - plain.test).max() > 1e-2


@pytest.mark.slow
def test_samples_approach_that_limit_as_one_over_dim():
    names, gaps = ("train", "test", "train_class", "test_class"), []
    expected = theory.curves(rfsim.Problem(**RATIOS, data=PROPORTIONAL), TIMES)
    for dim in (16, 32):
        given = GaussianClasses(SHARES, SCALES[:, None] * np.repeat([0.4, 1.6], dim // 2))
        seen = trained(given, seeds=4)
        off = [np.abs(seen[name].mean("seed") - expected[name]).values.ravel() for name in names]
        gaps.append(float(np.concatenate(off).max()))
    assert gaps[1] < 0.1
    assert -1.4 < math.log2(gaps[1] / gaps[0]) < -0.7
