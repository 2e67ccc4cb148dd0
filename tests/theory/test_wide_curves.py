"""ψ_p → ∞ after d → ∞ at every training time: numbers of two evaluations, closed forms, finite ψ_p, random matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

import rfsim
from rfsim import Problem, theory
from rfsim.checking.notes import Note
from rfsim.cli import main
from rfsim.limit.sample_covariance import density, sample_covariance
from rfsim.limit.wide_spectrum import channels
from rfsim.problem.diffusion import noise_variance

INF = math.inf
FOURTH = rfsim.Hermite({1: 1, 4: 12**-0.5})
TWO = "atoms:0.5@0.5,0.5@1.5"


def wide(**changes):
    return Problem(**{"features_per_dim": INF, **changes})


@pytest.mark.parametrize(
    ("dim", "numbers"),
    [
        (60, [(0.702945, 0.715204), (0.615395, 0.721905), (0.476370, 0.766365), (0.050371, 1.473671)]),
        (120, [(0.691880, 0.715356), (0.559963, 0.799675), (0.340752, 0.931812), (0.009387, 1.823896)]),
        (240, [(0.672287, 0.715359), (0.457706, 0.994767), (0.197565, 1.241463), (0.001234, 1.974200)]),
    ],
)
def test_the_losses_are_those_of_two_other_evaluations(dim, numbers):
    """LV26's kernel h_1 + h_4/√12 at t = 0.2, n = 240, θ = 2Δa²τ = 1, 10, 100, 1000."""
    problem = wide(samples_per_dim=240 / dim, diffusion_time=0.2, activation=FOURTH)
    found = theory.curves(problem, np.array([1, 10, 100, 1000]) / (2 * noise_variance(0.2)))
    np.testing.assert_allclose(np.stack([found.train, found.test], axis=1), numbers, atol=6e-7)
    plateau = theory.curves(problem, [INF]).test
    assert float(plateau[0]) == pytest.approx(math.exp(-0.4) / noise_variance(0.2), abs=1e-12)


def linear(psi_n, t):
    """L_train, L_test and E_score of a linear σ at τ = m = ∞, Σ = I: x − ℓ = x/(ψ_n(1 + x))."""
    delta, ell, growth = noise_variance(t), math.expm1(2 * t), math.exp(2 * t)
    x = optimize.brentq(lambda x: x - ell - x / (psi_n * (1 + x)), 1e-12, 1e6, xtol=1e-15, rtol=1e-15)
    slope = 1 / (1 - 1 / (psi_n * (1 + x) ** 2))
    first = x / (delta * (1 + x))
    second = x / (delta**2 * (1 + x)) - growth * slope / (delta * (1 + x) ** 2)
    return 1 / (1 + x), 1 + delta * (second - 2 * first), second - 2 * first + 1


