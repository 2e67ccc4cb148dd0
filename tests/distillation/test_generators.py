"""Distribution matching and score identity against their own losses and closed forms (equations.md M11, M12)."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.distillation import exponential, generators
from rfsim.distillation.flow import decomposed
from rfsim.distillation.networks import Network
from rfsim.problem.diffusion import noise_variance, ode_step
from tests.distillation.cases import DIM, FEATURES, TIMES, any_network, phi

GAMMA, DRAWS = 0.05, 301
FORM = ode_step("ddim", float(TIMES[-1]), float(TIMES[0]))
ONES = [(math.exp(-(t - TIMES[0])), noise_variance(t - TIMES[0])) for t in TIMES[1:]]  # α' and Δ' by level
WEIGHTS = [noise_variance(t) / 2 for t in TIMES[1:]]  # ω of two levels


def flow(kind, teacher, z, xi, start, *, ratio=None, ridge=GAMMA, function=jnp.tanh, critic_ridge=0.0):
    last = len(teacher.times) - 1
    form = ode_step("ddim", float(teacher.times[last]), float(teacher.times[0]))
    own = np.asarray(phi(teacher, last, z, function))
    one = generators.Generator(
        kind, teacher.weights, teacher.offsets[last], form, ridge, start, function, ratio, critic_ridge
    )
    return generators.GeneratorFlow(one, teacher, decomposed(own.T @ own / len(z)), generators.pool(z, xi))


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(3)
    teacher = any_network()
    z, xi = rng.standard_normal((2, DRAWS, DIM))
    return teacher, z, xi, 0.2 * rng.standard_normal((DIM, FEATURES))


def generated(teacher, readout, z):
    return FORM.x * z + FORM.score * (jnp.tanh(z @ teacher.weights.T / DIM**0.5) - teacher.offsets[-1]) @ readout.T


def scores(teacher, k, readout, y):
    return (jnp.tanh(y @ teacher.weights.T / DIM**0.5) - teacher.offsets[k]) @ readout.T


def critics(teacher, readout, z, xi):
    """Least squares of the noise over the pool, level by level."""
    found = []
    for k, (alpha, delta) in enumerate(ONES, 1):
        own = phi(teacher, k, alpha * np.asarray(generated(teacher, readout, z)) + math.sqrt(delta) * xi)
        found.append(-np.linalg.lstsq(own, xi, rcond=None)[0].T / math.sqrt(delta))
    return found


def loss(kind, readout, start, fixed, teacher, z, xi):
    """What is descended, the critics and, of KL, the difference of the scores held fixed at `start`."""
    total = FORM.score**2 * GAMMA * (readout**2).sum() / DIM
    for k, ((alpha, delta), weight) in enumerate(zip(ONES, WEIGHTS, strict=True), 1):
        g, held = generated(teacher, readout, z), generated(teacher, start, z)
        y, there = alpha * g + math.sqrt(delta) * xi, alpha * held + math.sqrt(delta) * xi
        taught = teacher.readouts[k]
        if kind == "identity":  # in the words of its source: predictions of the sample at ε
            r, q = ((y + delta * scores(teacher, k, one, y)) / alpha for one in (taught, fixed[k - 1]))
            apart = r - q
            of_square = weight * noise_variance(TIMES[k]) * alpha**2 / delta**2
            total += of_square * ((apart * (r - g)).sum(1) - (apart**2).sum(1)).mean() / DIM
        else:
            own = 0.0 if kind == "sds" else scores(teacher, k, fixed[k - 1], there)
            total += 2 / DIM * weight * ((own - scores(teacher, k, taught, there)) * y).sum(1).mean()
    return total


@pytest.mark.parametrize("kind", ["matching", "sds", "identity"])
def test_a_generator_descends_the_gradient_of_its_loss(drawn, kind):
    """B̄' = −(d²/p)∇_B̄ of the loss over the very pool, the critic at its own minimum and held fixed."""
    teacher, z, xi, start = drawn
    one = flow(kind, teacher, z, xi, start)
    (found,) = one.slopes(one.begin())
    fixed = critics(teacher, start, z, xi)
    slope = jax.grad(lambda b: loss(kind, b, start, fixed, teacher, z, xi))(start)
    np.testing.assert_allclose(one.readout((found,)), -(DIM**2) / FEATURES * slope, rtol=1e-7, atol=1e-10)


