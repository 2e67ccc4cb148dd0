from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from rfsim import Problem
from rfsim.learning import descent, filters, losses, trainers
from rfsim.problem import data, origins, realization
from rfsim.problem.diffusion import diffuse, forward, noise_variance
from rfsim.problem.laws import Law, score_power
from rfsim.sample import moments, spectra


def drawn(problem, dim, seed=0):
    origin = origins.source(problem)
    return realization.instance(problem, origin, origins.resolve(problem, origin, dim), seed)


def solved(problem, dim, start=None):
    draw = drawn(problem, dim)
    spectrum = spectra.sample_spectrum(problem, draw, start=start)
    population = spectra.population_moments(problem, draw, spectrum)
    # the target takes its matrix over, so tests that need Ũ itself keep a copy
    kept = population._replace(second=jnp.array(population.second))
    return draw, spectrum, spectra.sample_target(spectrum, population), kept


def explicit_weights(spectrum, values, delta):
    """Ā = −(1/√Δ) Σ_j S_jᵀ f_j(U) for one set of filter values."""
    total = sum(s.T * f @ spectrum.basis.T for s, f in zip(spectrum.sources, values, strict=True))
    return -total / math.sqrt(delta)


PROBLEM = Problem(samples_per_dim=3, features_per_dim=6, diffusion_time=0.2, noise_copies=3, ridge=0.02)
DIM = 5


def loss_as_a_sum(a_bar, draw, problem):
    """(T1) written out: the mean over samples and frozen draws of ‖√Δ Ā φ(x) + ξ‖²/d, and the ridge."""
    delta = noise_variance(problem.diffusion_time)
    total, count = 0.0, 0
    for x, xi in realization.frozen_draws(draw, problem):
        phi = jnp.tanh(jnp.asarray(x) @ draw.weights.T / math.sqrt(draw.sizes.dim))
        total += jnp.sum((math.sqrt(delta) * phi @ a_bar.T + xi) ** 2)
        count += len(x)
    return total / (count * draw.sizes.dim) + delta * problem.ridge * jnp.sum(a_bar**2) / draw.sizes.dim


def explicit_descent(draw, problem, start, rate, steps):
    """Gradient steps in A = √p Ā of the loss written as a sum, by automatic differentiation."""
    root = math.sqrt(draw.sizes.features)
    slope = jax.jit(jax.grad(lambda a: loss_as_a_sum(a / root, draw, problem)))
    a = start * root
    for _ in range(steps):
        a = a - rate * slope(a)
    return a / root


@pytest.mark.slow
def test_gradient_steps_of_the_loss_follow_the_closed_forms():
    draw = drawn(PROBLEM, DIM)
    d, p = DIM, draw.sizes.features
    delta = noise_variance(PROBLEM.diffusion_time)
    start = 0.3 * np.random.default_rng(1).standard_normal((d, p))
    spectrum = spectra.sample_spectrum(PROBLEM, draw, start=start)
    tau, errors = 1.5, []
    for steps in (50, 100):
        rate = tau * d**2 / steps
        stepped = explicit_descent(draw, PROBLEM, jnp.asarray(start), rate, steps)
        c = descent.descent_step(rate, delta, p, d)
        values = [f(spectrum.points) for f in (descent.descent(steps, c, 0.02), descent.descent_decay(steps, c, 0.02))]
        np.testing.assert_allclose(explicit_weights(spectrum, values, delta), stepped, atol=1e-12)
        kappa = filters.learning_rate_constant(delta, p / d)
        values = [f(spectrum.points) for f in (filters.flow(tau, kappa, 0.02), filters.flow_decay(tau, kappa, 0.02))]
        errors.append(float(jnp.abs(explicit_weights(spectrum, values, delta) - stepped).max()))
    # Euler's method: the error is of the order of the step
    assert errors[0] < 0.05
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.15)


