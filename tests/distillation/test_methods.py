"""Every method against its own definition (equations.md §7, M0–M13)."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import DistillationMethod, Problem, Student
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.exact_learners import best_mixing
from rfsim.distillation.methods import INPUTS, TRAITS, read_method
from rfsim.distillation.rounds import rounds
from rfsim.distillation.run import Wanted, take
from rfsim.learning.filters import learning_rate_constant
from rfsim.problem.diffusion import noise_variance, ode_step
from rfsim.problem.laws import Law
from rfsim.sampled.distill import distill
from rfsim.sampled.distill_plan import plan
from tests.distillation.cases import DIM, TINY, drawn, noisy

EVERY = [
    "consistency", "consistency-training", "segments:1", "segments:2", "segments:3", "segments:4", "progressive",
    "data-free", "endpoint", "endpoint-prior", "two-time", "score:noise-online", "score:population",
    "score:teacher-online", "score:prior",
]  # fmt: skip
LINEAR = Problem(samples_per_dim=2.5, features_per_dim=3, activation="linear")
SMALL = {"dim": 4, "generated": 32, "samples": 8, "leakage_ridges": [0.0, 1.0]}


def student(method, **given):
    return Student(method=method, **{"start": "zero", **given})


def squeezed(result):
    return result.squeeze(["seed", "distill_time"])


@pytest.fixture(scope="module")
def linear():
    with jax.enable_x64(True):
        students = [student(one) for one in EVERY]
        return squeezed(distill(LINEAR, [math.inf], levels=4, teacher_time=math.inf, students=students, **SMALL))


@pytest.mark.parametrize("method", EVERY)
def test_with_a_linear_activation_every_method_is_the_teachers_map(linear, method):
    """At τ = τ_S = ∞, γ = 0: from the same noise the very samples of the teacher in all of its steps."""
    at = EVERY.index(method)
    np.testing.assert_allclose(linear.student_sample.isel(variant=at), linear.teacher_sample, atol=1e-10)
    assert not np.allclose(linear.teacher_sample_one, linear.teacher_sample, atol=0.1)
    assert int(linear.evaluations[at]) == read_method(method).evaluations(4)


def test_an_odd_number_of_levels_leaves_one_step_alone():
    assert [len(knots) - 1 for knots in rounds(20)] == [20, 10, 5, 3, 2, 1]
    found = distill(
        LINEAR, [math.inf], levels=5, teacher_time=math.inf, students=[student("progressive")], **SMALL
    ).squeeze(["seed", "distill_time", "variant"])  # fmt: skip
    np.testing.assert_allclose(found.student_sample, found.teacher_sample, atol=1e-10)
    known = np.isfinite(found.student_steps.sel(quality="frechet_per_dim"))
    assert found.steps[known].values.tolist() == [1, 2]  # of 5, 3, 2 and 1 steps, those that are compared


TIMES = [0.0, 3.0, math.inf]


@pytest.fixture(scope="module")
def compared():
    """Several methods on one memorized teacher, tanh, with their weights."""
    students = [
        Student(), Student(method="two-time"), Student(method="segments:1"), Student(method="endpoint"),
        student("score:noise-online", ridge=0.01), Student(ridge=0.01, method="segments:3"),
        student("consistency-training", ridge=0.01), student("self"), student("self:0.4"),
    ]  # fmt: skip
    with jax.enable_x64(True), ArrayCache() as cache:
        asked = plan(TINY, TIMES, levels=3, generated=16, leakage_ridges=[0.0, 1.0], students=students)
        problem = dataclasses.replace(TINY, diffusion_time=asked.time_min)
        yield asked, take(asked, problem, drawn(), 1.0, True, cache, Wanted(), lambda _: None)


def test_one_end_of_all_pairs_is_consistency(compared):
    """Jumps to ε of a two-time student, and those of one segment, are those of consistency distillation."""
    _, found = compared
    chain, pairs, whole = (found.models["student"][k].at for k in range(3))
    for other in (pairs, whole):
        np.testing.assert_allclose(other[3, 0], chain[3, 0], rtol=1e-9, atol=1e-11)


def test_an_endpoint_student_is_the_control(compared):
    _, found = compared
    student, control = found.models["student"][3], found.models["regression"][0]
    np.testing.assert_array_equal(student.at[3, 0], control.at[3, 0])


def test_as_many_segments_as_levels_are_same_time_distillation(compared):
    """Segments of one step and the score on the same draws: one limit, whatever the weight of the loss (M3, M8)."""
    _, found = compared
    score, segments = (found.models["student"][k].at for k in (4, 5))
    for level in (1, 2, 3):
        np.testing.assert_allclose(segments[level, level - 1][-1], score[level, 0][-1], rtol=1e-8, atol=1e-10)


def test_consistency_training_of_the_first_level_is_denoising(compared):
    """B̄_1 = −(1/√Δ_1)V_1ᵀf(U_1), trained at the rate of c_out² (M2): the exact spectrum's own V and U."""
    asked, found = compared
    exact = rfsim.spectrum(dataclasses.replace(TINY, diffusion_time=float(asked.times[1])), dim=DIM)
    points = np.asarray(found.levels[0].points)
    np.testing.assert_allclose(np.sort(points), np.sort(exact.eigenvalue.values.ravel()), rtol=1e-9)
    form, student = ode_step("ddim", asked.times[1], asked.times[0]), found.models["student"][6]
    spectra = student._exact
    noise = np.asarray(spectra.basis(1)) @ np.asarray(spectra._kept("noise", 1))
    second = np.asarray(spectra.basis(1)) * points @ np.asarray(spectra.basis(1)).T
    start = -noise.T / math.sqrt(noise_variance(asked.times[1]))
    kappa = learning_rate_constant(form.score**2, 4)
    lam, basis = np.linalg.eigh(second + 0.01 * np.eye(len(second)))
    for number, tau in enumerate(TIMES):
        growth = np.zeros(len(lam)) if tau == 0 else 1 - np.exp(-kappa * min(tau, 1e12) * lam)
        want = start @ (basis * (growth / lam)) @ basis.T
        np.testing.assert_allclose(student.at[1, 0][number], want, rtol=1e-8, atol=1e-9)


