from __future__ import annotations

import dataclasses
import math

import jax
import numpy as np
import pytest

import rfsim
from rfsim import Descent, Flow, Problem
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.exact import ExactSpectra
from rfsim.distillation.teacher import TeacherFilter, between, teach
from rfsim.learning import filters
from rfsim.problem.activations import activation, centered
from rfsim.problem.diffusion import noise_variance, signal
from tests.distillation.cases import DIM, FEATURES, TIMES, TINY, drawn, spectra_of, taught

LATE, MIDDLE = TeacherFilter(Flow(), 0.0, 1e8), TeacherFilter(Flow(), 0.1, 30.0)
STOPPED = TeacherFilter(Flow(), 0.0, None)


@pytest.fixture(scope="module")
def school():
    with jax.enable_x64(True):
        return taught(LATE, MIDDLE, STOPPED, TeacherFilter(Flow(), 0.1, math.inf))


def second_of(exact, k):
    basis = np.asarray(exact.basis(k))
    return basis * np.asarray(exact.points(k)) @ basis.T


def noise_of(exact, k):
    """V (features, dim)."""
    return np.asarray(exact.basis(k) @ exact.decompose(k).sources[0])


def trained(problem, time, train_time, **given):
    return rfsim.train(dataclasses.replace(problem, diffusion_time=float(time)), [train_time], **{"dim": DIM} | given)


def agree_with_train(exact, network, ridge, train_time, levels, problem=TINY, **given):
    for k in levels:
        (judged,) = exact.judge(k, [network.readouts[k]])
        result = trained(dataclasses.replace(problem, ridge=ridge), exact.times[k], train_time, **given)
        assert float(judged.train) == pytest.approx(result.train.item(), rel=1e-8)
        assert float(judged.test) == pytest.approx(result.test.item(), rel=1e-6)
        energy = result.energy.sel(part=list(exact.slices)).squeeze(["seed", "train_time"])
        # train leaves out orders of U below 1e-6 of λ_min + γ, γ the problem's own ridge
        left_out = 1e-6 * (float(exact.points(k).min()) + ridge) * float((network.readouts[k] ** 2).sum()) / DIM
        np.testing.assert_allclose(judged.energy.mean(-2), energy, rtol=1e-6, atol=left_out)


def test_the_grid_holds_a_network_for_every_time(school):
    exact, networks = school
    assert len(networks) == 4
    for network in networks:
        assert network.readouts.shape == (len(TIMES), DIM, FEATURES)
        np.testing.assert_array_equal(network.weights, drawn().weights)
        np.testing.assert_array_equal(network.times, TIMES)
        np.testing.assert_array_equal(network.offsets, 0)  # tanh is odd
    assert list(exact.slices) == ["null", "mini", "main", "gen"]


def test_trained_to_the_end_the_weights_solve_the_normal_equations(school):
    exact, networks = school
    for k, time in enumerate(TIMES):
        ridged = second_of(exact, k) + 0.1 * np.eye(FEATURES)
        solved = -np.linalg.solve(ridged, noise_of(exact, k)).T / math.sqrt(noise_variance(time))
        np.testing.assert_allclose(networks[3].readouts[k], solved, rtol=1e-9, atol=1e-10)


def test_energies_and_losses_are_traces_of_dense_matrices(school):
    exact, networks = school
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((2, 2, DIM, FEATURES))
    (of_weights, of_teacher) = exact.judge(1, [jax.numpy.asarray(weights), networks[0].readouts[1]])
    second, basis = second_of(exact, 1), np.asarray(exact.basis(1))
    assert of_weights.energy.shape == (2, 2, DIM, 4)
    assert of_weights.train.shape == of_weights.test.shape == (2, 2)
    assert of_teacher.energy.shape == (DIM, 4)
    assert of_teacher.train.shape == ()
    delta = noise_variance(TIMES[1])
    for index in np.ndindex(2, 2):
        m = weights[index]
        for number, where in enumerate(exact.slices.values()):
            projector = basis[:, where] @ basis[:, where].T
            energy = np.diagonal(m @ projector @ second @ projector @ m.T)
            np.testing.assert_allclose(of_weights.energy[index][:, number], energy, rtol=1e-10)
        train = (
            1 + delta / DIM * np.trace(m @ second @ m.T) + 2 * math.sqrt(delta) / DIM * np.sum(m * noise_of(exact, 1).T)
        )
        assert of_weights.train[index] == pytest.approx(train, rel=1e-12)


def test_the_distance_from_other_weights_is_the_curvature_of_the_test_loss(school):
    """Along a line L_test is a parabola: L(0) + L(1) − 2L(½) = ΔD/2, D = (1/d)E‖Mφ − Aφ‖² over the population."""
    exact, networks = school
    teacher = np.asarray(networks[1].readouts[1])
    weights = np.random.default_rng(4).standard_normal((3, DIM, FEATURES))
    several = np.stack([weights, (weights + teacher) / 2, np.broadcast_to(teacher, weights.shape)])
    (judged,) = exact.judge(1, [jax.numpy.asarray(several)], beside=networks[1].readouts[1])
    end, middle, start = judged.test
    np.testing.assert_allclose(noise_variance(TIMES[1]) * judged.apart[0] / 2, end + start - 2 * middle, rtol=1e-9)
    np.testing.assert_array_equal(judged.apart[2], 0)
    (alone,) = exact.judge(1, [jax.numpy.asarray(several)])
    assert np.isnan(alone.apart).all()