def test_a_student_follows_the_flow_toward_its_teacher():
    """The student's own loss Δ E‖(B̄ − Ā)φ‖²/d and ridge, integrated in time, against `distillation:TAU`."""
    draw = drawn(PROBLEM, DIM)
    spectrum = spectra.sample_spectrum(PROBLEM, draw)
    delta, ridge = noise_variance(PROBLEM.diffusion_time), PROBLEM.ridge
    kappa = filters.learning_rate_constant(delta, PROBLEM.features_per_dim)
    teacher = explicit_weights(spectrum, [filters.flow(40.0, kappa, ridge)(spectrum.points)], delta)
    second = moments.sampled_moments(draw.weights, realization.frozen_draws(draw, PROBLEM), PROBLEM.activation).second
    root, tau = math.sqrt(draw.sizes.features), 3.0

    def loss(b):
        apart = b / root - teacher
        return delta / DIM * (jnp.sum((apart @ second) * apart) + ridge * jnp.sum(b**2) / root**2)

    slope = jax.grad(loss)
    found = integrate.solve_ivp(
        lambda _, b: -(DIM**2) * np.asarray(slope(jnp.asarray(b).reshape(teacher.shape))).ravel(),
        (0, tau),
        np.zeros(teacher.size),
        rtol=1e-9,
        atol=1e-12,
    )
    distilled = trainers.read(f"distillation:{tau}").at(kappa, ridge).filter(40.0)
    expected = explicit_weights(spectrum, [distilled(spectrum.points)], delta)
    np.testing.assert_allclose(found.y[:, -1].reshape(teacher.shape) / root, expected, atol=1e-8)


def test_losses_of_filters_are_losses_of_explicit_weights():
    start = np.random.default_rng(2).standard_normal((DIM, 30))
    draw, spectrum, target, population = solved(PROBLEM, DIM, start)
    delta = noise_variance(PROBLEM.diffusion_time)
    pair = [filters.flow(40.0, 0.05, 0.02), filters.flow_decay(40.0, 0.05, 0.02)]
    weights = explicit_weights(spectrum, [f(spectrum.points) for f in pair], delta)
    frozen = moments.sampled_moments(draw.weights, realization.frozen_draws(draw, PROBLEM), PROBLEM.activation)
    train = float(losses.weights_loss(weights, frozen.second, frozen.noise, delta, frozen.constant))
    assert float(losses.train_loss(spectrum, pair)) == pytest.approx(train, rel=1e-12)
    ridge = delta * 0.02 * float(jnp.sum(weights**2)) / DIM
    assert float(losses.penalty(spectrum, pair, 0.02)) == pytest.approx(ridge, rel=1e-11)
    assert train + ridge == pytest.approx(float(loss_as_a_sum(weights, draw, PROBLEM)), rel=1e-12)
    test = float(losses.weights_loss(weights, population.second, population.noise, delta))
    assert float(losses.target_loss(spectrum, target, pair)) == pytest.approx(test, rel=1e-11)


@pytest.mark.parametrize("spec", ["isotropic", "isotropic:2", "powerlaw:1", "atoms:0.5@0.5,0.5@1.5"])
def test_the_score_error_meets_the_test_loss(spec):
    """E_score from (T2), with E φyᵀ from an adaptive integrator of its own, against L_test by the identity."""
    problem = Problem(samples_per_dim=3, features_per_dim=8, diffusion_time=0.1, data=spec)
    draw, spectrum, target, population = solved(problem, 12)
    delta = noise_variance(0.1)
    law = diffuse(draw.population, 0.1)
    f = filters.flow(1e3, filters.learning_rate_constant(delta, 8.0))
    weights = explicit_weights(spectrum, [f(spectrum.points)], delta)

    def slope(v):  # E σ(√v u) u/√v
        g = lambda u: math.tanh(math.sqrt(v) * u) * u * math.exp(-u * u / 2) / math.sqrt(2 * math.pi * v)  # noqa: E731
        return integrate.quad(g, -12, 12, epsabs=1e-14, epsrel=1e-13, limit=200)[0]

    w = draw.weights
    v = (w**2 * law.variances).sum(1) / 12
    feature_data = np.array([slope(x) for x in v])[:, None] * w * law.variances / math.sqrt(12)
    np.testing.assert_allclose(moments.feature_data(population, law, math.sqrt(delta)), feature_data, atol=1e-13)
    direct = losses.weights_score_error(weights, population.second, jnp.asarray(feature_data), law.variances)
    identity = losses.score_error(losses.target_loss(spectrum, target, [f]), delta, score_power(law))
    assert float(identity) == pytest.approx(float(direct), rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["isotropic", "mixture:3"])
