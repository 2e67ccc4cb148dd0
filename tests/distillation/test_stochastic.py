from __future__ import annotations

import math
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from rfsim.distillation import batches, flow, stochastic
from rfsim.distillation.consistency import consistency
from rfsim.distillation.networks import Network
from rfsim.problem.diffusion import diffuse
from rfsim.problem.laws import Law
from rfsim.simulation import loop

D, P, LEVELS, DRAWS = 3, 14, 3, 40
TIMES = np.array([0.1, 0.3, 0.6, 1.2])
RIDGE = 0.05


class Moments(NamedTuple):
    """U_k, C_k, P_k and X_k of (T16)."""

    second: np.ndarray
    carried: np.ndarray
    moved: np.ndarray
    x: np.ndarray


def random(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


@cache
def task(parameterization="ddim", ridge=RIDGE):
    """A student of its own offsets on a pool of draws that no teacher has to have made."""
    student = Network(random(P, D), 0.3 * random(LEVELS + 1, D, P), np.array([0.0, 0.1, -0.2, 0.3]), TIMES)
    x = random(LEVELS, DRAWS, D)
    moved = 0.8 * x + 0.3 * np.sin(3 * x) + 0.1 * random(LEVELS, DRAWS, D, seed=1)
    pool = batches.Pool(jnp.asarray(x), jnp.asarray(moved))
    return stochastic.DistillationTask(student, consistency(parameterization, TIMES, 1.0), ridge, jnp.tanh, pool)


def moments(one, k):
    phi = lambda y, k: np.tanh(y @ one.student.weights.T / D**0.5) - one.student.offsets[k]  # noqa: E731
    x, moved = np.asarray(one.source.x[k - 1]), np.asarray(one.source.moved[k - 1])
    here = phi(x, k)
    return Moments(*(left.T @ here / DRAWS for left in (here, phi(moved, k - 1), moved, x)))


def kappa(one, k):
    return 2 * one.consistency.out[k] ** 2 * D / P


def slope(one, known, bars, averages):
    """dB̄/dτ_S of all levels, (T16) as it is written; entries 0 of the lists stand for f_0."""
    skip, out, _ = one.consistency
    found = [np.zeros((D, P))]
    for k in range(1, LEVELS + 1):
        u, c, p, x = known[k]
        r = (skip[k - 1] * p + out[k - 1] * averages[k - 1] @ c - skip[k] * x) / out[k]
        found.append(-kappa(one, k) * (bars[k] @ (u + one.ridge * np.eye(P)) - r))
    return np.array(found)


def recursion(one, rate, steps, decay):
    """The weights B̄ after so many full-batch steps from the moments of the pool, (levels, dim, features)."""
    known = {k: moments(one, k) for k in range(1, LEVELS + 1)}
    bars = averages = one.student.readouts
    for _ in range(steps):
        bars = bars + rate / D**2 * slope(one, known, bars, averages)
        averages = decay * averages + (1 - decay) * bars
    return bars[1:]


def largest(one):
    return [np.linalg.eigvalsh(moments(one, k).second)[-1] for k in range(1, LEVELS + 1)]


def last(*args, **options):
    *_, record = stochastic.distill(*args, **options)
    return record


@pytest.mark.parametrize("parameterization", ["ddim", "edm"])
def test_the_gradient_is_the_flow_of_t16(parameterization):
    one = task(parameterization)
    loss, levels = stochastic._loss(one.function, batches.BatchPlan(None)), stochastic._levels(one)
    weights, average = P**0.5 * random(LEVELS, D, P, seed=2), P**0.5 * random(LEVELS, D, P, seed=3)
    found = slope_of(jnp.asarray(weights), jnp.asarray(average), levels, loss=loss)
    known = {k: moments(one, k) for k in range(1, LEVELS + 1)}
    bars, averages = ([np.zeros((D, P)), *(b / P**0.5)] for b in (weights, average))
    np.testing.assert_allclose(found, -(P**0.5) / D**2 * slope(one, known, bars, averages)[1:], rtol=1e-11, atol=1e-13)


@partial(jax.jit, static_argnames=("loss",))
def slope_of(weights, average, levels, *, loss):
    return jax.grad(lambda b: loss(b, average, jax.random.key(0), 0, levels).sum())(weights)


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_full_batches_descend_as_the_moments_of_the_pool_say(decay):
    one = task()
    setting = stochastic.Stochastic(rate=0.4 * stochastic.stable_rate(one, largest(one)), batch=None, decay=decay)
    found = last(setting, one, [60], seed=0)
    np.testing.assert_allclose(found.weights, recursion(one, setting.rate, 60, decay), atol=1e-10)
    # the targets do matter
    assert np.abs(found.weights - recursion(one, setting.rate, 60, 1.0)).max() > 0.01
    bars, averages = ([np.zeros((D, P)), *np.asarray(b)] for b in (found.weights, found.state.average / P**0.5))
    for k in range(1, LEVELS + 1):
        ahead, there = consistency_function(one, bars, k), consistency_function(one, averages, k - 1)
        gap = ahead(np.asarray(one.source.x[k - 1])) - there(np.asarray(one.source.moved[k - 1]))
        np.testing.assert_allclose(found.losses[k - 1], (gap**2).mean(), rtol=1e-12)


def consistency_function(one, bars, k):
    skip, out, _ = one.consistency
    weights, offset = one.student.weights, one.student.offsets[k]
    return lambda x: skip[k] * x + out[k] * (np.tanh(x @ weights.T / D**0.5) - offset) @ bars[k].T


SEEDS, STEPS, TAU = 200, 400, 4.0


@pytest.mark.parametrize(("decay", "exact"), [(0.9, "recursion"), (1.0, "flow")])
def test_the_mean_over_seeds_is_the_exact_dynamics(decay, exact):
    """Batches are independent of the weights they meet and the loss is quadratic: the mean of SGD is the recursion on
    the pool's moments exactly. With the target kept at the start (decay 1) it is, up to the step, the flow (T17).
    """
    one = task()
    setting = stochastic.Stochastic(rate=D**2 * TAU / STEPS, batch=1, decay=decay)
    training, _ = stochastic.training(setting, one, seed=0)
    keys = jnp.stack([loop.key(seed, "test") for seed in range(SEEDS)])
    state = stochastic.initial(training, one, seed=0)
    ends = side_by_side(state, keys, training.parameters, setting.rate, decay, loss=training.loss)
    assert not ends.failed.any()
    directions = random(10, LEVELS * D * P)
    along = np.asarray(ends.state.weights).reshape(SEEDS, -1) / P**0.5 @ directions.T
    error = along.std(0, ddof=1) / SEEDS**0.5
    expected = recursion(one, setting.rate, STEPS, decay)
    if exact == "flow":
        discrete, expected = expected, np.array([frozen_flow(one, k) for k in range(1, LEVELS + 1)])
        assert np.all(np.abs(directions @ (expected - discrete).ravel()) < 0.25 * error)
    assert np.all(np.abs(along.mean(0) - directions @ expected.ravel()) <= 5 * error)
    # which average is the target is seen at that many standard errors
    other = directions @ (recursion(one, setting.rate, STEPS, 1.9 - decay) - expected).ravel()
    assert np.median(np.abs(other) / error) > 20


@partial(jax.jit, static_argnames=("loss",))
def side_by_side(state, keys, parameters, rate, decay, *, loss):
    go = partial(loop.advance, loss=loss, optimizer=optax.sgd)
    return jax.vmap(lambda key: go(state._replace(key=key), STEPS, parameters, rate, decay, np.inf))(keys)


def frozen_flow(one, k):
    """Level k under the exact flow to TAU, its target made of the start of the level below."""
    u, c, p, x = moments(one, k)
    skip, out, _ = one.consistency
    points, basis = flow.decomposed(jnp.asarray(u))
    fixed = (skip[k - 1] * p - skip[k] * x) / out[k]
    gain, start = one.consistency.gain(k), one.student.readouts
    system = flow.System(points, basis, fixed, jnp.asarray(c), gain, kappa(one, k), one.ridge, start[k])
    return flow.sequential(system, start[k - 1][None], np.array([TAU]))[0]


@cache
def fresh(solver="ddim", variances=(0.0, 0.5, 2.0)):
    """A student of the teacher's own features that starts at the teacher, on fresh draws around 7 points."""
    teacher = Network(random(P, D), 0.2 * random(LEVELS + 1, D, P), np.array([0.1, 0.0, -0.1, 0.2]), TIMES)
    source = batches.FreshBatches(teacher, Law(random(7, D), np.array(variances)), solver, jnp.tanh)
    return stochastic.DistillationTask(teacher, consistency("ddim", TIMES, 1.0), 0.0, jnp.tanh, source)


def test_a_teacher_that_starts_itself_solves_the_first_level():
    """Φ_1 is one DDIM jump to ε, and so is f_1 with the teacher's weights; the levels above have yet to learn."""
    training, evaluate = stochastic.training(stochastic.Stochastic(), fresh(), seed=0)
    losses = evaluate(*stochastic.initial(training, fresh(), seed=0)[1:3])
    assert losses[0] < 1e-28
    assert losses[1:].min() > 1e-4


@pytest.mark.parametrize("solver", ["ddim", pytest.param("heun", marks=pytest.mark.slow)])
def test_fresh_draws_have_the_law_of_the_level_and_move_as_t15(solver):
    source = fresh(solver).source
    plan = batches.plan_of(source, stochastic.EVALUATED)
    x, moved = batches.fixed(loop.key(0, "test"), batches.moves(source), plan)
    weights, readouts, offsets, _ = source.teacher
    s = lambda y, k: (np.tanh(y @ weights.T / D**0.5) - offsets[k]) @ readouts[k].T  # noqa: E731
    for k in range(1, LEVELS + 1):
        t, to, here = TIMES[k], TIMES[k - 1], np.asarray(x[k - 1])
        if solver == "ddim":
            noise = -math.sqrt(1 - math.exp(-2 * t)) * s(here, k)
            clean = math.exp(t) * (here - math.sqrt(1 - math.exp(-2 * t)) * noise)
            expected = math.exp(-to) * clean + math.sqrt(1 - math.exp(-2 * to)) * noise
        else:
            slope = here + s(here, k)
            ahead = here + (t - to) * slope
            expected = here + (t - to) / 2 * (slope + ahead + s(ahead, k - 1))
        np.testing.assert_allclose(moved[k - 1], expected, atol=1e-13)
        law = diffuse(source.law, t)
        centered = here - law.centers.mean(0)
        products = centered[:, :, None] * centered[:, None]
        covariance = np.cov(law.centers.T, bias=True) + np.diag(law.variances)
        assert np.all(np.abs(centered.mean(0)) <= 5 * here.std(0) / len(here) ** 0.5)
        assert np.all(np.abs(products.mean(0) - covariance) <= 5 * products.std(0) / len(here) ** 0.5)
    # levels share no draw
    assert np.abs(np.corrcoef(x[0][:, 0], x[1][:, 0])[0, 1]) < 5 / stochastic.EVALUATED**0.5


@pytest.mark.slow
def test_a_full_batch_of_points_takes_each_once():
    source = fresh(variances=(0.0, 0.0, 0.0)).source
    moves = batches.moves(source)._replace(scale=jnp.zeros((LEVELS, D)))
    x, _ = jax.jit(batches.batch, static_argnames="plan")(jax.random.key(0), moves, plan=batches.plan_of(source, None))
    np.testing.assert_allclose(x, np.exp(-TIMES[1:])[:, None, None] * source.law.centers, rtol=1e-14)


def test_adam_lowers_the_loss_and_resumes_in_the_same_bytes():
    one, setting = task(ridge=0.0), stochastic.Stochastic("adam", rate=0.05, batch=16, decay=0.5)
    records = list(stochastic.distill(setting, one, [0, 2, 300], seed=1, chunk=50))
    assert [record.step for record in records] == [0, 2, 300]
    assert np.all(records[2].losses < 0.5 * records[0].losses)
    resumed = last(setting, one, [2, 300], seed=1, state=records[1].state)
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(resumed), jax.tree.leaves(records[2]), strict=True))


