from __future__ import annotations

import re
import signal
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from rfsim.simulation import loop, optimizers

GOAL = np.arange(6.0).reshape(2, 3)


def noisy(weights, average, key, step, parameters):
    """Two quadratic parts: around the goal with noise on it, and around the average."""
    around = parameters + 0.1 * jax.random.normal(key, weights.shape, weights.dtype)
    return jnp.stack([((weights - around) ** 2).sum(), 0.3 * ((weights - average) ** 2).sum()])


def quadratic(weights, average, key, step, parameters):
    return ((weights - parameters) ** 2).sum() / 2


def training(loss=noisy, optimizer=optax.sgd, rate=0.05, **settings):
    return loop.Training(loss, optimizer, jnp.asarray(GOAL), rate, **settings)


def start(one, seed=0):
    return loop.initial(one, jnp.ones(GOAL.shape), loop.key(seed, "test"))


def same(one, other):
    leaves, others = jax.tree.leaves(one), jax.tree.leaves(other)
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(leaves, others, strict=True))


def test_descent_and_the_average_follow_their_recursions():
    one = training(quadratic, decay=0.75)
    weights = average = np.ones(GOAL.shape)
    states = list(loop.run(one, start(one), [0, 1, 7], chunk=3))
    assert [int(state.step) for state in states] == [0, 1, 7]
    assert same(states[0], start(one))
    for _ in range(7):
        weights = weights - 0.05 * (weights - GOAL)
        average = 0.75 * average + 0.25 * weights
    np.testing.assert_allclose(states[2].weights, weights, rtol=1e-14)
    np.testing.assert_allclose(states[2].average, average, rtol=1e-14)


@pytest.mark.parametrize(("decay", "follows"), [(0.0, "weights"), (1.0, "start")])
def test_the_ends_of_the_decay_are_exact(decay, follows):
    one = training(decay=decay)
    (end,) = loop.run(one, start(one), [50])
    assert np.array_equal(end.average, end.weights if follows == "weights" else np.ones(GOAL.shape))


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_a_run_cut_stored_and_resumed_ends_in_the_same_bytes(name, tmp_path):
    one = training(optimizer=optimizers.read(name).factory, decay=0.9)
    *_, whole = loop.run(one, start(one), [5], chunk=1)
    (part,) = loop.run(one, start(one), [2])
    leaves, structure = jax.tree.flatten(part)
    np.savez(tmp_path / "state.npz", *leaves)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as stored:
        read = jax.tree.unflatten(structure, [jnp.asarray(stored[name]) for name in stored.files])
    (resumed,) = loop.run(one, read, [1, 5])  # the stop before it is left out
    assert same(resumed, whole)
    assert not same(resumed, next(loop.run(one, start(one, seed=1), [5])))


def test_chunks_and_numbers_share_one_program():
    programs = []
    for rate, decay, chunk in ((0.05, 0.0, 1000), (0.1, 0.5, 7)):
        one = training(rate=rate, decay=decay)
        *_, _ = loop.run(one, start(one), [1, 2, 40, 100], chunk=chunk)
        programs.append(loop.advance._cache_size())
    assert programs[0] == programs[1]


def test_every_step_has_noise_of_its_own():
    def noise(weights, average, key, step, parameters):
        return (weights * jax.random.normal(key, weights.shape)).sum()

    one = training(noise, rate=1.0)
    states = list(loop.run(one, start(one), range(1001)))
    steps = -np.diff([np.asarray(state.weights).ravel() for state in states], axis=0)
    assert len(np.unique(steps)) == steps.size
    covariance = steps.T @ steps / len(steps)
    assert np.abs(covariance - np.eye(6)).max() <= 5 * (2 / 1000) ** 0.5


@pytest.mark.slow
def test_seeds_side_by_side_are_the_runs_one_by_one():
    one = training()
    keys = [loop.key(seed, "test") for seed in range(3)]
    go = partial(loop.advance, loss=one.loss, optimizer=one.optimizer)
    state = start(one)
    together = jax.vmap(lambda key: go(state._replace(key=key), 20, one.parameters, 0.05, 0.0, np.inf))(jnp.stack(keys))
    for seed, key in enumerate(keys):
        (alone,) = loop.run(one, state._replace(key=key), [20])
        np.testing.assert_allclose(together.state.weights[seed], alone.weights, rtol=1e-12)