def test_the_score_error_is_the_average_distance_to_the_true_score(spec):
    problem = Problem(samples_per_dim=3, features_per_dim=8, diffusion_time=0.3, data=spec)
    draw, spectrum, target, _ = solved(problem, 10)
    delta = noise_variance(0.3)
    f = filters.flow(200.0, filters.learning_rate_constant(delta, 8.0))
    weights = np.asarray(explicit_weights(spectrum, [f(spectrum.points)], delta))
    rng = np.random.default_rng(0)
    clean = data.draw(draw.population, 40_000, 99)
    y = forward(clean, rng.standard_normal(clean.shape), 0.3)
    law = diffuse(draw.population, 0.3)
    score = -y / law.variances
    if len(law.centers) == 2:  # the posterior mean of the component pulls toward it
        score += np.tanh(y @ (law.centers[0] / law.variances))[:, None] * law.centers[0] / law.variances
    values = ((np.tanh(y @ draw.weights.T / math.sqrt(10)) @ weights.T - score) ** 2).sum(1) / 10
    exact = losses.score_error(losses.target_loss(spectrum, target, [f]), delta, score_power(law))
    assert abs(values.mean() - float(exact)) <= 5 * values.std() / math.sqrt(len(values))


def test_at_time_zero_every_loss_is_exactly_one():
    _, spectrum, target, _ = solved(Problem(samples_per_dim=3, features_per_dim=6), 10)
    start = [filters.flow(0.0, 0.3)]
    assert float(losses.train_loss(spectrum, start)) == 1.0
    assert float(losses.target_loss(spectrum, target, start)) == 1.0


@pytest.mark.parametrize("ridge", [0.0, 0.01])
def test_at_infinity_the_weights_solve_the_normal_equations(ridge):
    problem = Problem(samples_per_dim=3, features_per_dim=6, ridge=ridge)
    draw, spectrum, target, population = solved(problem, 12)
    scale = math.sqrt(noise_variance(0.1))
    exact = moments.averaged_moments(
        draw.weights, realization.training_law(draw, 0.1), problem.activation, noise_scale=scale
    )
    u, v = np.asarray(exact.second), np.asarray(exact.noise)
    weights = jnp.asarray(-np.linalg.solve(u + ridge * np.eye(len(u)), v).T / scale)
    end = [filters.flow(jnp.inf, 0.3, ridge)]
    train = losses.weights_loss(weights, exact.second, exact.noise, scale**2)
    test = losses.weights_loss(weights, population.second, population.noise, scale**2)
    assert float(losses.train_loss(spectrum, end)) == pytest.approx(float(train), rel=1e-10)
    assert float(losses.target_loss(spectrum, target, end)) == pytest.approx(float(test), rel=1e-9)
    # the minimum: no other filter trains better
    if not ridge:
        assert float(train) <= float(losses.train_loss(spectrum, [filters.flow(1e3, 0.3)]))


@pytest.mark.slow
def test_a_start_in_a_flat_direction_stays():
    problem = Problem(samples_per_dim=2, features_per_dim=10, noise_copies=1)
    draw = drawn(problem, 4)
    start = np.random.default_rng(3).standard_normal((4, 40))
    spectrum = spectra.sample_spectrum(problem, draw, start=start)
    end = [filters.flow(jnp.inf, 0.3), filters.flow_decay(jnp.inf, 0.3)]
    weights = explicit_weights(spectrum, [f(spectrum.points) for f in end], noise_variance(0.1))
    flat = spectrum.basis[:, :32]
    np.testing.assert_allclose(weights @ flat, start @ flat, atol=1e-12)


