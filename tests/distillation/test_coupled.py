from __future__ import annotations

import itertools

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import gammainc

from rfsim.distillation.coupled import contour, coupled
from rfsim.distillation.flow import System, decomposed, sequential

DIM, FEATURES = 2, 6
TIMES = np.array([0.0, 1e-6, 0.03, 1.0, 40.0, 900.0])


def chain(ridge, kappas=(0.05, 0.4, 1.3, 0.7), draws=25, seed=0):
    """Levels whose U and C share their draws; fewer draws than features leave U flat somewhere."""
    rng = np.random.default_rng(seed)
    found = []
    for k, kappa in enumerate(kappas):
        here = rng.normal(size=(draws, FEATURES)) * np.geomspace(0.05, 2, FEATURES)
        there = here + 0.3 * rng.normal(size=here.shape) * here.std(axis=0)
        points, basis = decomposed(jnp.asarray(here.T @ here / draws))
        fixed = rng.normal(size=(DIM, draws)) @ here / draws
        gain = 0.8 if k else 0.0
        start = rng.normal(size=(DIM, FEATURES))
        found.append(
            System(points, basis, *(jnp.asarray(a) for a in (fixed, there.T @ here / draws)), gain, kappa, ridge, start)
        )
    return found


def solved(systems, times, ema_time, nodes=32, width=8):
    """Weights (levels, times, dim, features) of all levels at once; times padded to one width, to compile once."""
    below, found = None, []
    padded = np.pad(times, (0, width - len(times)))
    for system in systems:
        weights, below = coupled(system, below, padded, ema_time, contour(nodes))
        found.append(np.asarray(weights)[: len(times)])
    return np.array(found)


def in_turn(systems, times):
    """The same where each level follows the one below trained for the same time."""
    below, found = jnp.zeros((len(times), DIM, FEATURES)), []
    for system in systems:
        below = sequential(system, below, times)
        found.append(np.asarray(below))
    return np.array(found)


def exponential(systems, time, ema_time):
    """The weights by the exponential of the whole block system: rows (B_1, B⁻_1, B_2, …, 1), or without averages."""
    n, p = len(systems), FEATURES
    averages = ema_time > 0
    width = (2 if averages else 1) * p
    generator = np.zeros((n * width + 1, n * width + 1))
    state = np.ones((DIM, n * width + 1))
    for k, one in enumerate(systems):
        at = slice(k * width, k * width + p)
        second = (one.basis * one.points) @ one.basis.T
        generator[at, at] = -one.kappa * (second + one.ridge * np.eye(p))
        generator[-1, at] = np.nan  # the fixed part differs by row of the weights: filled in below
        state[:, at] = one.start
        if averages:
            average = slice(at.stop, at.stop + p)
            generator[at, average], generator[average, average] = np.eye(p) / ema_time, -np.eye(p) / ema_time
            state[:, average] = one.start
        if k:
            source = slice((k - 1) * width + averages * p, (k - 1) * width + averages * p + p)
            generator[source, at] = one.kappa * one.gain * one.carried
    rows = []
    for i in range(DIM):
        for k, one in enumerate(systems):
            generator[-1, k * width : k * width + p] = one.kappa * one.fixed[i]
        rows.append((state[i] @ expm(time * generator))[:-1].reshape(n, width)[:, :p])
    return np.moveaxis(rows, 0, 1)


@pytest.mark.parametrize(
    ("ridge", "draws", "ema_time"),
    [
        pytest.param(*case, marks=() if case in ((0.0, 25, 0.0), (0.1, 4, 0.02), (0.0, 4, 5.0)) else pytest.mark.slow)
        for case in itertools.product((0.0, 0.1), (25, 4), (0.0, 0.02, 5.0, 1e4))
    ],
)
def test_coupled_levels_are_the_exponential_of_the_whole_system(ridge, draws, ema_time):
    systems = chain(ridge, draws=draws)
    found = solved(systems, TIMES, ema_time)
    for i, time in enumerate(TIMES):
        whole = exponential(systems, time, ema_time)
        np.testing.assert_allclose(found[:, i], whole, atol=3e-11 * np.abs(whole).max())


def scalar(rate, kappa, carried, fixed=0.0, start=0.0):
    """One feature and one output: dB/dτ = −rate B + κ(F + B⁻C)."""
    one = np.ones((1, 1))
    arrays = (np.array([rate / kappa]), one, fixed * one, carried * one)
    return System(*map(jnp.asarray, arrays), gain=1.0, kappa=kappa, ridge=0.0, start=jnp.asarray(start * one))


def followed(terms, rate, source, start):
    """b with b' = −rate b + source·Σ c e^{−aτ}, b(0) = start, for terms {a: c} with a ≠ rate: again {a: c}."""
    driven = {a: source * c / (rate - a) for a, c in terms.items()}
    return driven | {rate: start - sum(driven.values())}


