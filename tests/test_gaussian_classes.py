"""Gaussian classes given as an object: their law, what is sampled of them, their fit to labeled rows, their limit."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from scipy import stats

import rfsim
from rfsim import GaussianClasses, theory
from rfsim.computing import machine
from rfsim.limit.class_tables import class_targets
from rfsim.limit.dynamics import limit_curves
from rfsim.limit.intervals import support
from rfsim.limit.limits import limit
from rfsim.limit.populations import Population
from rfsim.limit.solver import solve
from rfsim.problem import data, origins, realization
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
    origin = origins.source(asked)
    return asked, realization.instance(asked, origin, origins.resolve(asked, origin, None), 0)


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


def test_they_are_the_same_whatever_signs_lapack_gives_its_eigenvectors(monkeypatch):
    """Points are drawn in these axes: with another sign the same seed would draw others on another machine."""
    rows, codes, eigh = RNG.standard_normal((40, 3)), np.arange(40) % 2, np.linalg.eigh
    found = GaussianClasses.fitted(rows, codes)
    turned = np.array([-1.0, 1.0, -1.0])
    monkeypatch.setattr(np.linalg, "eigh", lambda second: (eigh(second)[0], eigh(second)[1] * turned))
    assert str(GaussianClasses.fitted(rows, codes)) == str(found)


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
    with pytest.raises(ValueError, match="are an object, which no text and no sweep holds"):
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


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: trained(THREE, dim=7), "dim is 6, given by data 'gaussian-classes:3x6@.*'; got 7: leave it out"),
        (lambda: trained(THREE, model="gaussian"), "model gaussian has one variance for all points"),
        (lambda: THREE.law(4), "have 6 dimensions; got dim 4"),
        (lambda: theory.curves(rfsim.Problem(data=THREE), [1]), "the limit of classes with means, .* is not derived"),
        (
            lambda: theory.curves(rfsim.Problem(data=GaussianClasses([0.5, 0.5], [[0, 0], [1, 2]])), [1]),
            "the limit needs a variance of every class",
        ),
        (
            lambda: theory.curves(rfsim.Problem(data=GaussianClasses(np.full(20, 0.05), RNG.random((20, 4)))), [1]),
            "the limit takes at most 16 classes whose covariances are no multiples of one; got 20",
        ),
        (lambda: rfsim.advise(rfsim.Problem(data=GaussianClasses([1.0], [[1.0, 3.0]]))), "of classes the limit knows"),
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


SHARES, SCALES = np.array([0.3, 0.7]), np.array([0.5, 1.5])
PROPORTIONAL = GaussianClasses(SHARES, SCALES[:, None] * np.repeat([0.4, 1.6], 2))
PATTERN = np.array([[0.3, 0.3, 1.1, 1.1], [2.0, 1.0, 1.0, 2.0]])
UNEVEN = GaussianClasses(SHARES, PATTERN)


def asked(given, **options):
    return rfsim.Problem(**RATIOS, data=given, **options)


def test_classes_of_one_covariance_have_its_limit():
    plain = theory.curves(asked("atoms:0.5@0.48,0.5@1.92"), TIMES)
    for given in (
        GaussianClasses([1.0], [[0.48, 1.92]]),
        GaussianClasses([0.25, 0.75], [[0.48, 1.92], [0.48, 1.92]]),
    ):
        found = theory.curves(asked(given), TIMES)
        for name in ("train", "test", "tau_gen", "tau_mem"):
            np.testing.assert_allclose(found[name], plain[name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("given", [PROPORTIONAL, UNEVEN], ids=["multiples", "others"])
def test_losses_of_the_limit_by_class_add_up(given):
    found = theory.curves(asked(given), TIMES, by_part=True)
    for name in ("train", "test"):
        np.testing.assert_allclose((found[f"{name}_class"] * found.class_share).sum("class"), found[name], atol=1e-8)
    np.testing.assert_allclose(found.class_variance, given.variances.mean(axis=1), rtol=1e-12)
    assert found["class"].values.tolist() == ["0", "1"]
    assert float(found.mass.sum()) == pytest.approx(1, abs=1e-8)
    # of the ridge's minimizer, and of late training with that ridge
    ridge = theory.ridge(asked(given), [0.1])
    late = theory.curves(asked(given, ridge=0.1), [math.inf])
    np.testing.assert_allclose(ridge.test.values, late.test.values, rtol=1e-7)
    assert np.isnan(ridge.bias2).all()  # of one isotropic Gaussian alone


def test_an_h_of_each_class_is_that_of_all_where_covariances_are_multiples():
    """Two routes through the equations: (P1) with scales of one h, and with an h for each class."""
    values, weights, scales = np.array([0.48, 1.92]), np.array([0.5, 0.5]), SCALES / (SHARES @ SCALES)
    one = limit(asked("isotropic"), Population(values, weights, (SHARES, scales)), classes=True)
    each = Population(values, weights, (SHARES, scales), values[:, None] * scales)
    joint = limit(asked("isotropic"), each, classes=True)
    assert joint.classes.variances is not None
    z = np.array([-3.0, -0.03, 0.05 + 1e-3j, 1 + 0.5j, 2.0, 0.3 - 0.01j])
    found, other = (solve(of, z).state for of in (joint, one))
    for name in ("q", "r", "over_first", "over_atoms"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name), rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(found.h, np.asarray(other.h)[:, None] * scales, rtol=1e-12)
    np.testing.assert_allclose(support(joint), support(one), rtol=1e-9)
    curves = [limit_curves(of, np.array([10.0, 1e3, math.inf]), 1e-3) for of in (joint, one)]
    for name in ("train", "test", "cross"):
        np.testing.assert_allclose(*(getattr(each.curves, name) for each in curves), rtol=1e-10, err_msg=name)
    tables = [class_targets(of, each.tables[0]) for of, each in zip((joint, one), curves, strict=True)]
    for pair in zip(*tables, strict=True):
        for kind in (0, 1):  # the population, and the training points
            np.testing.assert_allclose(pair[0][kind].same, pair[1][kind].same, rtol=1e-8)


def test_the_resolvent_is_that_of_the_equations_written_out():
    """(P1) with l_c of each atom, by a fixed point below the spectrum."""
    of, z = limit(asked(UNEVEN), classes=True), -3.0
    own, psi_p, psi_n = of.classes, of.features_per_dim, of.samples_per_dim
    gains, atoms = SHARES * own.slopes**2, PATTERN.T
    q, r, h = 0.3, 0.3, PATTERN.mean(axis=1) * 0.3
    for _ in range(4000):
        load = 1 + psi_p / psi_n * (own.slopes**2 * of.signal * h + own.v2 * q)
        below = 1 / q + psi_p * of.noise * gains.sum() + atoms @ (psi_p * of.signal * gains / load)
        r, h = (r + (1 / below).mean()) / 2, (h + (atoms / below[:, None]).mean(axis=0)) / 2
        inner = psi_p * (SHARES @ own.s2 - z + SHARES @ (own.v2 / load))
        # (1 − ψ_p)/q − r/q² + inner = 0
        q = (q + ((psi_p - 1) + math.sqrt((psi_p - 1) ** 2 + 4 * inner * r)) / (2 * inner)) / 2
    found = solve(of, np.array([z])).state
    np.testing.assert_allclose([found.q[0].real, found.r[0].real, *found.h[0].real], [q, r, *h], rtol=1e-9)


def test_systems_of_all_pairs_are_refused_before_they_are_there(monkeypatch):
    monkeypatch.setattr(machine, "memory_limit", lambda: 10**6)
    with pytest.raises(MemoryError, match="the limit of 2 classes at 64 points of a contour .*take fewer classes"):
        theory.curves(asked(UNEVEN), [1.0])


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [PROPORTIONAL.variances, PATTERN], ids=["multiples", "others"])
def test_samples_approach_the_limit_as_one_over_dim(pattern):
    names, gaps = ("train", "test", "train_class", "test_class"), []
    expected = theory.curves(asked(GaussianClasses(SHARES, pattern)), TIMES)
    for dim in (16, 32):
        seen = trained(GaussianClasses(SHARES, np.repeat(pattern, dim // 4, axis=1)), seeds=4)
        off = [np.abs(seen[name].mean("seed") - expected[name]).values.ravel() for name in names]
        gaps.append(float(np.concatenate(off).max()))
    assert gaps[1] < 0.1
    assert -1.4 < math.log2(gaps[1] / gaps[0]) < -0.7