def test_the_energies_of_the_parts_add_up():
    _, spectrum, _, _ = solved(Problem(samples_per_dim=3, features_per_dim=6), 10)
    f = [filters.flow(jnp.array([1.0, 1e4]), 0.3)]
    whole = losses.feature_energy(spectrum, f, 0.2)
    keep = np.arange(60) < 17
    parts = losses.feature_energy(spectrum, f, 0.2, keep) + losses.feature_energy(spectrum, f, 0.2, ~keep)
    np.testing.assert_allclose(parts, whole)
    values = f[0](spectrum.points)[1]
    weights = explicit_weights(spectrum, [values], 0.2)
    second = (spectrum.basis * spectrum.points) @ spectrum.basis.T
    assert float(whole[1]) == pytest.approx(float(jnp.trace(weights @ second @ weights.T)) / 10)


@pytest.mark.slow
def test_bias_and_variance_split_the_score_error_by_simulation():
    """Isotropic data: E_score = bias² + variance, where bias is the mean score's distance over seeds of W and data."""
    problem, dim, seeds = Problem(samples_per_dim=2, features_per_dim=4), 8, 6
    delta = noise_variance(0.1)
    f = filters.flow(50.0, filters.learning_rate_constant(delta, 4.0))
    y = np.random.default_rng(5).standard_normal((20_000, dim))  # x_t itself: σ_x = 1
    mean, crosses = np.zeros_like(y), []
    for seed in range(seeds):
        draw = drawn(problem, dim, seed)
        spectrum = spectra.sample_spectrum(problem, draw)
        population = spectra.population_moments(problem, draw, spectrum)
        crosses.append(float(spectra.sample_target(spectrum, population).cross(f(spectrum.points))))
        weights = np.asarray(explicit_weights(spectrum, [f(spectrum.points)], delta))
        mean += np.tanh(y @ draw.weights.T / math.sqrt(dim)) @ weights.T / seeds
    # the linear part of the mean score along y is −cross/Δ; what is left of −y is the bias
    along = (mean * y).sum() / (y**2).sum()
    assert along == pytest.approx(-np.mean(crosses) / delta, rel=0.01)
    bias2 = float(losses.bias_squared(np.mean(crosses), delta))
    assert bias2 == pytest.approx((1 + along) ** 2, rel=0.03)
    # σ_x ≠ 1: Γ²(1/Γ² − c)² at c = 1/Γ² is zero, at c = 0 is 1/Γ²
    assert float(losses.bias_squared(delta / 3.0, delta, 3.0)) == pytest.approx(0.0)
    assert float(losses.bias_squared(0.0, delta, 3.0)) == pytest.approx(1 / 3)


@pytest.mark.slow
def test_the_law_of_an_array_is_averaged_exactly_too():
    array = np.random.default_rng(6).standard_normal((80, 6))
    problem = Problem(samples_per_dim=3, features_per_dim=6)
    origin = origins.source(problem, array=array)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, None), 0)
    spectrum = spectra.sample_spectrum(problem, draw)
    target = spectra.sample_target(spectrum, spectra.population_moments(problem, draw, spectrum))
    delta = noise_variance(0.1)
    f = filters.flow(100.0, filters.learning_rate_constant(delta, 6.0))
    weights = np.asarray(explicit_weights(spectrum, [f(spectrum.points)], delta))
    held_out = draw.population.centers
    assert isinstance(draw.population, Law)
    rng = np.random.default_rng(7)
    x = np.repeat(held_out, 500, axis=0)
    xi = rng.standard_normal(x.shape)
    phi = np.tanh(forward(x, xi, 0.1) @ draw.weights.T / math.sqrt(6))
    values = ((math.sqrt(delta) * phi @ weights.T + xi) ** 2).sum(1) / 6
    exact = float(losses.target_loss(spectrum, target, [f]))
    assert abs(values.mean() - exact) <= 5 * values.std() / math.sqrt(len(values))
