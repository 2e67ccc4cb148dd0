"""Two halves: their models, what differs between them, and how far apart their samples are."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.distillation.sampling import starting_points
from rfsim.problem import origins, realization
from rfsim.problem.draws import Draw
from rfsim.quantities.catalog import QUANTITIES
from rfsim.sampled.distill import distill
from rfsim.sampled.distill_plan import plan
from tests.commands import answer
from tests.commands import place as place
from tests.distillation.cases import DIM, TINY
from tests.theory.test_split import in_steps

SPLIT = {name for name in QUANTITIES["distill"].form.optional if name.startswith("split_") or "_to_" in name}
SMALL = {"levels": 2, "generated": 16, "leakage_ridges": [0.0, 1.0]}
ROWS = np.random.default_rng(0).standard_normal((20, DIM))


def drawn(problem, seed=0, **given):
    origin, sizes = Draw(seed=seed, **given).of(problem)
    origins.require_halves(origin, sizes)
    one = realization.instance(problem, origin, sizes, seed)
    return one, realization.other_half(one, origin)


def rows(points):
    return {row.tobytes() for row in points}


def test_halves_share_all_but_their_points():
    one, other = drawn(TINY, dim=DIM)
    assert other.points.shape == one.points.shape
    assert not rows(one.points) & rows(other.points)
    assert other.weights is one.weights
    assert other.population is one.population
    assert other.seed == one.seed
    # independent, of the same law: no stream of the first is drawn again
    problem = Problem(samples_per_dim=500, features_per_dim=1)
    one, other = drawn(problem, dim=4)
    np.testing.assert_allclose(np.cov(other.points.T), np.eye(4), atol=0.15)
    assert abs(np.corrcoef(one.points.ravel(), other.points.ravel())[0, 1]) < 0.06


def test_classes_have_their_shares_in_either_half():
    one, other = drawn(dataclasses.replace(TINY, data="classes:0.5@0.25,0.5@4", samples_per_dim=100), dim=DIM)
    for half in (one, other):
        spread = [half.points[half.classes == k].var() for k in range(2)]
        np.testing.assert_allclose(spread, [0.25, 4.0], rtol=0.3)


def test_of_an_array_the_other_half_is_what_was_held_out():
    problem = Problem(samples_per_dim=10 / DIM, features_per_dim=4)
    one, other = drawn(problem, array=ROWS)
    assert len(rows(one.points) | rows(other.points)) == 20
    # each of them plays the population of the other
    np.testing.assert_array_equal(other.population.centers, one.points)
    np.testing.assert_array_equal(one.population.centers, other.points)


def test_beside_a_held_out_set_the_other_half_is_the_next_rows():
    problem = Problem(samples_per_dim=10 / DIM, features_per_dim=4)
    held = np.random.default_rng(1).standard_normal((30, DIM))
    one, other = drawn(problem, array=ROWS, held_out=held)
    assert len(rows(one.points) | rows(other.points)) == 20
    assert other.population.centers.shape == (30, DIM)
    with pytest.raises(ValueError, match="two disjoint sets of as many rows; got 12 samples and 8 rows beside them"):
        drawn(dataclasses.replace(problem, samples_per_dim=12 / DIM), array=ROWS, held_out=held)
    with pytest.raises(ValueError, match="got 15 samples and 5 rows held out in the array: take fewer samples"):
        distill(
            dataclasses.replace(problem, samples_per_dim=15 / DIM), array=ROWS, split=0.75, split_pair=True, **SMALL
        )


@pytest.fixture(scope="module")
def linear():
    problem = Problem(samples_per_dim=2, features_per_dim=2, activation="linear", data="powerlaw:1")
    given = {"dim": 12, "levels": 4, "generated": 400, "leakage_ridges": [0.0], "teacher_time": math.inf}
    return distill(problem, [math.inf], split_pair=True, **given)


def test_with_a_linear_activation_halves_are_two_linear_maps_of_the_noise(linear):
    """Of −(e^{−2t}Σ̂ + Δ)^{-1}x in DDIM steps, whatever W is; the student ends where its teacher does."""
    problem = Problem(samples_per_dim=2, features_per_dim=2, activation="linear", data="powerlaw:1")
    halves, start = drawn(problem, dim=12), starting_points(0, 400, 12)

    def sampled(half, times):
        lam, basis = np.linalg.eigh(half.points.T @ half.points / len(half.points))
        return start @ (basis * in_steps(times, lam)) @ basis.T

    for steps, found in (([0, 1, 2, 3, 4], linear.split_teacher), ([0, 4], linear.split_teacher_steps.sel(steps=1))):
        one, other = (sampled(half, linear.diffusion_time.values[steps]) for half in halves)
        np.testing.assert_allclose(found, ((one - other) ** 2).mean(), rtol=1e-6)
    one, other = (sampled(half, linear.diffusion_time.values) for half in halves)
    np.testing.assert_allclose(linear.split_student.squeeze(), ((one - other) ** 2).mean(), rtol=1e-6)
    near = [
        [((x[:, None] - half.points) ** 2).sum(-1).min(1).mean() / 12 for half in order]
        for x, order in ((one, halves), (other, halves[::-1]))
    ]
    own, others = np.mean(near, axis=0)
    np.testing.assert_allclose(linear.teacher_to_own, own, rtol=1e-6)
    np.testing.assert_allclose(linear.student_to_other.squeeze(), others, rtol=1e-6)
    squares = ((one - other) ** 2).mean(1)
    np.testing.assert_allclose(linear.split_teacher_error, squares.std(ddof=1) / 20, rtol=1e-6)


def test_halves_that_are_one_are_no_distance_apart(monkeypatch):
    monkeypatch.setattr(realization, "other_half", lambda draw, origin: draw)
    found = distill(TINY, [10.0], dim=DIM, split_pair=True, **SMALL)
    for name in SPLIT:
        if name.startswith("split"):
            assert (found[name] == 0).all(), name
    for model in ("teacher", "student"):
        np.testing.assert_array_equal(found[f"{model}_to_own"], found[f"{model}_to_other"])


def test_all_else_is_as_without_a_second_half():
    alone, found = (distill(TINY, [10.0], dim=DIM, split_pair=pair, **SMALL) for pair in (False, True))
    assert set(found.variables) - set(alone.variables) == SPLIT
    assert alone.identical(found.drop_vars(SPLIT).assign_attrs(alone.attrs))
    assert found.split_student.dims == ("seed", "variant", "distill_time")
    assert found.split_teacher_steps.dims == ("seed", "steps")
    np.testing.assert_array_equal(found.split_teacher_steps.isel(steps=-1), found.split_teacher)
    assert (found.split_teacher > 0).all()
    assert "split_pair" not in alone.attrs["settings"]
    assert '"split_pair": true' in found.attrs["settings"]


def test_the_command_tells_them(capsys, place):
    given = ["--dim", "3", "--samples-per-dim", "2", "--features-per-dim", "4", "--levels", "2", "--generated", "16"]
    told = answer(capsys, "distill", *given, "--distill-times", "1,100", "--split-pair", "--out", "out")
    stored = rfsim.load("out")
    split = told["split"]
    assert split["teacher"] == pytest.approx(float(stored.split_teacher[0]))
    assert split["teacher_se"] == pytest.approx(float(stored.split_teacher_error[0]))
    assert split["teacher_one_step"] == pytest.approx(float(stored.split_teacher_steps[0, 0]))
    assert [one["distill_time"] for one in split["student"]] == [1.0, 100.0]
    assert split["student"][1]["distance"] == pytest.approx(float(stored.split_student[0, 0, 1]))
    assert split["to_training"]["student"][0]["other"] == pytest.approx(float(stored.student_to_other[0, 0, 0]))
    assert "split" not in answer(capsys, "distill", *given, "--distill-times", "1")


def test_a_sweep_takes_them(tmp_path):
    fixed = {"dim": 3, "features_per_dim": 4.0, "levels": 2, "generated": 16, "distill_times": [1.0]}
    fixed |= {"split_pair": True}
    spec = {"command": "distill", "axes": {"samples_per_dim": [2.0, 4.0]}, "problem": fixed}
    found = rfsim.sweep(spec, out=tmp_path / "plane.zarr")
    one = distill(Problem(4.0, 4.0), [1.0], dim=3, levels=2, generated=16, split_pair=True)
    there = found.split_teacher.sel(samples_per_dim=4.0).squeeze()
    assert float(there) == pytest.approx(float(one.split_teacher[0]), rel=1e-9)


def test_refusals():
    with pytest.raises(ValueError, match="split_pair must be True or False; got 'yes'"):
        plan(TINY, split_pair="yes")