@pytest.mark.slow
def test_a_student_of_its_own_width_learns_from_fresh_draws():
    """Level 1, whose target does not move, ends near least squares on many draws: 6% above it, as slow directions have
    not yet ended and Adam's noise stays (batches of 256 and a larger rate end 4% above it).
    """
    one, p = fresh("heun"), 20
    one = one._replace(student=Network(random(p, D), np.zeros((LEVELS + 1, D, p)), np.zeros(LEVELS + 1), TIMES))
    setting = stochastic.Stochastic("adam", rate=0.005, batch=64)
    first, last = stochastic.distill(setting, one, [0, 10000], seed=1)
    assert np.all(last.losses < 0.5 * first.losses)
    x, moved = batches.fixed(loop.key(5, "test"), batches.moves(one.source), batches.plan_of(one.source, 20000))
    phi = np.tanh(np.asarray(x[0]) @ one.student.weights.T / D**0.5)
    gap = np.asarray(moved[0] - one.consistency.skip[1] * x[0])
    best = ((gap - phi @ np.linalg.lstsq(phi, gap)[0]) ** 2).mean()
    assert 0.98 * best < last.losses[0] < 1.1 * best


def test_past_the_stable_rate_it_stops_and_says_so():
    one = task()
    limit = stochastic.stable_rate(one, largest(one))
    setting = partial(stochastic.Stochastic, batch=None, decay=1.0)
    assert np.all(np.isfinite(last(setting(rate=0.98 * limit), one, [2000], seed=0).weights))
    words = (
        rf"^diverged at step \d+: the loss of level \d of 3 is .*, above .*; the rate is {1.05 * limit:.6g} and the "
    )
    words += f"stable limit {limit:.6g}: take a smaller one$"
    with pytest.raises(loop.Diverged, match=words) as stopped:
        last(setting(rate=1.05 * limit), one, [2000], seed=0, largest=largest(one))
    assert np.all(np.isfinite(stopped.value.state.weights))
    assert 0 < stopped.value.state.step < 2000


def test_steps_and_averages_in_units_of_distill_time():
    assert stochastic.steps_at([0, 10.0, 1e3], rate=0.5, dim=10).tolist() == [0, 2000, 200000]
    assert [stochastic.ema_decay(tau, rate=1.0, dim=2) for tau in (0, 0.25, 1.0, math.inf)] == [0, 0, 0.75, 1]
    with pytest.raises(ValueError, match=r"at least one step, distill_time 0.25; got 0.1"):
        stochastic.ema_decay(0.1, rate=1.0, dim=2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"optimizer": "sdg"}, "optimizer must be the name of an optax optimizer.* got 'sdg'; did you mean 'sgd'?"),
        ({"rate": 0.0}, "rate must be positive and finite; got 0"),
        ({"batch": 0}, "batch must be a whole number of at least 1"),
        ({"decay": 1.5}, "decay must lie between 0 and 1; got 1.5"),
    ],
)
def test_settings_are_checked(setting, message):
    with pytest.raises(ValueError, match=message):
        stochastic.Stochastic(**setting)


def test_a_full_batch_of_a_population_is_refused():
    with pytest.raises(ValueError, match="a full batch needs data that can be counted"):
        last(stochastic.Stochastic(batch=None), fresh(), [1], seed=0)
