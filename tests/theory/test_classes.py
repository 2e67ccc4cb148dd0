"""The limit of populations of classes: their equations, losses by class, and samples beside them (equations.md §12)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import rfsim
from rfsim import theory
from rfsim.limit.limits import limit
from rfsim.limit.solver import solve

CLASSES = "classes:0.3@0.5,0.7@1.5"
RATIOS = {"samples_per_dim": 4, "features_per_dim": 8}
TIMES = [0, 10, 1e3, 1e5, math.inf]


def problem(data=CLASSES, **given):
    return rfsim.Problem(**RATIOS | given, data=data)


def test_the_resolvent_is_that_of_another_writing_of_the_equations():
    """(P1) solved by hand elsewhere to five digits, which samples at d = 40 and 80 approach as 1/d."""
    found = solve(limit(problem(), classes=True), np.array([-0.03, -3.0]))
    np.testing.assert_allclose(np.asarray(found.state.q).real, [16.66, 0.31098], rtol=2e-4)


@pytest.mark.parametrize("classes", [[(1.2, 1.0)], [(1.2, 0.25), (1.2, 0.75)]], ids=["one", "two"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda of: theory.curves(of, TIMES, by_part=True),
        lambda of: theory.spectrum(of),
        lambda of: theory.ridge(of, [0.0, 0.1, 1.0]),
    ],
    ids=["curves", "spectrum", "ridge"],
)
def test_classes_of_one_variance_are_one_gaussian(ask, classes):
    plain, found = ask(problem("isotropic:1.2")), ask(problem(rfsim.Classes(classes)))
    large = {"large_density", "large_interval", "large_mass", "large_lower", "large_upper"}
    assert set(plain.data_vars) - set(found.data_vars) <= large
    rounding = {"residual", "density_residual", "error", "part_error"}
    for name in set(plain.data_vars) & set(found.data_vars) - rounding:
        if plain[name].dtype.kind == "f":
            np.testing.assert_allclose(found[name], plain[name], rtol=1e-10, atol=1e-12, err_msg=str(name))
    for name in ("train", "test", "gen"):
        if f"{name}_class" in found:
            for one in found[f"{name}_class"]:
                np.testing.assert_allclose(one, plain[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("given", [{}, {"ridge": 0.1}, {"diffusion_time": 0.5, "activation": "erf"}], ids=str)
def test_losses_by_class_add_up(given):
    found = theory.curves(problem(**given), TIMES, tolerance=1e-9)
    for name in ("train", "test", "gen"):
        summed = (found[f"{name}_class"] * found["class_share"]).sum("class")
        np.testing.assert_allclose(summed, found[name], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found["class_variance"], [0.5, 1.5], rtol=1e-14)
    # the class of the higher variance is learned first
    assert found.tau_gen_class[1] < found.tau_gen_class[0]


@pytest.mark.slow
def test_samples_approach_the_limit_as_one_over_dim():
    names = ("train", "test", "train_class", "test_class")
    expected, gaps, dims = theory.curves(problem(), TIMES), [], (16, 32)
    for dim in dims:
        seen = rfsim.train(problem(), TIMES, dim=dim, seeds=4)
        off = [np.abs(seen[name].mean("seed") - expected[name]).values.ravel() for name in names]
        gaps.append(float(np.concatenate(off).max()))
    assert gaps[1] < 0.08
    assert -1.4 < math.log2(gaps[1] / gaps[0]) < -0.7


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: theory.curves(problem(noise_copies=2), TIMES), "of classes noise is averaged; got noise_copies 2"),
        (lambda: theory.curves(problem(features_per_dim=math.inf), TIMES), "features_per_dim must be finite; got inf"),
        (lambda: theory.curves(problem(activation="relu"), TIMES), "odd activations; got 'relu'"),
        (lambda: theory.distill(problem(), [0.05, 0.1]), "theory curves, theory spectrum and theory ridge alone"),
        (lambda: theory.score_minimum(problem(), samples_per_dim=[2], features_per_dim=[4]), "or isotropic:1.2, of"),
    ],
)
def test_what_the_limit_does_not_know_of_classes_is_told(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