def test_moments_of_two_levels_are_those_of_draws(compared):
    """P, X and C of consistency training against averages over points and their common noise, in standard errors."""
    asked, found = compared
    spectra, level, draws, blocks = found.models["student"][6]._exact, 2, 4096, 60
    pair = spectra.paired(level, carried=True)
    rng, points = np.random.default_rng(0), found.draw.points
    sums = {name: [] for name in ("own", "steps", "carried")}
    offsets, weights = np.asarray(spectra.offsets), spectra.weights
    for _ in range(blocks):
        clean, xi = points[np.arange(draws) % len(points)], rng.standard_normal((draws, DIM))
        upper, lower = (
            math.exp(-t) * clean + math.sqrt(noise_variance(t)) * xi for t in asked.times[[level, level - 1]]
        )
        seen, below = (
            np.tanh(x @ weights.T / math.sqrt(DIM)) - offsets[k] for x, k in ((upper, level), (lower, level - 1))
        )
        for name, left in (("own", upper), ("steps", lower), ("carried", below)):
            sums[name].append(left.T @ seen / draws)
    for name, several in sums.items():
        exact, mean = np.asarray(getattr(pair, name)), np.mean(several, axis=0)
        error = np.std(several, axis=0, ddof=1) / math.sqrt(blocks)
        assert np.abs((mean - exact) / error).max() < 5
        assert error.max() < 0.05 * np.abs(exact).max()


def test_the_best_mixing_is_that_of_a_scan(compared):
    """ξ⋆ against L_test over a grid around it, and the gain of the formula (M9)."""
    _, found = compared
    mixed, spectra = found.models["student"][7], found.models["student"][7]._exact
    for level in (1, 2, 3):
        taught = np.asarray(found.teachers[0].readouts[level])
        fixed = np.asarray(found.models["student"][8].at[level, 0][1])
        apart = (fixed - taught) / 0.4  # the pure student less the teacher
        best = mixed.mixing[level][1]
        at = best + np.linspace(-1, 1, 21) * max(abs(best), 0.1)
        several = taught + at[:, None, None] * apart
        losses = spectra.judge(level, [several])[0].test
        assert np.argmin(losses) == 10
        np.testing.assert_allclose(mixed.at[level, 0][1], several[10], rtol=1e-8, atol=1e-10)
        assert best_mixing(*spectra.population(level), taught, apart[None])[0] == pytest.approx(best, rel=1e-7)


# --- each flow against gradient steps of its own loss ---------------------------------------------------------------

TAU, GAMMA = 0.7, 0.05
SOLVED = {"levels": 2, "generated": 16, "leakage_ridges": [0.0, 1.0], "draws": "2p"}


def features(network, k, x):
    return jnp.tanh(x @ jnp.asarray(network.weights).T / math.sqrt(DIM)) - jnp.asarray(network.offsets)[k]


