"""The law of generated samples in the wide limit: numbers of two evaluations, exact limits, Monte Carlo, students."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import rfsim
from rfsim import Problem, theory
from rfsim.cli import main
from rfsim.disk import store
from rfsim.limit.generation import best_time, one_jump, score_factor
from rfsim.limit.generation import generated as law_of
from rfsim.limit.populations import Population
from rfsim.limit.split import split_distance_in_steps
from rfsim.limit.wide_spectrum import tables
from rfsim.problem.diffusion import noise_variance, signal, time_grid

INF = math.inf
TWO = "atoms:0.7@1.41667,0.3@0.027778"  # LV26, Fig. 3: variances 17/12 and 1/36


def wide(**changes):
    return Problem(**{"features_per_dim": INF, "samples_per_dim": 2, **changes})


LINEAR = {  # W2²/d of ODE, DDIM in 20 geometric levels, its mean variance, one jump: ψ_n → two evaluations
    2: (0.120851, 0.112634, 0.898387, 0.568902),
    4: (0.058853, 0.055946, 0.901804, 0.568278),
    8: (0.029055, 0.028781, 0.903554, 0.567966),
}


@pytest.mark.parametrize("psi_n", LINEAR)
def test_a_linear_activation_has_the_numbers_of_two_evaluations(psi_n):
    problem = wide(samples_per_dim=psi_n, activation="linear")
    ode, ddim = (theory.generated(problem, [INF], sampler=one) for one in ("ode", "ddim"))
    found = [float(one.frechet_per_dim.sel(way="steps")[0]) for one in (ode, ddim)]
    found += [float(ddim.variance_mean.sel(way="steps")[0]), float(ddim.frechet_per_dim.sel(way="one_jump")[0])]
    np.testing.assert_allclose(found, LINEAR[psi_n], atol=6e-7)
    assert float(ode.residual) < 1e-8


def linear_score(problem, points, tau=(10.0, 1e4, INF)):
    """w(λ) of a problem at any diffusion time."""

    def w(t):
        limit = theory.limit(replace(problem, diffusion_time=float(t)), wide=True)
        return score_factor(limit, points, np.array(tau), 0.0)

    return w


def alike(t, variance):
    """l = 1: features that read points of every variance by one slope."""
    return np.ones((len(variance), 1))


def slopes(problem, weights):
    """l = a(Γ_y)/a(Γ), by the coefficients of σ."""
    from rfsim.problem.activations import hermite_coefficients
    from rfsim.problem.diffusion import total_variance

    def a(gamma):
        return hermite_coefficients(problem.activation, gamma, 2)[1] / gamma

    power = float(theory.limit(replace(problem, diffusion_time=1.0), wide=True).values[0])

    def read(t, variance):
        return np.array([[a(math.sqrt(one)) / a(math.sqrt(total_variance(power, t)))] for one in variance @ weights])

    return read


@pytest.mark.parametrize(
    ("stepped", "endless"), [("ddim", "ode"), ("euler", "ode"), ("heun", "ode"), ("sde", "sde-limit")]
)
def test_steps_tend_to_the_samplers_of_infinitely_many(stepped, endless):
    problem = wide()
    law = tables(theory.limit(problem, wide=True)).law
    w = linear_score(problem, law.points[::16])
    weights = law.weights[::16] / law.weights[::16].sum()
    read = slopes(problem, weights)
    end = law_of(endless, np.array([0.1, 2.0]), w, read)
    gaps = [
        np.abs(law_of(stepped, time_grid(0.1, 2.0, n), w, read).variance / end.variance - 1).max() for n in (200, 400)
    ]
    order = 2 if stepped == "heun" else 1
    assert gaps[0] / gaps[1] == pytest.approx(2**order, rel=0.1)
    assert gaps[1] < 0.1
    assert end.change < 1e-6


def test_exact_samplers_of_the_true_score_end_at_the_truth():
    """As ψ_n → ∞ a linear σ learns −x: samples are the truth, and the SDE keeps N(0, I) as it is."""
    problem = wide(samples_per_dim=1e8, activation="linear")
    for sampler in ("ode", "sde-limit"):
        found = theory.generated(problem, [INF], sampler=sampler)
        assert float(found.frechet_per_dim.sel(way="steps")[0]) < 1e-7
        np.testing.assert_allclose(found.variance_quantile.sel(way="steps"), 1.0, atol=1e-3)


@pytest.mark.parametrize("sampler", ["ddim", "euler", "heun", "sde"])
def test_samples_of_the_linear_score_have_that_law(sampler):
    """Drawn through the samplers' own loop, along three eigenvalues of Σ̂ at once."""
    from rfsim.problem.diffusion import ode_step, reverse_sde_step

    points, draws = np.array([0.2, 1.0, 2.5]), 200_000
    problem, grid = wide(), time_grid(0.1, 2.5, 6)
    w = linear_score(problem, points, [300.0])
    rng = np.random.default_rng(0)
    x, own = rng.standard_normal((draws, 3)), slopes(problem, np.full(3, 1 / 3))
    x /= np.sqrt((x**2).mean(0))  # what it lacks would grow along the path, by the slopes

    def score(t, x):
        return x * own(t, (x**2).mean(0)[None])[0, 0] * w(t)[0]

    for t, to in zip(grid[:0:-1], grid[-2::-1], strict=True):
        step = reverse_sde_step(t, to) if sampler == "sde" else ode_step(sampler, t, to)
        slope = score(t, x)
        moved = step.x * x + step.score * slope
        if sampler == "heun":
            moved = moved + step.half * (moved + score(to, moved) - x - slope)
        x = moved + step.noise * rng.standard_normal(x.shape)
    weights = np.full(3, 1 / 3)
    variance = law_of(sampler, grid, w, slopes(problem, weights)).variance[0]
    error = variance * math.sqrt(2 / draws)
    assert np.all(np.abs((x**2).mean(0) - variance) < 5 * error)


