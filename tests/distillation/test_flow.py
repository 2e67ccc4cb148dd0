from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.distillation.chains import Chain
from rfsim.distillation.consistency import Consistency, consistency
from rfsim.distillation.flow import System, decomposed, sequential
from rfsim.distillation.learners import Averages, Setting
from rfsim.distillation.moments import LevelMoments, Noisy, StudentFeatures, level_moments, stage
from rfsim.distillation.plan import Student
from rfsim.distillation.readers import read, together
from rfsim.distillation.regression import Forms
from rfsim.problem import activations
from rfsim.problem.diffusion import ode_step
from rfsim.problem.laws import Law
from tests.distillation.cases import DIM, FEATURES, TIMES, any_network, moved, noisy, phi

NETWORK = any_network(3)
LAW = Law(np.random.default_rng(4).standard_normal((6, DIM)), np.zeros(DIM))
DRAWS = 60
SHAPE = DIM, FEATURES
STUDENTS = [Student(0.05, "ddim", "zero"), Student(0.05, "ddim", "teacher"), Student(0.05, "edm", "zero")]
FORMS = [consistency(one.parameterization, TIMES, 1.3) for one in STUDENTS]


class Students:
    """Chains of several students, taken through the levels by hand."""

    def __init__(self, students, forms, times, network=NETWORK):
        bare = network._replace(readouts=np.zeros((0, *SHAPE)))
        setting = Setting(times, bare, jnp.tanh, "ddim")
        given = zip(students, forms, strict=True)
        self.chains = [Chain(one, setting, network, Forms(form, TIMES), whole=True) for one, form in given]
        self.times, self.level = times, 0

    @property
    def count(self):
        return len(self.chains) * len(self.times)

    def readers(self, level):
        if level != self.level:
            self.level, self.courses = level, [chain.regressions(level) for chain in self.chains]
            self.asked = together([next(course).readers for course in self.courses])
        return self.asked

    def advance(self, level, targets, moments, eigen):
        self.readers(level)
        found, each = [], len(self.times)
        for number, course in enumerate(self.courses):
            with pytest.raises(StopIteration) as end:
                course.send(Averages(targets[number * each : (number + 1) * each], moments, eigen))
            found.append(end.value.value)
        return np.stack(found)


def pupil_of(level, network=NETWORK):
    return StudentFeatures(jnp.asarray(network.weights), network.offsets[level], network.offsets[level - 1])


def moments_of(level, students=None, network=NETWORK, function=jnp.tanh, solver="ddim"):
    """Of one level, C and P with them; targets are what the students are regressed on."""
    here, pupil = stage(network, level, solver), pupil_of(level, network)
    draws = Noisy(LAW, TIMES[level], 0, f"{level}", DRAWS)

    def targets(x):
        if students is None:
            return jnp.zeros((len(x), 0, DIM))
        return read(students.readers(level), here, pupil, function, x)

    return next(level_moments(here, pupil, draws, function, targets, shares=1, carried=True))


def advanced(students, level, moments):
    return np.asarray(students.advance(level, moments.targets, moments, decomposed(moments.second)))


def drawn_level(level, form):
    """The draws of a level, where the teacher takes them, the features at both, and the coefficients there."""
    x = noisy(LAW, TIMES[level], 0, f"{level}", DRAWS)
    y = moved(ode_step("ddim", TIMES[level], TIMES[level - 1]), NETWORK, level, x)
    here, there = phi(NETWORK, level, x), phi(NETWORK, level - 1, y)
    return x, y, here, there, form.skip[level], form.out[level], form.skip[level - 1], form.out[level - 1]


def explicit_loss(b, below, draws, ridge):
    """The loss of a level as a sum over its draws, with the target as it stands (§7)."""
    x, y, here, there, skip, out, skip_there, out_there = draws
    apart = skip * x + out * here @ b.T - skip_there * y - out_there * there @ below.T
    return (apart**2).sum() / (DRAWS * DIM) + out**2 * ridge * (b**2).sum() / DIM


@jax.jit
def descended(start, below, draws, ridge, tau, steps):
    """Gradient steps in B = √p B̄ by automatic differentiation: d² of flow time for a rate of 1."""
    slope, step = jax.grad(explicit_loss), tau / steps * DIM**2 / FEATURES
    return jax.lax.fori_loop(0, steps, lambda _, b: b - step * slope(b, below, draws, ridge), start)


def weights(seed, size=0.4):
    return size * np.random.default_rng(seed).standard_normal(SHAPE)