def flowed(start, loss, tau, steps=400):
    """B' = −d²∇_B loss in B = √p B̄ by Runge–Kutta, the loss differentiated automatically."""
    slope, step = jax.grad(loss), tau / steps * DIM**2 / start.shape[1]

    def once(_, b):
        first = slope(b)
        second = slope(b - step / 2 * first)
        third = slope(b - step / 2 * second)
        return b - step / 6 * (first + 2 * second + 2 * third + slope(b - step * third))

    return jax.jit(lambda b: jax.lax.fori_loop(0, steps, once, b))(start)


class ByHand:
    """Two levels of every method by its definition: draws, targets and losses written out."""

    def __init__(self, found, asked):
        self.found, self.times, self.teacher = found, asked.times, found.teachers[0]
        self.count = 2 * found.draw.sizes.features
        self.shape = DIM, found.draw.sizes.features

    def inputs(self, level):
        law = Law(self.found.draw.points, np.zeros(DIM))
        return jnp.asarray(noisy(law, self.times[level], 0, f"distillation/{level}", self.count))

    def prior(self):
        law = Law(np.zeros((1, DIM)), np.ones(DIM))
        return jnp.asarray(noisy(law, 0.0, 0, "distillation/prior/2", self.count))

    def jump(self, b, level, end, x):
        a = math.exp(self.times[level] - self.times[end])
        d, e = noise_variance(self.times[level]), noise_variance(self.times[end])
        return a * x + (a * d - math.sqrt(d * e)) * features(self.found.student, level, x) @ b.T

    def step(self, level, x):
        return self.jump(jnp.asarray(self.teacher.readouts[level]), level, level - 1, x)

    def empirical(self, level, x):
        """The step by the exact score of the training points, their weights at x written out."""
        a = math.exp(self.times[level] - self.times[level - 1])
        d, e = noise_variance(self.times[level]), noise_variance(self.times[level - 1])
        apart = math.exp(-self.times[level]) * jnp.asarray(self.found.draw.points) - x[:, None]
        likely = jnp.exp(-(apart**2).sum(-1) / (2 * d))
        score = (likely[..., None] * apart).sum(1) / likely.sum(1, keepdims=True) / d
        return a * x + (a * d - math.sqrt(d * e)) * score

    def learn(self, level, end, x, y):
        """One jump from level to end towards y."""
        a = math.exp(self.times[level] - self.times[end])
        d, e = noise_variance(self.times[level]), noise_variance(self.times[end])
        out = a * d - math.sqrt(d * e)

        def loss(b):
            apart = self.jump(b, level, end, x) - y
            return (apart**2).sum() / (len(x) * DIM) + out**2 * GAMMA * (b**2).sum() / DIM

        return flowed(jnp.zeros(self.shape), loss, TAU)

    def score(self, level, x):
        delta = noise_variance(self.times[level])
        phi = features(self.found.student, level, x)
        y = phi @ jnp.asarray(self.teacher.readouts[level]).T

        def loss(b):
            return delta * (((phi @ b.T - y) ** 2).sum() / (len(x) * DIM) + GAMMA * (b**2).sum() / DIM)

        return flowed(jnp.zeros(self.shape), loss, TAU)


def by_hand(method, hand):
    one, two = hand.inputs(1), hand.inputs(2)
    if method == "score:noise-online":
        return {(level, 0): hand.score(level, x) for level, x in ((1, one), (2, two))}
    if method in ("endpoint", "endpoint-prior"):
        x = two if method == "endpoint" else hand.prior()
        return {(2, 0): hand.learn(2, 0, x, hand.step(1, hand.step(2, x)))}
    if method == "progressive":
        return {(2, 0): hand.learn(2, 0, two, hand.step(1, hand.step(2, two)))}
    if method == "data-free":
        z = hand.prior()
        first = hand.learn(2, 1, z, hand.step(2, z))
        return {(2, 0): hand.learn(2, 0, z, hand.step(1, hand.jump(first, 2, 1, z)))}
    step = hand.empirical if method == "empirical-teacher" else hand.step
    lowest = hand.learn(1, 0, one, step(1, one))
    upper = {(2, 1): hand.learn(2, 1, two, step(2, two))}
    if method != "segments:2":
        upper[2, 0] = hand.learn(2, 0, two, hand.jump(lowest, 1, 0, step(2, two)))
    wanted = {
        "consistency": [(2, 0)],
        "empirical-teacher": [(2, 0)],
        "segments:2": [(2, 1)],
        "two-time": [(2, 1), (2, 0)],
    }[method]
    return {(1, 0): lowest} | {jump: upper[jump] for jump in wanted}