def test_losses_are_averages_over_points_and_noise(school):
    """L_train over the training points and L_test over fresh ones, by Monte Carlo."""
    exact, networks = school
    draw, delta, rng = drawn(), noise_variance(TIMES[1]), np.random.default_rng(3)
    m = np.asarray(networks[1].readouts[1])
    (judged,) = exact.judge(1, [networks[1].readouts[1]])
    count = 60_000
    for expected, clean in (
        (judged.train, np.tile(draw.points, (count // 6, 1))),
        (judged.test, rng.standard_normal((count, DIM))),
    ):
        noise = rng.standard_normal(clean.shape)
        x = signal(TIMES[1]) * clean + math.sqrt(delta) * noise
        read = np.tanh(x @ draw.weights.T / math.sqrt(DIM)) @ m.T
        values = ((math.sqrt(delta) * read + noise) ** 2).mean(1)
        assert abs(values.mean() - float(expected)) < 4.5 * values.std() / math.sqrt(count)


def test_a_stopped_teacher_has_generalized_and_not_memorized(school):
    exact, networks = school
    for k, time in enumerate(TIMES):
        points, gen = np.asarray(exact.points(k)), exact.slices["gen"]
        stop = between(points, gen, noise_variance(time), FEATURES / DIM)
        kappa = filters.learning_rate_constant(noise_variance(time), FEATURES / DIM)
        # twice the e-folding time of the λ halfway, in log, across the border
        halfway = math.sqrt(points[gen][0] * points[gen.start - 1])
        assert kappa * stop * halfway == pytest.approx(2.0)
        learned = networks[2].readouts[k] @ exact.basis(k) / (networks[0].readouts[k] @ exact.basis(k))
        expected = (1 - np.exp(-kappa * stop * points)) / (1 - np.exp(-kappa * 1e8 * points))
        np.testing.assert_allclose(learned, np.broadcast_to(expected, learned.shape), rtol=1e-6)
        assert expected[gen].min() > 1 - math.exp(-2)
        assert expected[: gen.start].max() < 1 - math.exp(-2)


def test_without_directions_below_gen_the_border_is_gen_itself():
    lam = np.array([0.0, 0.0, 0.5, 2.0])
    assert between(lam, slice(2, 4), 0.4, 3.0) == pytest.approx(3.0 / (0.4 * 0.5))
    assert between(lam[2:], slice(0, 2), 0.4, 3.0) == pytest.approx(3.0 / (0.4 * 0.5))


def test_a_trainer_that_diverges_is_refused():
    with pytest.raises(ValueError, match="STEP|step") as caught:
        teach(spectra_of(), [TeacherFilter(Descent(1e6), 0.0, 1e8)], lambda _: None)
    assert "\n" not in str(caught.value)


def test_every_level_is_told():
    told = []
    teach(spectra_of(), [], told.append)
    assert told == [0, 1, 2]


def test_offsets_center_the_activation_at_every_time():
    draw = drawn(dataclasses.replace(TINY, activation="relu"))
    exact = ExactSpectra("teacher", dataclasses.replace(TINY, activation="relu"), draw, 2.0, TIMES, ArrayCache())
    gamma = np.sqrt(2.0 * np.exp(-2 * TIMES) + 1 - np.exp(-2 * TIMES))
    np.testing.assert_allclose(exact.offsets, gamma / math.sqrt(2 * math.pi), rtol=1e-12)
    assert exact.offsets[1] == centered(activation("relu"), gamma[1]).offset


def test_a_shelf_on_disk_gives_the_same_bits_and_leaves_nothing(tmp_path, school):
    rng = np.random.default_rng(0)
    with ArrayCache(tmp_path / "new") as shelf:
        exact, (network, _) = taught(LATE, MIDDLE, shelf=shelf)
        files = sorted(p.suffix for p in (tmp_path / "new").rglob("*") if p.is_file())
        assert files == [".npy"] * 9  # points, basis and noise of three times
        np.testing.assert_array_equal(network.readouts, school[1][0].readouts)
        weights = jax.numpy.asarray(rng.standard_normal((DIM, FEATURES)))
        for one, other in zip(exact.judge(2, [weights])[0], school[0].judge(2, [weights])[0], strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(exact.rows(1, "gen"), school[0].rows(1, "gen"))
    assert list((tmp_path / "new").iterdir()) == []


def test_rows_of_a_part_are_its_eigenvectors(school):
    exact, _ = school
    second = second_of(exact, 1)
    for name, where in exact.slices.items():
        rows = np.asarray(exact.rows(1, name))
        np.testing.assert_allclose(rows @ second, np.asarray(exact.points(1))[where, None] * rows, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("copies", [math.inf, 4.0])
@pytest.mark.parametrize(("sigma", "dim"), [("tanh", 3), ("softplus", 3), ("linear", 3), ("relu", 10)])
def test_every_level_of_every_teacher_is_the_one_that_train_trains(sigma, dim, copies):
    """With frozen noise too, where the zero score's loss Σ‖ξ‖²/(dnm) is not 1."""
    problem = dataclasses.replace(TINY, activation=sigma, noise_copies=copies)
    exact, networks = taught(LATE, MIDDLE, problem=problem, seed=2, dim=dim)
    for network, one in zip(networks, (LATE, MIDDLE), strict=True):
        agree_with_train(exact, network, one.ridge, one.train_time, range(3), problem, seed=2, dim=dim)


@pytest.mark.slow
def test_frozen_noise_keeps_its_own_constant():
    """At finite m the zero score's loss is Σ‖ξ‖²/(dnm), not 1 (T1)."""
    problem = Problem(TINY.samples_per_dim, TINY.features_per_dim, noise_copies=4)
    exact, (network,) = taught(LATE, problem=problem)
    agree_with_train(exact, network, 0.0, 1e8, [1], problem)