def test_the_flow_is_small_gradient_steps_of_the_loss_over_its_draws():
    """Both levels of a chain, each towards the one below as it is at the same τ_S (T16, T17)."""
    tau, ridge = 2.0, STUDENTS[0].ridge
    students = Students(STUDENTS, FORMS, np.array([tau, 0.5]))
    below = np.zeros((3, 2, *SHAPE))
    for level in (1, 2):
        found = advanced(students, level, moments_of(level, students))
        for number, (student, form) in enumerate(zip(STUDENTS, FORMS, strict=True)):
            start = NETWORK.readouts[level] if student.start == "teacher" else np.zeros(SHAPE)
            stepped = [
                descended(start, below[number, 0], drawn_level(level, form), ridge, tau, steps) for steps in (100, 200)
            ]
            errors = [np.abs(b - found[number, 0]).max() for b in stepped]
            # Euler's method: the error is of the order of the step
            assert errors[0] < 0.02
            assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.1)
        below = found


def system_of(moments, level, form, ridge, start):
    """T16 from C and P, coefficients written out."""
    fixed = (form.skip[level - 1] * moments.steps - form.skip[level] * moments.own) / form.out[level]
    kappa = 2 * form.out[level] ** 2 / (FEATURES / DIM)
    gain = form.out[level - 1] / form.out[level]
    eigen = decomposed(moments.second)
    return System(*eigen, fixed, moments.carried, gain, kappa, ridge, jnp.asarray(start))


def test_what_is_read_draw_by_draw_is_the_flow_from_c_and_p():
    """Regression on f⁻_{k−1}(Φ_k(x)) itself, a thin product, against R_k made of C_k and P_k (T16)."""
    times = np.array([0.0, 3.0, np.inf])
    students, below = Students(STUDENTS, FORMS, times), np.zeros((3, 3, *SHAPE))
    assert students.count == 9
    for level in (1, 2):
        moments = moments_of(level, students)
        found = advanced(students, level, moments)
        for row, under, student, form in zip(found, below, STUDENTS, FORMS, strict=True):
            start = NETWORK.readouts[level] if student.start == "teacher" else np.zeros(SHAPE)
            system = system_of(moments, level, form, student.ridge, start)
            np.testing.assert_allclose(row, sequential(system, under, times), rtol=1e-9, atol=1e-10)
        below = found


@pytest.mark.slow
def test_an_average_that_does_not_move_is_the_level_below():
    """Coupled without delay, from C and P, against the sequential students: equal at the start and in the limit."""
    times = np.array([0.0, np.inf])
    students = [dataclasses.replace(one, target="coupled:0") for one in STUDENTS]
    coupled, students = (Students(several, FORMS, times) for several in (students, STUDENTS))
    for level in (1, 2):
        moments = moments_of(level, students)
        np.testing.assert_allclose(
            advanced(coupled, level, moments), advanced(students, level, moments), rtol=1e-8, atol=1e-9
        )


@pytest.fixture(scope="module")
def system():
    """Level 2 of the edm student from a start of its own."""
    with jax.enable_x64(True):
        return system_of(moments_of(2), 2, FORMS[2], 0.02, weights(6))


def second_of(system):
    return np.asarray(system.basis) * np.asarray(system.points) @ system.basis.T


def test_the_right_side_is_the_gradient_of_the_loss(system):
    """T16 at any weights: κ[B̄(U + γ) − R] = (d²/p) ∇_B̄ L."""
    at, below = weights(7), weights(5)
    right = system.fixed + system.gain * below @ system.carried
    velocity = -system.kappa * (at @ second_of(system) + system.ridge * at - right)
    gradient = jax.grad(explicit_loss)(at, below, drawn_level(2, FORMS[2]), system.ridge)
    np.testing.assert_allclose(velocity, -(DIM**2) / FEATURES * gradient, atol=1e-13)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_ends_are_the_start_and_the_normal_equations(system, ridge):
    system, below = system._replace(ridge=ridge), weights(5)
    first, end = sequential(system, np.stack([below, below]), [0.0, np.inf])
    np.testing.assert_allclose(first, system.start, atol=1e-14)
    right = np.asarray(system.fixed + system.gain * below @ system.carried)
    np.testing.assert_allclose(end @ (second_of(system) + ridge * np.eye(FEATURES)), right, atol=1e-12)


def test_the_flow_can_be_stopped_and_taken_up_again(system):
    below = np.stack([weights(5), weights(5)])
    early, late = sequential(system, below, [3.0, 10.0])
    resumed = sequential(system._replace(start=early), below, [7.0, 0.0])[0]
    np.testing.assert_allclose(resumed, late, atol=1e-13)