def test_a_memorized_teacher_shrinks_noise_alone():
    """θ = ∞, v ≠ 0, l = 1: w = −1/Δ, and DDIM takes noise to √(Δ_ε/Δ_T) of itself, in any number of steps."""
    even = rfsim.Hermite({1: 1, 4: 12**-0.5})  # whose slope is the same at every variance
    found = theory.generated(
        wide(samples_per_dim=3, activation=even), [INF], student=True, distill_times=[0.0, 10.0, INF]
    )
    kept = noise_variance(0.02) / noise_variance(3.0)
    np.testing.assert_allclose(found.variance_mean, kept, rtol=1e-10)
    np.testing.assert_allclose(found.frechet_per_dim, (1 - math.sqrt(kept)) ** 2, rtol=1e-10)
    np.testing.assert_allclose(found.kl_per_dim, (kept - 1 - math.log(kept)) / 2, rtol=1e-10)
    np.testing.assert_allclose(found.student_frechet_per_dim.sel(student_way="one_step"), found.frechet_per_dim[0, 0])


def test_measures_are_integrals_of_their_definitions():
    problem = wide(data="isotropic:2", activation="erf")
    found = theory.generated(problem, [30.0, 1e3], sampler="euler", levels=7, time_min=0.05)
    law = tables(theory.limit(problem, wide=True), 1024).law
    w, read = linear_score(problem, law.points, [30.0, 1e3]), slopes(problem, law.weights)
    variance = law_of("euler", time_grid(0.05, 3.0, 7), w, read).variance
    truth = 2 * signal(0.05) ** 2 + noise_variance(0.05)
    own = variance / truth
    exact = {
        "frechet_per_dim": (np.sqrt(variance) - math.sqrt(truth)) ** 2 @ law.weights,
        "kl_per_dim": (own - 1 - np.log(own)) @ law.weights / 2,
        "kl_reverse_per_dim": (1 / own - 1 + np.log(own)) @ law.weights / 2,
        "variance_mean": variance @ law.weights,
    }
    mean = variance @ law.weights / truth
    exact["kl_mean_per_dim"] = (1 / mean - 1 + np.log(mean)) / 2
    for name, values in exact.items():
        np.testing.assert_allclose(found[name].sel(way="steps"), values, rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(
        one_jump(0.05, 3.0, linear_score(problem, law.points, [30.0]), read) @ law.weights,
        found.variance_mean.sel(way="one_jump")[:1],
        rtol=1e-9,
    )


def test_quantiles_are_those_of_the_covariance_of_samples():
    """F(Σ̂)² of a draw of Σ̂ at d = 1500."""
    problem = wide(samples_per_dim=2)
    found = theory.generated(problem, [100.0])
    x = np.random.default_rng(1).standard_normal((1500, 3000))
    lam = np.linalg.eigvalsh(x @ x.T / 3000)
    w, read = linear_score(problem, lam, [100.0]), slopes(problem, np.full(1500, 1 / 1500))
    variance = law_of("ddim", time_grid(0.02, 3.0, 20), w, read).variance[0]
    sampled = np.quantile(variance, found["quantile"].values)
    np.testing.assert_allclose(found.variance_quantile.sel(way="steps")[0], sampled, rtol=0.02)
    assert float(found.variance_mean.sel(way="steps")[0]) == pytest.approx(variance.mean(), rel=5e-3)


def test_directions_of_their_own_variance_are_recovered_as_in_draws():
    problem = wide(data=TWO, activation=rfsim.Hermite({1: 1, 5: 0.05}))
    found = theory.generated(problem, [200.0], sampler="sde-limit")
    assert np.isnan(found[["frechet_per_dim", "kl_per_dim", "kl_reverse_per_dim"]].to_array()).all()
    spread = np.repeat(found.direction.values, [300, 700] if found.direction[0] < 1 else [700, 300])
    x = np.sqrt(spread)[:, None] * np.random.default_rng(2).standard_normal((1000, 2000))
    lam, vectors = np.linalg.eigh(x @ x.T / 2000)
    variance = law_of("sde-limit", np.array([0.02, 3.0]), linear_score(problem, lam, [200.0]), alike).variance[0]
    along = (vectors**2 * variance).sum(1)
    sampled = [along[spread == one].mean() for one in found.direction.values]
    np.testing.assert_allclose(found.recovered.sel(way="steps")[0], sampled, rtol=0.02)
    ratio = found.recovered / found.truth
    weights = np.array([(spread == one).mean() for one in found.direction.values])
    np.testing.assert_allclose(found.kl_mean_per_dim, (1 / ratio - 1 + np.log(ratio)).values @ weights / 2)


def test_the_best_schedule_stops_every_level_at_its_lowest_test_loss():
    problem = wide(samples_per_dim=4)
    found = theory.generated(problem, train_schedule="best", levels=6)
    assert np.isnan(found.train_time.values).all()
    for t, tau in zip(found.level.values, found.level_time.values[:, 0], strict=True):
        around = [tau / 1.3, tau, 1.3 * tau] if 0 < tau < INF else [tau, 1e3]
        losses = theory.curves(replace(problem, diffusion_time=float(t)), around).test.values
        assert losses.min() >= losses[1 if len(around) == 3 else 0] - 1e-9
    # early stopping at every level beats the memorized teacher by far
    late = theory.generated(problem, [INF], levels=6)
    assert float(found.frechet_per_dim[0, 0]) < 0.2 * float(late.frechet_per_dim[0, 0])


def test_a_schedule_in_theta_has_its_times_and_the_score_errors_of_the_curves():
    """τ = θ(t)/(2Δa²), θ geometric between what is given; E_score by the curves' own route."""
    problem, levels = wide(samples_per_dim=3, data=TWO, activation=rfsim.Hermite({1: 1, 5: 0.07})), 5
    found = theory.generated(
        problem, train_schedule="theta:0.05=2,1=32", levels=levels, time_min=0.01, sampler="sde-limit"
    )
    assert np.isnan(found.train_time.values).all()
    t = found.level.values
    theta = 2 * 16 ** np.clip((t - 0.05) / 0.95, 0, 1)
    limits = [theory.limit(replace(problem, diffusion_time=float(one)), wide=True) for one in t]
    rate = np.array([2 * one.noise * one.gain for one in limits])
    np.testing.assert_allclose(found.level_time[:, 0] * rate, theta, rtol=1e-12)
    for time, tau, score in zip(t, found.level_time.values[:, 0], found.level_score.values[:, 0], strict=True):
        curve = theory.curves(replace(problem, diffusion_time=float(time)), [tau])
        assert score == pytest.approx(float(curve.score[0]), rel=1e-7)
    # one θ for all is the schedule whose ends are the same
    one, two = (theory.generated(problem, train_schedule=text, levels=4) for text in ("theta:5", "theta:0.1=5,2=5"))
    np.testing.assert_array_equal(one.recovered, two.recovered)
    # θ alone matters: another slope of σ has other times and the same samples
    twice = theory.generated(
        replace(problem, activation=rfsim.Hermite({1: 2, 5: 0.14})), train_schedule="theta:5", levels=4
    )
    np.testing.assert_allclose(twice.recovered, one.recovered, rtol=1e-10)
    np.testing.assert_allclose(4 * twice.level_time, one.level_time, rtol=1e-10)


def test_the_best_time_of_a_level_that_learns_nothing_is_its_start():
    assert best_time(theory.limit(wide(activation="hermite3"), wide=True), 0.0) == 0.0


@pytest.mark.parametrize("tau", [30.0, 1e3, INF])
@pytest.mark.parametrize("levels", [1, 5, 20])
def test_a_distilled_student_of_a_linear_activation_is_its_teachers_steps(tau, levels):
    """W10 at τ_S = ∞ where l = 1: to 1e-10, memorized or not."""
    problem = wide(activation="linear")
    found = theory.generated(problem, [tau], student=True, levels=levels)
    assert float(found.map_gap[0, 0]) < 1e-20
    one = found.student_frechet_per_dim.sel(student_way="one_step")[0]
    np.testing.assert_allclose(one, found.frechet_per_dim.sel(way="steps"), atol=1e-10)


def test_a_path_of_the_grids_own_times_is_the_grid_and_another_one_has_its_own_steps():
    asked = {"student": True, "train_schedule": "theta:0.02=4,3=100"}
    grid = np.geomspace(0.02, 3.0, 5)
    usual = theory.generated(wide(), levels=4, **asked)
    by_hand = theory.generated(wide(), path=grid[::-1], **asked)
    for name in usual.data_vars:
        np.testing.assert_allclose(by_hand[name], usual[name], rtol=1e-12)
    assert store.settings(by_hand)["path"] == grid.tolist()
    assert "path" not in store.settings(usual)
    # DDIM steps of a linear score from N(0, I), level by level
    path, linear = [3.0, 1.0, 0.3, 0.02], wide(activation="linear")
    found = theory.generated(linear, [INF], path=path)
    split = theory.split(rfsim.Problem(linear.samples_per_dim), time_max=3.0, time_min=0.02, levels=3)
    own = split_distance_in_steps(
        Population(np.ones(1), np.ones(1)), linear.samples_per_dim, times=np.array(path[::-1]), sampler="ddim"
    )
    assert float(found.variance_mean.sel(way="steps")[0]) == pytest.approx(float(own.variance[0]), rel=1e-6)
    assert abs(float(own.variance[0] - split.variance[0])) > 1e-3  # a geometric grid of as many steps
    np.testing.assert_allclose(found.level, path[2::-1])


def test_a_student_that_has_not_begun_is_one_jump_and_one_of_another_scale_keeps_a_gap():
    found = theory.generated(wide(), [100.0], student=True, distill_times=[0.0, 1e3, INF])
    one = found.student_variance_mean.sel(student_way="one_step").values[:, 0]
    assert one[0] == pytest.approx(float(found.variance_mean.sel(way="one_jump")[0]), rel=1e-10)
    gap = found.map_gap.values[:, 0]
    # tanh reads the teacher's step at another variance, l ≠ 1: distilling does not end at the teacher's steps
    assert gap[0] > gap[1] > gap[2] > 1e-5


def test_a_student_is_trained_as_its_linear_system_is():
    """(W10) at N = 2 with matrices written out and exponentials of them."""
    from scipy.linalg import expm

    from rfsim.limit.wide_students import Level, wide_student
    from rfsim.problem.activations import hermite_coefficients

    problem, tau, tau_s, grid = wide(samples_per_dim=3), 200.0, 50.0, np.array([0.1, 0.4, 1.2])
    limits = [theory.limit(replace(problem, diffusion_time=t), wide=True) for t in grid[1:]]
    law = tables(limits[0]).law
    levels = [Level(t, limit, tau) for t, limit in zip(grid[1:], limits, strict=True)]
    found = wide_student(problem.activation, grid[0], levels, law, tau_s)

    def matrix(limit, lam):
        mixed = limit.gain * math.sqrt(limit.signal * limit.noise * lam)
        return np.array([[limit.gain * limit.signal * lam + limit.v2 / 3, mixed], [mixed, limit.gain * limit.noise]])

    def jump(t, to):
        grow, here, there = math.exp(t - to), noise_variance(t), noise_variance(to)
        return grow, grow * here - math.sqrt(here * there)

    roots, noises = np.sqrt(law.points), [math.sqrt(limit.noise) for limit in limits]
    reads = []
    for k, limit in enumerate(limits):
        start = np.array([0, 1 / noises[k]])
        teacher = np.array([expm(-2 * limit.noise * tau * matrix(limit, lam)) @ start - start for lam in law.points])
        clean = np.stack([math.sqrt(limit.signal) * roots, np.full_like(roots, noises[k])], 1)
        a, c = jump(grid[k + 1], grid[k])
        moved = a * clean + c * teacher
        if k:
            below = limits[0]
            size = math.sqrt(law.weights @ (moved**2).sum(1))
            here, new = (hermite_coefficients(problem.activation, one) for one in (1.0, size))
            share = math.sqrt(below.signal) * (law.weights @ (roots * moved[:, 0])) / size
            eta = sum(new[s] * here[s] * share**s for s in range(2, 64)) / below.v2
            slope = new[1] / size / here[1]
            w = reads[0][:, 1] / noises[0]
            skip, out = jump(grid[1], grid[0])
            bump = reads[0][:, 0] - math.sqrt(below.signal) * roots * w
            moved = (skip + out * slope * w)[:, None] * moved
            moved[:, 0] += out * eta * bump
        skip, out = jump(grid[k + 1], grid[0])
        wanted = (moved - skip * clean) / out
        reads.append(
            np.array(
                [
                    one + expm(-2 * out**2 * tau_s * matrix(limit, lam)) @ (first - one)
                    for one, first, lam in zip(wanted, teacher, law.points, strict=True)
                ]
            )
        )
        np.testing.assert_allclose(found[k], skip + out * reads[k][:, 1] / noises[k], rtol=1e-9, atol=1e-11)


@pytest.mark.slow
def test_features_read_points_of_another_variance_by_another_slope():
    """W6's l, of a read-out of features of a draw at d = 400."""
    from rfsim.problem.activations import mean_slopes

    rng = np.random.default_rng(3)
    dim, rows = 400, 4000
    weights = rng.standard_normal((2000, dim))
    readout = np.linalg.lstsq(np.tanh(weights @ (inputs := rng.standard_normal((dim, rows))) / 20).T, -inputs.T)[0].T
    sigma, along = wide().activation, []
    for gamma in (1.0, 0.5, 1.5):
        y = gamma * rng.standard_normal((dim, rows))
        along.append((readout @ np.tanh(weights @ y / 20) * y).sum() / (y**2).sum())
    slope = mean_slopes(sigma, np.array([1.0, 0.5, 1.5]))
    np.testing.assert_allclose(np.array(along) / along[0], slope / slope[0], rtol=0.01)


@pytest.mark.parametrize("activation", ["tanh", "erf", "sine", "linear", "hermite:1=1,3=0.2"])
def test_slopes_are_the_constants_of_an_activation(activation):
    from rfsim.problem.activations import gaussian_constants, mean_slopes

    sigma, gammas = Problem(activation=activation).activation, np.array([0.1, 0.7, 1.0, 2.0])
    exact = [gaussian_constants(sigma, signal_variance=one**2 / 2, noise_variance=one**2 / 2).a for one in gammas]
    np.testing.assert_allclose(mean_slopes(sigma, gammas), exact, rtol=1e-11)


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (Problem(), {}, "^theory.generated knows features_per_dim inf alone; got 16: rfsim.distill"),
        (wide(noise_copies=3), {}, "^at features_per_dim inf noise is averaged; got noise_copies 3"),
        (wide(activation="relu"), {}, r"^activation 'relu' has a second Hermite coefficient, 0\.282 at Γ = 1"),
        (wide(activation=rfsim.Hermite({1: 1, 2: 0.1})), {}, "^activation 'hermite:1=1,2=0.1' has a second"),
        (wide(activation=rfsim.Hermite({1: 1, 4: 0.1}), data="isotropic:2"), {}, "has a second Hermite coefficient"),
        (wide(), {"time_max": 0.5}, r"^time_max 0\.5 leaves the data a variance of 0\.37 .* give at least 1\.15"),
        (wide(), {"time_min": 3.0}, "a time grid needs 0 < lower < upper"),
        (wide(), {"time_max": INF}, "a time grid needs 0 < lower < upper, all finite; got 0.02 and inf"),
        (wide(), {"path": [3, 1, 2]}, "^path must be three diffusion times or more that fall all the way, .*; got"),
        (wide(), {"path": [3, 1, 0.1], "levels": 4}, "^path says all diffusion times; got levels 4 beside it"),
        (wide(), {"path": [0.5, 0.3, 0.1]}, r"^time_max 0\.5 leaves the data a variance of 0\.37 "),
        (
            wide(ridge=0.1),
            {},
            "^ridge 0.1 does not count at features_per_dim inf, .*: give ridge_per_feature, or leave",
        ),
        (
            wide(),
            {"train_schedule": "theta:2=1,1=3"},
            "rising diffusion times, as theta:0.001=1.2,3=100; got 'theta:2=1",
        ),
        (wide(), {"train_schedule": "theta:-1"}, "with positive numbers"),
        (wide(), {"levels": 0}, "^levels must be a whole number of at least 1"),
        (wide(), {"sampler": "rk4"}, "^sampler must be one of ddim, euler, heun, ode, sde, sde-limit; got 'rk4'"),
        (wide(), {"train_schedule": "late"}, "^train_schedule must be constant, best, or theta:VALUE .* got 'late'"),
        (wide(), {"student": True, "sampler": "sde"}, "^students are known of ddim steps alone; got sampler 'sde'"),
        (wide(diffusion_time=0.2), {}, "^theory.generated does not use diffusion_time"),
        (wide(), {"train_times": [-1.0]}, "^train_times must not be negative"),
    ],
)
def test_what_is_not_known_is_refused_in_one_line(problem, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        theory.generated(problem, **options)
    assert "\n" not in str(caught.value)


def test_the_command_answers_with_the_keys_of_its_contract(capsys):
    call = "theory generated --samples-per-dim 2 --features-per-dim inf --activation tanh --time-min 0.02 --time-max 3"
    call += " --levels 20 --sampler ddim --train-times 10,1e3,inf --student --distill-times 10,inf --json"
    assert main(call.split()) == 0
    found = json.loads(capsys.readouterr().out)
    measures = {"frechet_per_dim", "kl_per_dim", "kl_reverse_per_dim", "kl_mean_per_dim", "variance"}
    own = {"schema", "problem", "train_time", "one_jump", "level", "level_time", "level_score", "student", "residual"}
    assert set(found) == measures | own
    assert set(found["one_jump"]) == measures
    assert set(found["variance"]) == {"mean", "quantiles"}
    assert found["train_time"] == [10.0, 1000.0, "inf"]
    assert [one["distill_time"] for one in found["student"]] == [10.0, "inf"]
    assert all(set(one) == measures | {"distill_time", "two_steps", "map_gap"} for one in found["student"])
    assert len(found["variance"]["quantiles"]["0.5"]) == 3
    again = "theory generated --data atoms:0.5@0.5,0.5@1.5 --train-schedule best --levels 4 --json"
    assert main(again.split()) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["frechet_per_dim"] == found["kl_per_dim"] == found["train_time"] == [None]
    assert found["kl_mean_per_dim"][0] > 0
    assert "student" not in found


def test_a_sweep_maps_it():
    spec = {
        "command": "theory.generated",
        "problem": {"features_per_dim": INF, "train_times": [100.0, INF], "levels": 5},
        "axes": {"samples_per_dim": [1, 4], "data": ["isotropic", "atoms:0.5@0.5,0.5@1.5"]},
    }
    swept = rfsim.sweep(spec)
    one = theory.generated(wide(samples_per_dim=4), [100.0, INF], levels=5)
    here = swept.sel(samples_per_dim=4, data="isotropic")
    np.testing.assert_array_equal(here.frechet_per_dim, one.frechet_per_dim)
    assert "recovered" not in swept


@pytest.mark.slow
def test_samples_of_linear_features_approach_it_as_one_over_the_dimension():
    """Teachers of a sample at every level, their DDIM map of all directions at once: no Monte Carlo error."""
    import jax.numpy as jnp

    from rfsim.learning.filters import flow, learning_rate_constant
    from rfsim.problem import origins, realization
    from rfsim.problem.diffusion import ode_step
    from rfsim.sample import spectra

    grid, ratios = time_grid(0.02, 3.0, 10), {"samples_per_dim": 2.0, "features_per_dim": 2.0, "activation": "linear"}

    def distance(dim, seed):
        x = np.eye(dim)
        for t, to in zip(grid[:0:-1], grid[-2::-1], strict=True):
            problem = Problem(**ratios, diffusion_time=float(t))
            origin = origins.source(problem)
            draw = realization.instance(problem, origin, origins.resolve(problem, origin, dim), seed)
            found = spectra.sample_spectrum(problem, draw)
            points = np.asarray(found.points)
            f = flow(INF, learning_rate_constant(noise_variance(t), 2.0))(jnp.asarray(points))
            f = np.where(points > 1e-9 * points.max(), np.asarray(f), 0.0)  # p − d directions are 0 but for rounding
            weights = -np.asarray(found.sources[0]).T * f @ np.asarray(found.basis).T / math.sqrt(noise_variance(t))
            step = ode_step("ddim", float(t), float(to))
            x = step.x * x + step.score * (weights @ draw.weights / math.sqrt(dim)) @ x
        return ((np.linalg.svd(x, compute_uv=False) - 1) ** 2).mean()

    limit = float(theory.generated(wide(activation="linear"), [INF], levels=10).frechet_per_dim[0, 0])
    gaps = {dim: np.array([distance(dim, seed) for seed in range(4)]) - limit for dim in (20, 80)}
    for dim, gap in gaps.items():
        assert abs(gap.mean()) < 0.4 / dim + 2 * gap.std(), dim
    # a mean of O(1/d) and fluctuations of O(1/d) too
    assert np.abs(gaps[80]).mean() < 0.6 * np.abs(gaps[20]).mean()
    assert gaps[80].std() < 0.6 * gaps[20].std()
    assert np.abs(gaps[80]).max() < 0.01