def test_report_tells_progress_and_the_mean_loss():
    told = []
    one = training(quadratic, rate=0.0)
    *_, _ = loop.run(one, start(one), [2, 5], chunk=2, report=lambda *said: told.append(said))
    loss = ((1 - GOAL) ** 2).sum() / 2
    assert told == [("stochastic steps", {"done": done, "total": 5, "loss": loss}) for done in (2, 4, 5)]


def test_interrupt_keeps_the_last_finished_chunk():
    def press(step, values):
        if values["done"] == 6:
            signal.raise_signal(signal.SIGINT)

    one = training()
    with pytest.raises(KeyboardInterrupt) as pressed:
        list(loop.run(one, start(one), [20], chunk=3, report=press))
    assert isinstance(pressed.value, loop.LoopInterrupted)
    assert same(pressed.value.state, next(loop.run(one, start(one), [6])))


def test_divergence_stops_at_its_step_with_rate_limit_and_state():
    # (w − goal) is multiplied by −2 at each step: the loss, 8 at first and 4 times that per step, passes 1000 at step 4
    one = training(quadratic, rate=3.0, ceiling=1000.0, limit=2.0)
    begin = start(one)._replace(weights=jnp.asarray(GOAL).at[0, 0].add(4.0))
    expected = (
        "diverged at step 4: the loss is 2048, above 1000; the rate is 3 and the stable limit 2: take a smaller one"
    )
    with pytest.raises(loop.Diverged, match=f"^{re.escape(expected)}$") as stopped:
        list(loop.run(one, begin, [100], chunk=30))
    assert same(stopped.value.state, next(loop.run(one, begin, [4])))
    below = one._replace(rate=1.9, ceiling=7.0)
    with pytest.raises(loop.Diverged, match="step 0: .* stable limit 2: take a larger batch or a smaller rate"):
        list(loop.run(below, begin, [100]))


def test_what_is_not_finite_is_caught_where_it_happens():
    def overflow(weights, average, key, step, parameters):
        return jnp.stack([jnp.zeros(()), jnp.where(step < 3, 0.0, parameters) * weights.sum()])

    for value, words in ((jnp.nan, "the loss of part 2 of 2 is nan"), (jnp.inf, "the loss of part 2 of 2 is inf")):
        one = training(overflow)._replace(parameters=value)
        with pytest.raises(loop.Diverged, match=f"^diverged at step 3: {words}; the rate is 0.05; take a smaller one$"):
            list(loop.run(one, start(one), [10]))
    one = training(overflow, rate=1e10)._replace(parameters=jnp.asarray(1e300))
    with pytest.raises(loop.Diverged, match="step 3: the new weights are not finite") as stopped:
        list(loop.run(one, start(one), [10]))
    assert np.array_equal(stopped.value.state.weights, np.ones(GOAL.shape))


def test_each_part_has_its_ceiling():
    one = training(rate=0.0)
    first = float(((1 - GOAL) ** 2).sum())
    (_,) = loop.run(one._replace(ceiling=np.array([2 * first, 1e-9])), start(one), [3])
    with pytest.raises(loop.Diverged, match="the loss of part 1 of 2 is"):
        list(loop.run(one._replace(ceiling=np.array([first / 2, 1e-9])), start(one), [3]))


def test_it_computes_in_the_precision_of_the_weights():
    one = training(optimizer=optax.adam, decay=0.5)._replace(parameters=jnp.asarray(GOAL, jnp.float32))
    state = loop.initial(one, jnp.ones(GOAL.shape, jnp.float32), loop.key(0, "test"))
    go = partial(loop.advance, loss=one.loss, optimizer=one.optimizer)
    end = jax.eval_shape(go, state, 3, one.parameters, one.rate, one.decay, one.ceiling)
    assert end.state.weights.dtype == end.state.average.dtype == end.total.dtype == jnp.float32


@pytest.mark.parametrize("stops", [[-1, 3], [2**31]])
def test_stops_out_of_range(stops):
    one = training()
    with pytest.raises(ValueError, match="stops must be steps from 0 to 2\\^31 - 1; got"):
        list(loop.run(one, start(one), stops))


@pytest.mark.slow
@pytest.mark.parametrize("name", optimizers.names())
def test_every_optimizer_that_can_be_named_runs_and_descends(name):
    one = training(quadratic, optimizers.read(name).factory)
    first, last = (float(quadratic(state.weights, 0, 0, 0, GOAL)) for state in loop.run(one, start(one), [0, 300]))
    assert last < first