def test_each_time_has_its_own_weights_below(system):
    below, times = np.stack([weights(8), weights(9)]), [2.0, 50.0]
    both = sequential(system, below, times)
    for row, one, time in zip(both, below, times, strict=True):
        np.testing.assert_allclose(row, sequential(system, np.stack([one, one]), [time, time])[0], atol=1e-14)


@pytest.mark.parametrize("draws", [8, 38])
def test_with_nothing_moved_and_equal_coefficients_the_limit_is_the_level_below(draws):
    """Φ_k = identity: P = X and C = U, so R_k = B̄⁻U_k; where U is flat (fewer draws than features) the start stays."""
    rng = np.random.default_rng(draws)
    here, x = rng.standard_normal((draws, FEATURES)), rng.standard_normal((draws, DIM))
    second, own = jnp.asarray(here.T @ here / draws), jnp.asarray(x.T @ here / draws)
    form = Consistency(np.array([1.0, 0.8, 0.8]), np.array([0.0, 0.6, 0.6]), True)
    times = np.array([3.0, np.inf])
    begin = weights(6)
    readouts = np.stack([np.zeros(SHAPE), weights(5), begin])
    students = Students([Student()], [form], times, NETWORK._replace(readouts=readouts))
    eigen = decomposed(second)
    points, basis = (np.asarray(a) for a in eigen)
    assert (points == 0).sum() == max(0, FEATURES - draws)

    def still(level):
        """E yφᵀ of y = f⁻_{k−1}(x): nothing moves, and the features are the same."""
        reader = students.readers(level)
        y = reader.skip[:, None, None] * x + reader.out[:, None, None] * (here @ np.swapaxes(reader.weights, 1, 2))
        return LevelMoments(draws, second, own, jnp.asarray(np.swapaxes(y, 1, 2) @ here / draws), second, own, None)

    moments = still(1)
    below = np.asarray(students.advance(1, moments.targets, moments, eigen))[0]
    moments = still(2)
    found = students.advance(2, moments.targets, moments, eigen)[0]
    kappa = 2 * 0.6**2 / (FEATURES / DIM)
    for row, one, tau in zip(found, below, times, strict=True):
        # on the way from the start to the level below, and there in the end
        left = np.exp(-kappa * min(tau, 1e9) * points)
        np.testing.assert_allclose(row, one - (one - begin) @ (basis * left) @ basis.T, atol=1e-11)


@pytest.mark.parametrize("solver", ["ddim", "euler", "heun"])
def test_a_linear_student_ends_at_the_product_of_the_teachers_steps(solver):
    """With σ(z) = z every f_k is a matrix; the limit is the composed sampler, whatever the draws."""
    linear = activations.activation("linear")
    network = any_network(3, offsets=(0.0, 0.0, 0.0))
    reduced = np.asarray(network.weights) / math.sqrt(DIM)
    students = [dataclasses.replace(student, ridge=0.0) for student in STUDENTS]
    students, eye = Students(students, FORMS, np.array([0.0, np.inf]), network), np.eye(DIM)
    composed = eye
    for level in (1, 2):
        moments = moments_of(level, students, network, linear.function, solver)
        assert int((decomposed(moments.second)[0] > 0).sum()) == DIM
        # on the flat directions, which no input excites, the start stays and changes nothing
        found = advanced(students, level, moments)[:, 1]
        step = ode_step(solver, TIMES[level], TIMES[level - 1])
        here, there = (network.readouts[k] @ reduced for k in (level, level - 1))
        jump = step.x * eye + step.score * here
        jump = jump + step.half * (jump + there @ jump - eye - here)
        composed = composed @ jump
        for one, form in zip(found, FORMS, strict=True):
            student = form.skip[level] * eye + form.out[level] * one @ reduced
            np.testing.assert_allclose(student, composed, atol=1e-11)
    assert np.abs(composed - FORMS[0].skip[2] * eye).max() > 0.1


def test_what_rounding_alone_makes_is_flat():
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((FEATURES, FEATURES)))[0]
    values = np.array([0, 0, 1e-17, 1e-16, 1e-6, 1e-3, 0.1, 0.5, 1, 2, 3, 4])
    points, found = decomposed(jnp.asarray(basis * values @ basis.T))
    assert (np.asarray(points) == 0).sum() == 4
    np.testing.assert_allclose(points[4:], values[4:], rtol=1e-8)
    np.testing.assert_allclose(found.T @ found, np.eye(FEATURES), atol=1e-13)