BY_HAND = [
    "consistency", "segments:2", "two-time", "progressive", "data-free", "endpoint", "endpoint-prior",
    "score:noise-online", "empirical-teacher",
]  # fmt: skip


@pytest.fixture(scope="module")
def solved():
    with jax.enable_x64(True), ArrayCache() as cache:
        students = [student(one, ridge=GAMMA) for one in BY_HAND]
        asked = plan(TINY, [TAU], students=students, **SOLVED)
        problem = dataclasses.replace(TINY, diffusion_time=asked.time_min)
        return ByHand(take(asked, problem, drawn(), 1.0, True, cache, Wanted(), lambda _: None), asked)


@pytest.mark.parametrize("method", BY_HAND)
def test_the_flow_is_the_gradient_of_the_methods_own_loss(solved, method):
    found = solved.found.models["student"][BY_HAND.index(method)].at
    wanted = by_hand(method, solved)
    assert set(wanted) <= set(found)
    for jump, weights in wanted.items():
        np.testing.assert_allclose(found[jump][0], weights, rtol=1e-6, atol=1e-8 * float(np.abs(weights).max()))


def test_hard_distillation_is_training_on_the_teachers_samples():
    """A generation is `rfsim.train`'s own weights on what the teacher generates; two of them are one of one's child."""
    students = [student("hard", ridge=0.01), student("hard", ridge=0.01, generations=2)]
    with ArrayCache() as cache:
        asked = plan(TINY, [50.0], levels=2, generated=16, leakage_ridges=[0.0, 1.0], students=students)
        problem = dataclasses.replace(TINY, diffusion_time=asked.time_min)
        found = take(asked, problem, drawn(), 1.0, True, cache, Wanted(), lambda _: None)
    first, second = found.models["student"]
    points = first._generated(found.teachers[0], 1)
    assert points.shape == found.draw.points.shape
    spectra = first._spectra(points)
    for level in (1, 2):
        one = spectra.decompose(level)
        kappa = learning_rate_constant(noise_variance(asked.times[level]), 4)
        u = one.points + 0.01
        filtered = (1 - np.exp(-kappa * 50.0 * u)) / u
        want = -(one.sources[0].T * filtered) @ one.basis.T / math.sqrt(noise_variance(asked.times[level]))
        np.testing.assert_allclose(first.at[level, 0][0], want, rtol=1e-8, atol=1e-10)
    child = found.student._replace(readouts=np.stack([np.asarray(first._taught[0].readouts[k]) for k in range(3)]))
    again = second._spectra(second._generated(child, 2)).decompose(2)
    u = again.points + 0.01
    kappa = learning_rate_constant(noise_variance(asked.times[2]), 4)
    filtered = (1 - np.exp(-kappa * 50.0 * u)) / u
    want = -(again.sources[0].T * filtered) @ again.basis.T / math.sqrt(noise_variance(asked.times[2]))
    np.testing.assert_allclose(second.at[2, 0][0], want, rtol=1e-7, atol=1e-9)


def test_a_random_teacher_has_the_trained_ones_energy():
    with ArrayCache() as cache:
        asked = plan(
            TINY, [0.0], levels=2, generated=16, leakage_ridges=[0.0, 1.0], students=[Student(method="random-teacher")]
        )
        problem = dataclasses.replace(TINY, diffusion_time=asked.time_min)
        found = take(asked, problem, drawn(), 1.0, True, cache, Wanted(), lambda _: None)
    for level in found.levels:
        np.testing.assert_allclose(level.references.sum(), level.teacher.energy.sum(), rtol=1e-10)
        assert not np.allclose(level.references[0], level.teacher.energy)
        # at distill_time 0 the student is its own, random, teacher
        np.testing.assert_allclose(level.students.energy[0, 0], level.references[0], rtol=1e-10)


def test_frozen_inputs_are_the_training_sets_own(compared):
    """score:offline learns on the n·m frozen draws: its limit is the teacher on their span (M8)."""
    frozen = dataclasses.replace(TINY, noise_copies=3)
    with ArrayCache() as cache:
        asked = plan(frozen, [math.inf], levels=2, generated=16, leakage_ridges=[0.0, 1.0],
                     students=[student("score:offline")])  # fmt: skip
        problem = dataclasses.replace(frozen, diffusion_time=asked.time_min)
        found = take(asked, problem, drawn(frozen), 1.0, True, cache, Wanted(), lambda _: None)
    for level in (1, 2):
        np.testing.assert_allclose(
            found.models["student"][0].at[level, 0][0], found.teachers[0].readouts[level], atol=1e-6
        )
    assert found.models["half"] == [None]