def test_rates_may_span_twenty_four_decades():
    # exact sums of exponentials: rate × distill_time from 2e-12 to 3e14, and the average between
    rates, ema_time = [1e-3, 3e2, 2e-9, 7.0, 4e-1], 11.0
    times = np.geomspace(1e-3, 1e12, 31)
    systems = [scalar(r, kappa=0.3, carried=0.7 * r, fixed=r * (1 + k), start=k - 1.5) for k, r in enumerate(rates)]
    found = solved(systems, times, ema_time, width=60)[:, :, 0, 0]
    with mpmath.workdps(200):
        terms = {}
        for k, one in enumerate(systems):
            kappa, lam, c, fixed, start = (
                mpmath.mpf(float(np.ravel(v)[0])) for v in (one.kappa, one.points, one.carried, one.fixed, one.start)
            )
            target = {a: kappa * c * value for a, value in terms.items()}
            target[mpmath.mpf(0)] = target.get(mpmath.mpf(0), 0) + kappa * fixed
            terms = followed(target, kappa * lam, 1, start)
            exact = [float(sum(c * mpmath.exp(-a * mpmath.mpf(t)) for a, c in terms.items())) for t in times]
            np.testing.assert_allclose(found[k], exact, atol=1e-11 * np.abs(exact).max())
            average = (1 + k * mpmath.mpf(10) ** -25) / ema_time  # apart, for simple poles; 200 digits bear it
            terms = followed(terms, average, average, start)


@pytest.mark.parametrize(("average", "poles"), [(0.0, 20), (1.0, 39)])
def test_twenty_levels_of_one_rate_are_a_pole_of_high_order(average, poles):
    # level k of one rate follows P(order, rate·τ); an average as slow as the levels adds a pole for each level below
    systems = [scalar(0.1, kappa=0.1, carried=1.0, fixed=float(k == 0)) for k in range(20)]
    times = np.geomspace(0.1, 2000, 60)
    found = solved(systems, times, 10.0 * average, width=60)[:, :, 0, 0]
    orders = np.arange(1, poles + 1, 2 if average else 1)
    np.testing.assert_allclose(found, gammainc(orders[:, None], 0.1 * times), atol=1e-11)


def test_more_nodes_converge():
    # poles of order 1 to 40 by the rule alone: P(order, x) from (x/(z + x))^order/z
    x, orders = np.geomspace(1e-6, 1e6, 497), np.array([1, 5, 20, 40])[:, None]
    errors = {}
    for nodes in (8, 16, 24, 32):
        z, weights = (np.asarray(part)[:, None, None] for part in contour(nodes))
        found = (weights / z * (x / (z + x)) ** orders).sum(axis=0).real
        errors[nodes] = np.abs(found - gammainc(orders, x)).max(axis=1)
    assert errors[8].max() > 1e-2
    assert errors[16].max() < 1e-3
    assert errors[24].max() < 1e-7
    assert errors[32].max() < 5e-12


def test_one_level_is_the_sequential_flow():
    system = chain(0.1)[0]
    times = np.append(TIMES, [1e9, np.inf])
    weights, transform = coupled(system, None, times, 3.0, contour())
    np.testing.assert_array_equal(weights, sequential(system, jnp.zeros((1, DIM, FEATURES)), times))
    assert transform.moved.shape == (8, 16, DIM, FEATURES)


@pytest.mark.parametrize("draws", [25, 4])
@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_the_ends_are_the_start_and_the_fixed_point(ridge, draws):
    systems = chain(ridge, draws=draws)
    found = solved(systems, [0.0, np.inf], 3.0)
    for k, system in enumerate(systems):
        np.testing.assert_allclose(found[k, 0], system.start, atol=1e-14)
    np.testing.assert_allclose(found[:, 1], in_turn(systems, [np.inf])[:, 0], rtol=1e-11)


@pytest.mark.parametrize("ema_time", [0.0, 7.0])
def test_late_levels_agree_with_levels_trained_in_turn(ema_time):
    # the demand: past 30/(κγ) of the slowest level
    systems = chain(0.1)
    times = [30 / (0.1 * min(one.kappa for one in systems))]
    found, turn = solved(systems, times, ema_time), in_turn(systems, times)
    assert np.abs(found - turn).max() < 1e-6 * np.abs(turn).max()


def test_many_levels_of_one_rate_need_longer_to_agree():
    # 30 times the slowest level's 1/rate is not enough where twenty levels share it: 1 − P(20, 30) is 2% still
    systems = [scalar(0.1, kappa=0.1, carried=1.0, fixed=float(k == 0)) for k in range(20)]
    last = solved(systems, [300.0, 600.0], 0.0, width=60)[-1, :, 0, 0]
    assert 1 - last[0] == pytest.approx(0.0219, rel=1e-2)
    assert 1 - last[1] < 1e-6


def test_coupled_levels_lag_behind_levels_trained_in_turn():
    # the target still moves: at equal distill_time the first levels are one system, the later ones are not
    systems = chain(0.1)
    found, turn = solved(systems, [3.0], 1.0), in_turn(systems, [3.0])
    np.testing.assert_allclose(found[0], turn[0], atol=1e-14)
    assert np.abs(found[1:] - turn[1:]).max() > 1e-2


def test_flat_directions_stay_where_they_begin():
    systems = chain(0.0, draws=4)
    found = solved(systems, [1.0, 1e8, np.inf], 3.0)
    for k, system in enumerate(systems):
        flat = np.asarray(system.basis)[:, np.asarray(system.points) == 0]
        assert flat.shape[1] == 2
        np.testing.assert_allclose(found[k] @ flat, np.broadcast_to(system.start @ flat, (3, DIM, 2)), atol=1e-11)


def test_what_cannot_be_computed_is_refused():
    with pytest.raises(ValueError, match="nodes must be an even number of at least 2; got 7"):
        contour(7)
    for bad in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match=f"ema_time must be finite and not negative; got {bad:g}"):
            coupled(chain(0.1)[0], None, [1.0], bad, contour())