def test_a_critic_descends_its_denoising_loss(drawn):
    """F̄' = −ρ(d²/p)∇_F̄ of (1/d)E‖√Δ'F̄φ + ξ‖² + Δ'γ_f‖F̄‖²/d, beside a generator at the critic's own scores."""
    teacher, z, xi, start = drawn
    one = flow("matching", teacher, z, xi, start, ratio=7.0, critic_ridge=0.3)
    values = one.begin()
    moved = (values[0], *(1.1 * part for part in values[1:]))
    found = one.slopes(moved)
    for k, (alpha, delta) in enumerate(ONES, 1):
        y = alpha * generated(teacher, start, z) + math.sqrt(delta) * xi

        def denoising(f, k=k, y=y, delta=delta):
            gap = math.sqrt(delta) * scores(teacher, k, f, y) + xi
            return (gap**2).sum(1).mean() / DIM + delta * 0.3 * (f**2).sum() / DIM

        slope = jax.grad(denoising)(1.1 * teacher.readouts[k])
        np.testing.assert_allclose(
            np.asarray(found[k]) @ one._bases[k - 1].T, -7.0 * DIM**2 / FEATURES * slope, rtol=1e-8, atol=1e-10
        )
    fixed = [1.1 * teacher.readouts[k] for k in (1, 2)]
    slope = jax.grad(lambda b: loss("matching", b, start, fixed, teacher, z, xi))(start)
    np.testing.assert_allclose(one.readout(found), -(DIM**2) / FEATURES * slope, rtol=1e-8, atol=1e-10)


def test_what_is_not_a_number_is_no_small_error(drawn):
    """In whichever block it stands: a step that makes one is not taken."""
    teacher, z, xi, start = drawn
    one = flow("matching", teacher, z, xi, start, ratio=7.0)
    change = [0.0 * part for part in one.begin()]
    assert one.size(tuple(change)) == 0.0
    for block in range(len(change)):
        broken = [part + (np.nan if number == block else 0.0) for number, part in enumerate(change)]
        assert np.isnan(one.size(tuple(broken)))


def test_a_flow_without_a_good_step_keeps_its_last_state():
    """x' = x² from 1 has no solution beyond τ = 1."""

    class Square:
        rates = (np.zeros(1),)

        def slopes(self, values):
            with np.errstate(over="ignore"):
                return (values[0] ** 2,)

        def size(self, change):
            return float(np.abs(change[0]).max())

    field = Square()
    state = exponential.begun(field, (np.ones((1, 1)),))._replace(length=np.float64(1e-3))
    with pytest.raises(exponential.FlowDiverged, match="^diverged at distill_time 0.99") as told:
        for _ in range(100_000):
            state = exponential.advance(field, state, 2.0)
    last = told.value.state
    assert float(last.time) < 1
    assert np.isfinite(last.values[0]).all()
    assert float(last.values[0][0, 0]) > 1e3


# --- linear features: closed forms ----------------------------------------------------------------------------------

SPREAD = np.array([0.3, 1.0, 2.0])  # of the data along each coordinate
GRID = np.array([0.02, 0.3, 1.0, 2.0])


def whitened(rng, count):
    """z and ξ (count, dim) with second moments of the standard normal law to rounding."""
    rows = rng.standard_normal((count, 2 * DIM))
    rows = np.linalg.qr(rows)[0] * math.sqrt(count)
    return rows[:, :DIM], rows[:, DIM:]


def linear(rng):
    """A teacher −H_k⁻¹x, by features with WᵀW = pI, and a pool."""
    weights = np.linalg.qr(rng.standard_normal((FEATURES, DIM)))[0] * math.sqrt(FEATURES)
    law = [np.exp(-2 * t) * SPREAD + noise_variance(t) for t in GRID]
    readouts = np.stack([-np.diag(1 / h) @ weights.T * math.sqrt(DIM) / FEATURES for h in law])
    return Network(weights, readouts, np.zeros(len(GRID)), GRID), law, *whitened(rng, 400)


def maps(network, readout):
    """M of G = Mz."""
    form = ode_step("ddim", float(GRID[-1]), float(GRID[0]))
    return form.x * np.eye(DIM) + form.score * np.asarray(readout) @ network.weights / math.sqrt(DIM), form.score


def start_at(network, m):
    form = ode_step("ddim", float(GRID[-1]), float(GRID[0]))
    return (m - form.x * np.eye(DIM)) / form.score @ network.weights.T * math.sqrt(DIM) / FEATURES


def identity(x):
    return x


BY_LEVEL = [(math.exp(-2 * (t - GRID[0])), noise_variance(t - GRID[0]), noise_variance(t)) for t in GRID[1:]]