@pytest.mark.slow
def test_consistency_training_meets_distillation_by_the_empirical_score():
    """Each doubling of the levels takes about a half of what tells their one-step samples apart (S23, Theorem 2)."""
    students = [student("consistency-training"), student("empirical-teacher")]
    apart = []
    for levels in (4, 8, 16):
        found = distill(
            TINY, [100.0], levels=levels, students=students, dim=DIM, generated=64, samples=64, draws="60p",
            leakage_ridges=[0.0],
        ).squeeze(["seed", "distill_time"])  # fmt: skip
        trained, distilled = found.student_sample.values
        apart.append(((trained - distilled) ** 2).mean() / (trained**2).mean())
    assert apart[1] < 0.7 * apart[0]
    assert apart[2] < 0.7 * apart[1]


# --- texts and refusals ---------------------------------------------------------------------------------------------


def test_texts_are_read_and_written():
    for text in (
        "consistency",
        "segments:4",
        "score:prior",
        "self",
        "self:-0.5",
        "hard",
        "matching",
        "sds",
        "identity",
    ):
        assert str(DistillationMethod(*_parts(text))) == text == str(read_method(text))
    assert {"consistency", "hard", "two-time"} <= set(TRAITS)
    assert len(INPUTS) == 5


def _parts(text):
    kind, _, argument = text.partition(":")
    return (kind, argument) if argument else (kind,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "consistensy"}, "^method must be one of consistency, .*; did you mean 'consistency'"),
        ({"method": "segments"}, "^method segments:S takes a whole number S of segments, 1 or more; got 'segments'$"),
        ({"method": "segments:2.5"}, "^method segments:S takes a whole number"),
        ({"method": "segments:5"}, "^method segments:5 needs as many levels; got 4: take more levels or fewer"),
        ({"method": "score:online"}, r"^method score:INPUTS takes offline, .*; got 'score:online'"),
        ({"method": "self:much"}, "^method self:XI takes a number"),
        ({"method": "two-time:3"}, "^method two-time takes no '3' behind a colon"),
        ({"method": "data-free", "parameterization": "edm"}, "^method data-free learns scores.*; got edm$"),
        ({"method": "hard", "start": "teacher"}, "^method hard does not begin at a teacher's weights.*start zero$"),
        ({"method": "progressive", "target": "coupled:3"}, "^method progressive takes targets as they stand"),
        ({"generations": 2}, "^generations belong to method hard; got 2 with method consistency$"),
        ({"method": "self", "student_features_per_dim": 3.0}, "^method self mixes the teacher's own weights"),
        ({"method": "data-free", "distill_data": "fresh"}, "^method data-free has inputs of its own; got distill_data"),
        ({"method": "consistency-training", "distill_data": "fresh"}, "averages over the training points exactly"),
        ({"method": "score:offline"}, "^method score:offline needs frozen noise; got noise_copies inf"),
        ({"method": "score:prior", "solver": "heun"}, "^method score:prior learns no score at ε"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as told:
        plan(TINY, levels=4, **options)
    assert "\n" not in str(told.value)


def test_exact_moments_need_fresh_noise_and_a_smooth_activation():
    for problem, message in (
        (dataclasses.replace(TINY, noise_copies=2), "averages over fresh noise; got noise_copies 2: use inf"),
        (dataclasses.replace(TINY, activation="relu"), "needs an activation without kinks; take tanh"),
    ):
        with pytest.raises(ValueError, match=message):
            plan(problem, method="consistency-training")


def test_what_a_method_does_not_have_is_null_and_named():
    found = rfsim.distill(
        TINY, [10.0], dim=DIM, levels=2, generated=16, leakage_ridges=[0.0, 1.0],
        students=[student("data-free"), student("consistency-training")],
    )  # fmt: skip
    assert np.isnan(found.student_steps.isel(variant=0).sel(steps=2)).all()
    assert np.isnan(found.suppression.isel(variant=0).sel(level=1)).all()
    assert np.isfinite(found.suppression.isel(variant=0).sel(level=2, part="gen")).all()
    assert np.isnan(found.student_half.isel(variant=1)).all()
    assert np.isnan(found.early_student.isel(variant=1)).all()
    for name in ("student_steps", "levels", "half", "early_student"):
        assert name in found.attrs["undefined"]