@pytest.mark.parametrize("t", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("psi_n", [0.5, 1.0, 1.001, 2.0, 8.0, 100.0])
def test_a_linear_activation_has_a_closed_form(psi_n, t):
    found = theory.curves(wide(samples_per_dim=psi_n, diffusion_time=t, activation="linear"), [INF])
    own = [float(found[name][0]) for name in ("train", "test", "score")]
    np.testing.assert_allclose(own, linear(psi_n, t), rtol=1e-10)
    if (psi_n, t) == (2.0, 0.1):
        np.testing.assert_allclose(own[:2], [0.73996124, 0.99358591], atol=5e-9)


@pytest.mark.parametrize(
    ("changes", "per_feature", "tau"),
    [
        ({"activation": FOURTH, "diffusion_time": 0.2}, False, [3.0, 30.0, 300.0]),
        ({"data": TWO, "samples_per_dim": 3}, False, [3.0, 100.0, 1000.0]),
        ({"data": TWO, "samples_per_dim": 0.7, "ridge": 0.003}, True, [10.0, 1000.0, INF]),
    ],
)
def test_finite_widths_approach_it_as_one_over_the_width(changes, per_feature, tau):
    def losses(psi_p):
        found = theory.curves(Problem(**{**changes, "features_per_dim": psi_p}), tau, ridge_per_feature=per_feature)
        return np.stack([found.train, found.test])

    end = losses(INF)
    near, far = losses(400.0), losses(1600.0)
    gap = np.abs(far - end).max()
    assert gap < 0.05
    # a power of 1 within the next order, and what is left after the line is taken out
    np.testing.assert_allclose((near - end) / (far - end), 4.0, rtol=0.15)
    assert np.abs((4 * far - near) / 3 - end).max() < 0.02 * np.abs(near - end).max() + 1e-6


@pytest.mark.parametrize("data", ["isotropic:2", TWO, "subspace:0.5"])
@pytest.mark.parametrize("g", [1e-3, 0.3])
def test_its_end_is_the_ridge_minimizer_of_that_limit(data, g):
    """(W4): two routes that share nothing, two unknowns under T12 and sums over two channels."""
    problem = wide(samples_per_dim=1.5, data=data, ridge=g)
    found = theory.curves(problem, [INF], ridge_per_feature=True)
    other = theory.wide_losses(theory.limit(Problem(samples_per_dim=1.5, data=data)), g)
    for name in ("train", "test", "train_penalized", "cross"):
        assert float(found[name][0]) == pytest.approx(float(getattr(other, name)[0]), rel=1e-10), name
    # a ridge that does not grow with the width is none
    with pytest.warns(Note, match=f"^ridge {g:g} does not count at features_per_dim inf, .* ridge_per_feature takes"):
        fixed = theory.curves(problem, [1e3])
    assert fixed.equals(theory.curves(wide(samples_per_dim=1.5, data=data), [1e3]))


def test_bias_and_variance_add_up_to_the_score_error():
    found = theory.curves(wide(), [30.0, 100.0, INF])
    np.testing.assert_allclose(found.bias2 + found.variance, found.score, rtol=1e-12)
    np.testing.assert_allclose(found.bias2, (1 - found.cross / noise_variance(0.1)) ** 2, rtol=1e-12)


def test_parts_add_up_and_switch_off():
    found = theory.curves(wide(diffusion_time=0.2), [10.0, 1e4, INF], by_part=True)
    assert [str(name) for name in found.part.values] == ["mini", "main", "gen"]
    np.testing.assert_allclose(1 + found.train_part.sum("part"), found.train, atol=1e-12)
    assert np.all(found.test_without.sel(part="mini")[1:] < found.test[1:])  # memorizing is what mini does
    np.testing.assert_array_equal(found.test_without.sel(part="main"), found.test)
    np.testing.assert_allclose(found.energy.sel(part="main"), 0.0)
    # what is learned of the noise in all: (1 − e^{−2Δa²τQ})² between its two channels
    np.testing.assert_allclose(found.train - 1, found.energy.sum("part") * noise_variance(0.2) - 2 * found.cross)


@pytest.mark.parametrize(("psi_n", "rank"), [(8.0, 1.0), (0.5, 0.5)])
def test_parts_of_the_spectrum_have_exact_masses_and_the_edges_that_finite_widths_tend_to(psi_n, rank):
    found = theory.spectrum(wide(samples_per_dim=psi_n, diffusion_time=0.2))
    masses = dict(zip(map(str, found.part.values), found.mass.values, strict=True))
    spare = {"main": psi_n - 1} if psi_n > 1 else {}
    assert masses == pytest.approx({"mini": rank, "gen": 1.0} | spare, rel=1e-12)
    # Tr UV⁻… the mean of all: a²Γ² + v² per dimension, as the trace of U/ψ_p without s²
    assert float(found.mass @ found["mean"]) == pytest.approx(float(found.a**2 + found.v2), rel=1e-12)
    widths = [1600.0, 6400.0]
    others = [theory.spectrum(Problem(samples_per_dim=psi_n, features_per_dim=p, diffusion_time=0.2)) for p in widths]
    for part, edge in (("mini", "upper"), ("gen", "upper"), ("gen", "mean")):
        near, far = (float(one[edge].sel(part=part)) / p for one, p in zip(others, widths, strict=True))
        assert (4 * far - near) / 3 == pytest.approx(float(found[edge].sel(part=part)), rel=1e-3), (part, edge)
    assert found.attrs["per"] == "dimension"


@pytest.mark.parametrize("data", ["isotropic", TWO, "subspace:0.5"])
def test_the_density_holds_the_masses_without_atoms(data):
    found = theory.spectrum(wide(samples_per_dim=3, data=data), points=20000)
    lam, rho = found.eigenvalue.values, found.density.values
    whole = sum(
        np.trapezoid(rho[inside], lam[inside])
        for low, high in zip(found.interval_lower.values, found.interval_upper.values, strict=True)
        if (inside := (lam >= low) & (lam <= high)).any()
    )
    rank = 0.5 if data.startswith("sub") else 1.0
    assert whole == pytest.approx(2 * rank, rel=1e-4)  # mini and gen, less gen's atom at a²Δ


@pytest.mark.parametrize("psi_n", [0.6, 3.0])
def test_the_law_of_the_sample_covariance_is_that_of_random_matrices(psi_n):
    """Shares of the eigenvectors of Σ̂ with those of Σ too, by two functions of Σ̂."""
    dim, values, weights = 1200, np.array([0.4, 2.0]), np.array([0.25, 0.75])
    law = sample_covariance(values, weights, psi_n)
    assert law.residual < 1e-12
    np.testing.assert_allclose(law.measures @ weights, law.weights)
    spread = np.repeat(values, (weights * dim).astype(int))
    n = round(psi_n * dim)
    x = np.sqrt(spread)[:, None] * np.random.default_rng(0).standard_normal((dim, n))
    lam, vectors = np.linalg.eigh(x @ x.T / n)
    for function in (lambda lam: np.exp(-lam), lambda lam: 1 / (0.1 + lam)):
        squares = (vectors**2 * function(lam)).sum(1)  # of function(Σ̂), the diagonal
        sampled = np.array([squares[spread == one].mean() for one in values])
        np.testing.assert_allclose(law.measures.T @ function(law.points), sampled, rtol=4e-3)
    assert law.atom == pytest.approx(max(0.0, 1 - psi_n), abs=1e-14)
    inside = lam[lam > 1e-9]
    assert law.intervals[0].lower == pytest.approx(inside[0], rel=0.1)
    assert law.intervals[-1].upper == pytest.approx(inside[-1], rel=0.02)


def test_its_density_is_that_of_marchenko_and_pastur_where_all_directions_are_alike():
    lam = np.linspace(0.3, 2.6, 50)
    edges = [(1 - 1 / math.sqrt(3)) ** 2, (1 + 1 / math.sqrt(3)) ** 2]
    exact = 3 * np.sqrt(np.maximum((edges[1] - lam) * (lam - edges[0]), 0)) / (2 * np.pi * lam)
    np.testing.assert_allclose(density(np.array([1.0]), np.array([1.0]), 3.0, lam), exact, rtol=1e-9, atol=1e-12)


def test_channels_are_the_eigenvectors_of_two_by_two_matrices():
    limit = theory.limit(Problem(samples_per_dim=0.3, diffusion_time=1e-3))  # where noise is the smaller part
    lam = np.array([0.0, 1e-8, 0.3, 4.0])
    found = channels(limit, lam)
    for k, one in enumerate(lam):
        mixed = limit.gain * math.sqrt(limit.signal * limit.noise * one)
        sample, noise = limit.gain * limit.signal * one + limit.v2 / 0.3, limit.gain * limit.noise
        values, vectors = np.linalg.eigh(np.array([[sample, mixed], [mixed, noise]]))
        np.testing.assert_allclose(found.points[:, k], values[::-1], rtol=1e-9)
        np.testing.assert_allclose(found.shares[:, k], vectors[1, ::-1] ** 2, atol=1e-9)
        np.testing.assert_allclose(found.across[:, k], (vectors[0] * vectors[1])[::-1], atol=1e-9)


def test_nothing_is_learned_without_a_linear_part():
    found = theory.curves(wide(activation="hermite3"), [1.0, INF])
    np.testing.assert_allclose(found.test, 1.0)
    assert [str(name) for name in found.part.values] == ["main"]
    assert float(found.mass[0]) == 4.0


@pytest.mark.parametrize("widths", [[INF], pytest.param([64, INF], marks=pytest.mark.slow)])
def test_a_column_of_a_map_is_the_curves_at_that_width(widths):
    spec = {
        "command": "theory.curves",
        "problem": {"train_times": [100.0, INF], "diffusion_time": 0.2},
        "axes": {"samples_per_dim": [0.5, 4], "features_per_dim": widths},
    }
    swept = rfsim.sweep(spec)
    assert np.unique(swept.status).size == 1
    for psi_n in (0.5, 4.0):
        one = theory.curves(wide(samples_per_dim=psi_n, diffusion_time=0.2), [100.0, INF])
        here = swept.sel(samples_per_dim=psi_n, features_per_dim=INF)
        for name in ("train", "test", "score", "bias2"):
            np.testing.assert_allclose(here[name], one[name], rtol=1e-9, err_msg=name)
        assert float(here.tau_mem_curve) == pytest.approx(float(one.tau_mem.sel(mem_route="curve")), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.curves(wide(noise_copies=2), [1.0]), "^at features_per_dim inf noise is averaged; got noise"),
        (lambda: theory.ridge(wide(), [0.1]), "^features_per_dim must be positive and finite; got inf, the limit of"),
        (
            lambda: theory.distill(wide(), [0.05, 0.1]),
            "^features_per_dim must be positive and finite; got inf, the limit of many",
        ),
        (
            lambda: rfsim.train(wide(), [1.0], dim=8),
            "^features_per_dim must be positive and finite; got inf, the limit",
        ),
        (lambda: rfsim.spectrum(wide(), dim=8), "^features_per_dim must be positive and finite; got inf, the limit of"),
        (lambda: theory.n_star(wide()), "^features_per_dim must be positive and finite; got inf, the limit of many"),
        (
            lambda: theory.diagram(
                Problem(noise_copies=2), samples_per_dim=[2], features_per_dim=[4, INF], train_times=[1.0]
            ),
            "^at features_per_dim inf noise is averaged",
        ),
        (
            lambda: rfsim.sweep(
                {"command": "theory.ridge", "problem": {"ridges": [0.1]}, "axes": {"features_per_dim": [2, INF]}}
            ),
            "features_per_dim must be positive and finite; got inf",
        ),
    ],
)
def test_what_is_not_known_there_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_the_command_says_what_masses_are_per(capsys):
    import json

    assert main(["theory", "spectrum", "--features-per-dim", "inf", "--samples-per-dim", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["per"] == "dimension"
    assert found["problem"]["features_per_dim"] == "inf"
    assert [one["mass"] for one in found["bulks"]] == pytest.approx([1, 1, 1])
    assert main(["theory", "curves", "--features-per-dim", "inf", "--train-times", "1,inf", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["per"] == "dimension"
    assert found["emp"] == found["train"]
    assert main(["theory", "curves", "--features-per-dim", "inf", "--noise-copies", "2", "--json"]) == 2