def test_matching_descends_the_divergence_of_laws():
    """dM/dτ = −c²d ∇_M (2/d)Σω KL(N(0, α'²MMᵀ + Δ') ‖ N(0, H)), for a map that commutes with nothing."""
    rng = np.random.default_rng(0)
    network, law, z, xi = linear(rng)
    m = np.eye(DIM) + 0.3 * rng.standard_normal((DIM, DIM))
    one = flow("matching", network, z, xi, start_at(network, m), ridge=0.0, function=identity)

    def divergence(m):
        total = 0.0
        for (square, delta, weight), h in zip(BY_LEVEL, law[1:], strict=True):
            own = square * m @ m.T + delta * jnp.eye(DIM)
            total += weight / 3 * (jnp.trace(own / h[:, None]) - jnp.linalg.slogdet(own)[1])  # 2 KL and what is fixed
        return total / DIM

    (found,) = one.slopes(one.begin())
    _, c = maps(network, one.readout((found,)))
    moved = c * np.asarray(one.readout((found,))) @ network.weights / math.sqrt(DIM)
    np.testing.assert_allclose(moved, -(c**2) * DIM * jax.grad(divergence)(m), rtol=1e-6, atol=1e-8)


def rates(kind, law, c):
    """Of m near its end, by mode (M11, M12)."""
    end, total = law[0], np.zeros(DIM)
    for (square, _, weight), h in zip(BY_LEVEL, law[1:], strict=True):
        if kind == "sds":
            total += 2 * weight / 3 * square / h
        else:
            power = 3 if kind == "identity" else 2
            total += 4 * end * (weight ** (power - 1)) / 3 * square**2 / h**power
    return c**2 * total


def followed(one, stops):
    state, found = exponential.begun(one, one.begin()), []
    for stop in stops:
        while state.time < stop:
            state = exponential.advance(one, state, stop)
        found.append(np.asarray(one.readout(state.values)))
    return found


@pytest.mark.parametrize("kind", ["matching", "sds", "identity"])
def test_linear_modes_relax_at_their_rates(kind):
    """m − √λ_ε falls exponentially at 4c²λ_εΣωα'⁴/H² and at 4c²λ_εΣωα'⁴/H³; of SDS m itself does."""
    network, law, z, xi = linear(np.random.default_rng(1))
    start = np.diag(np.sqrt(law[0]) * (1 + 1e-5))
    one = flow(kind, network, z, xi, start_at(network, start), ridge=0.0, function=identity)
    (found,) = one.slopes(one.begin())
    _, c = maps(network, one.readout((found,)))
    moved = np.diag(c * np.asarray(one.readout((found,))) @ network.weights / math.sqrt(DIM))
    end = 0.0 if kind == "sds" else np.sqrt(law[0])
    np.testing.assert_allclose(-moved / (np.diag(start) - end), rates(kind, law, c), rtol=1e-4)


@pytest.mark.parametrize("kind", ["matching", "sds", "identity"])
def test_linear_modes_end_where_they_should(kind, monkeypatch):
    """From far away m² → λ_ε, by score distillation sampling m → 0, as fast as it should."""
    monkeypatch.setattr(exponential, "TOLERANCE", 1e-5)
    network, law, z, xi = linear(np.random.default_rng(1))
    start = np.sqrt(law[0]) * [0.3, 1.7, 2.5]
    one = flow(kind, network, z, xi, start_at(network, np.diag(start)), ridge=0.0, function=identity)
    _, c = maps(network, start_at(network, np.diag(start)))
    want = rates(kind, law, c)
    if kind == "sds":
        stop = 1.5 / want.max()
        (found,) = followed(one, [stop])
        np.testing.assert_allclose(maps(network, found)[0], np.diag(start * np.exp(-want * stop)), atol=2e-3)
        return
    (found,) = followed(one, [60 / want.min()])
    np.testing.assert_allclose(maps(network, found)[0], np.diag(np.sqrt(law[0])), atol=1e-3)


def test_a_fast_critic_is_one_at_equilibrium():
    network, law, z, xi = linear(np.random.default_rng(2))
    start = start_at(network, np.diag(np.sqrt(law[0]) * [0.5, 1.5, 1.2]))
    stop, found = [0.02], {}
    for ratio in (None, 3.0, 3e3, 3e4):
        one = flow("matching", network, z, xi, start, ratio=ratio, ridge=0.0, function=identity)
        found[ratio] = maps(network, followed(one, stop)[0])[0]
    gaps = [np.abs(found[ratio] - found[None]).max() for ratio in (3.0, 3e3, 3e4)]
    assert gaps[0] > 0.05
    assert gaps[1] < 0.05 * gaps[0]
    assert gaps[2] < 0.25 * gaps[1] + 1e-3
