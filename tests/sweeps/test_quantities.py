"""What a group of a sweep computes: as public functions do, with nothing done twice, and no cell taking others down."""

from __future__ import annotations

import math
import re
from dataclasses import fields

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim import Problem, theory
from rfsim.computing import machine
from rfsim.computing.decompositions import counting
from rfsim.limit.maps import STATUS
from rfsim.limit.solver import NotConverged
from rfsim.problem.ranks import PARTS
from rfsim.quantities.catalog import QUANTITIES
from rfsim.results import runs
from rfsim.results.variables import LONG_NAMES
from rfsim.sampled import simulate as simulation
from rfsim.sampled import train
from rfsim.sweeps import cells, sampled
from rfsim.sweeps.quantities import compute, decompositions, needed_bytes, sizes, tile
from tests.sweeps.groups import group

SAMPLE = {"samples_per_dim": 2, "features_per_dim": 5, "dim": 8}
PROBLEM = Problem(samples_per_dim=2, features_per_dim=5)
SAMPLED = ("train", "spectrum", "simulate", "distill", "density")
STATE = ("status", "reason", "residual")


# --- what a sweep may ask of each quantity ------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUANTITIES)
def test_what_is_shared_or_listed_is_a_parameter(name):
    quantity = QUANTITIES[name]
    assert quantity.name == name
    assert {*quantity.cells.together, *quantity.lists, *quantity.defaults} <= set(quantity.swept)
    assert len(quantity.swept) == len([one for one in quantity.parameters if one.swept])
    private = {"problem", "array", "report", "options", "checkpoint", "resume", "devices", "spill", "variants"}
    assert not private & set(quantity.swept)
    if not name.startswith("theory"):
        known = {"seed", "seeds"} if name == "advise" else {"dim", "seed", "seeds"}  # it chooses sizes of its own
        assert known <= set(quantity.swept)


def test_what_a_quantity_ignores_is_no_parameter_of_it():
    ignored = {
        "advise": {"diffusion_time"},
        "theory.split": {"activation", "diffusion_time", "features_per_dim", "noise_copies", "ridge"},
        "theory.conditions": {"features_per_dim", "noise_copies"},
        "spectrum": {"ridge"},
        "density": {"ridge"},
        "distill": {"diffusion_time"},
        "posterior": {"diffusion_time"},
        "theory.spectrum": {"ridge"},
        "theory.ridge": {"ridge"},
        "theory.distill": {"ridge", "diffusion_time"},
        "theory.gamma_star": {"ridge"},
        "theory.generated": {"diffusion_time"},
        "theory.mini_gap": {"ridge", "features_per_dim"},
    }
    for name, quantity in QUANTITIES.items():
        assert {one.name for one in fields(Problem)} - set(quantity.swept) == ignored.get(name, set())
    assert QUANTITIES["train"].defaults["trainer"] == "flow"
    assert QUANTITIES["theory.curves"].defaults["tolerance"] == 1e-4  # that of a diagram
    assert "ridges" not in QUANTITIES["theory.ridge"].defaults


def test_only_the_flow_has_a_program_for_many_cells():
    quantity = QUANTITIES["theory.curves"]
    assert tile(quantity, {}) == tile(quantity, {"trainer": "flow", "by_part": False}) == quantity.cells.tile > 1
    assert tile(quantity, {"trainer": "descent:0.1"}) == tile(quantity, {"by_part": True}) == 1
    assert tile(QUANTITIES["train"], {}) == 0


# --- what a group costs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("train", {}, 1),
        ("train", {"seeds": 3, "route": "krylov"}, 3),
        ("train", {"seeds": 2, "moments": "montecarlo:12"}, 2 * 9),
        ("train", {"moments": "montecarlo:5"}, 6),
        ("spectrum", {"model": "gaussian", "seeds": 2}, 2),
        ("simulate", {"seeds": 2}, 2),
        ("simulate", {"seeds": 2, "exact": False}, 0),
        ("distill", {}, 21 + 40),
        ("distill", {"levels": 3, "seeds": 2}, 2 * (4 + 6)),
        ("distill", {"levels": 3, "student_features_per_dim": 3}, 8 + 6),
        ("distill", {"levels": 3, "split_pair": True}, 2 * (4 + 6)),
        ("distill", {"levels": 3, "student_features_per_dim": 5}, 4 + 6),
        ("distill", {"levels": 3, "student_features_per_dim": 5.01}, 4 + 6),  # rounds to the same
        ("density", {}, 0),
        ("theory.curves", {}, 0),
    ],
)
def test_decompositions_that_are_announced(name, options, count):
    assert decompositions(QUANTITIES[name], SAMPLE | options) == count


CALLS = {
    "train": lambda one: rfsim.train(PROBLEM, [1.0], dim=8, **one),
    "spectrum": lambda one: rfsim.spectrum(PROBLEM, dim=8, **one),
    "simulate": lambda one: rfsim.simulate(PROBLEM, dim=8, **one),
    "distill": lambda one: rfsim.distill(PROBLEM, dim=8, **one),
    "density": lambda one: rfsim.density(PROBLEM, dim=8, **one),
}
COSTS = [
    ("train", {}),
    ("train", {"model": "gaussian", "route": "krylov"}),
    ("train", {"moments": "montecarlo:12"}),
    ("spectrum", {}),
    ("simulate", {}),
    ("simulate", {"exact": False, "batch": 7}),
    ("distill", {"levels": 3, "student_features_per_dim": 7.0}),
    ("distill", {"levels": 3, "method": "two-time"}),
    ("distill", {"levels": 3, "method": "progressive"}),
    ("distill", {"levels": 3, "method": "identity", "draws": "30p"}),
    ("density", {"probes": 3, "steps": 9}),
    ("density", {"probes": 3, "steps": 9, "model": "real"}),
]


@pytest.mark.parametrize(("name", "options"), COSTS)
def test_a_group_needs_what_the_public_function_takes(monkeypatch, name, options):
    asked = []

    def told(needed, *_, **__):
        asked.append(needed)
        if needed > 2**29 or name != "distill":
            raise MemoryError("seen")

    for room in (runs, simulation, rfsim.sampled.distill_memory, rfsim.sampled.density):
        monkeypatch.setattr(room, "require_memory", told)
    if name in ("simulate", "distill"):  # which leave it to their own
        monkeypatch.setattr(runs, "require_memory", lambda *_: None)
    with pytest.raises(MemoryError, match="seen"):
        CALLS[name](options)
    assert float(needed_bytes(QUANTITIES[name], SAMPLE | options)) == pytest.approx(asked[-1], rel=1e-14)


@pytest.mark.parametrize("name", SAMPLED)
def test_many_groups_need_what_each_of_them_does(name):
    quantity, rng, count = QUANTITIES[name], np.random.default_rng(0), 40
    values = {
        "samples_per_dim": rng.uniform(1, 9, count),
        "features_per_dim": rng.uniform(1, 30, count),
        "dim": rng.integers(5, 50, count),
        "noise_copies": rng.choice([1.0, 3.0, np.inf], count),
        "model": rng.choice(["real", "gaussian"], count),
        "route": rng.choice(["dense", "krylov"], count),
        "exact": rng.choice([True, False], count),
        "probes": rng.integers(2, 50, count),
        "levels": rng.integers(2, 9, count),
        "student_features_per_dim": rng.uniform(1, 30, count),
    }
    values = {one: value for one, value in values.items() if one in quantity.swept}
    many = rng.integers(1, 9, count)
    together = needed_bytes(quantity, values, many)
    alone = [
        float(needed_bytes(quantity, {one: value[k].item() for one, value in values.items()}, int(many[k])))
        for k in range(count)
    ]
    assert together.shape == (count,)
    np.testing.assert_array_equal(together, alone)


def test_the_limit_needs_no_memory_to_speak_of():
    assert needed_bytes(QUANTITIES["theory.curves"], {"samples_per_dim": np.ones(3)}).tolist() == [0.0, 0.0, 0.0]


# --- cells side by side -------------------------------------------------------------------------------------------


def test_a_failed_cell_is_nan_and_leaves_the_others():
    one = xr.Dataset({"loss": ("x", [1, 2]), "flag": ("x", [3, 4])}, coords={"x": [5.0, 6.0]})
    other = xr.Dataset({"loss": ("x", [7, 8]), "more": ((), 9)}, coords={"x": [5.0, 6.0]})
    data = cells.stacked(
        [
            cells.CellResult(one, residual=1e-9),
            cells.failed(MemoryError("too\nlarge")),
            cells.CellResult(other, 2, "late"),
        ]
    )
    np.testing.assert_array_equal(data.loss, [[1, 2], [np.nan, np.nan], [7, 8]])
    np.testing.assert_array_equal(data.more, [np.nan, np.nan, 9])
    assert {data[name].dtype for name in ("loss", "flag", "more")} == {np.dtype(float)}
    assert data.x.values.tolist() == [5.0, 6.0]
    assert data.status.values.tolist() == [1, 3, 2]
    assert data.reason.values.tolist() == ["", "too large", "late"]
    assert data.residual.values[0] == 1e-9


def test_cells_that_all_failed_tell_why():
    data = cells.stacked([cells.failed(ValueError("no")), cells.failed(NotConverged("not yet"))])
    assert set(data.data_vars) == set(STATE)
    assert data.status.values.tolist() == [3, 2]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\n  two"), "one two"),
        (FloatingPointError("overflow"), "FloatingPointError: overflow"),
        (MemoryError(), "MemoryError"),
        (np.linalg.LinAlgError("singular"), "LinAlgError: singular"),
    ],
)
def test_reasons_are_one_line(error, line):
    assert cells.reason(error) == line
    assert len(cells.reason(ValueError("x" * 9999))) == cells.LONGEST


def test_parts_that_are_absent_have_no_mass_and_unknown_edges():
    data = xr.Dataset(
        {"mass": ("part", [1.0]), "lower": (("seed", "part"), [[0.5]])}, coords={"part": ["gen"], "seed": [3]}
    )
    found = cells.tidy(data)
    assert found.part.values.tolist() == list(PARTS)
    assert found.mass.values.tolist() == [0, 0, 0, 0, 1]
    np.testing.assert_array_equal(found.lower, [np.nan] * 4 + [0.5])


# --- what one cell does to others ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLED)
def test_a_group_beyond_memory_says_so(monkeypatch, name):
    monkeypatch.setattr(machine, "memory_limit", lambda: 1)
    together = {"train": {"ridge": [0.0, 1.0]}, "simulate": {"rate": [0.1, 0.2]}, "distill": {"ridge": [0.0, 1.0]}}
    data = compute(group(name, SAMPLE, **together.get(name, {})))
    assert set(data.data_vars) == set(STATE)
    assert (data.status == 3).all()
    assert all("GiB, and this process may use" in line for line in data.reason.values)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("train", {"ridge": [-1.0, np.nan]}, "^ridge must be"),
        ("train", {"trainer": ["decent", "descent:0"]}, "descent"),
        ("simulate", {"batch": [0, "some"]}, "^batch must be"),
        ("distill", {"parameterization": ["edn", "edm2"]}, "^parameterization must be one of"),
        ("theory.curves", {"samples_per_dim": [-1.0, 0.0]}, "^samples_per_dim must be positive"),
        ("theory.ridge", {"features_per_dim": [-1.0, np.inf]}, "^features_per_dim must be positive"),
    ],
)
def test_cells_that_are_no_problem_say_what_is_wrong(name, wrong, message):
    fixed = {one: value for one, value in SAMPLE.items() if one in QUANTITIES[name].swept and one not in wrong}
    data = compute(group(name, fixed | ({"ridges": [1.0]} if name == "theory.ridge" else {}), **wrong))
    assert data.status.values.tolist() == [3, 3]
    for line in data.reason.values:
        assert re.search(message, line), line


def test_a_ridge_too_small_for_float64_leaves_the_larger_ones(monkeypatch):
    asked = []

    def variants(problem, variants, **_):
        asked.append([one.ridge for one in variants])
        if min(asked[-1]) == 0:
            raise ValueError("add a ridge")
        return [xr.Dataset({"loss": one.ridge}) for one in variants]

    monkeypatch.setattr(sampled, "train_variants", variants)
    data = compute(group("train", SAMPLE, ridge=[0.0, 2.0, 0.0, 1.0]))
    assert data.status.values.tolist() == [3, 1, 3, 1]
    assert data.reason.values.tolist() == ["add a ridge", "", "add a ridge", ""]
    np.testing.assert_array_equal(data.loss, [np.nan, 2.0, np.nan, 1.0])
    assert asked == [[0.0, 2.0, 0.0, 1.0], [2.0, 1.0]]


def test_ctrl_c_passes(monkeypatch):
    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(sampled, "train_variants", pressed)
    with pytest.raises(KeyboardInterrupt):
        compute(group("train", SAMPLE))


# --- one decomposition serves many cells --------------------------------------------------------------------------


def counted(asked):
    """A group's cells, after holding what was done against what was announced."""
    with counting() as done:
        data = compute(asked)
    quantity = QUANTITIES[asked.quantity]
    assert (done.count, done.again) == (decompositions(quantity, asked.fixed), 0)
    for dim, length in sizes(quantity, asked.fixed).items():
        assert data.sizes[dim] == length
    assert dict(data.dtypes)["status"] == np.int8
    return data


def held(data, cell, front, tolerance, without=()):
    """The values of a cell against the public function's own."""
    front = cells.tidy(front)
    assert set(front.data_vars) <= set(data.data_vars)
    for name in set(front.data_vars) - set(without):
        own = data[name].isel(cell=cell)
        if tolerance:
            # a run of its own holds U to 1e-6 of λ_min + γ: eigenvalues, and times made of them, are no better known
            close = tolerance if name in LONG_NAMES else max(tolerance, 1e-6)
            np.testing.assert_allclose(own, front[name], rtol=close, atol=close, err_msg=name)
        else:
            np.testing.assert_array_equal(own, front[name], err_msg=name)


TIMES = [0.0, 1e3, math.inf]
VARIANTS = {"ridge": [0.03, 1.0, 0.1, 0.03, 0.1], "trainer": ["flow", "flow", "distillation:50", "descent:0.1", "flow"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "tolerance", "without"),
    [
        # the orders of U and of the population follow from the smallest ridge: 1e-8 is what `train` promises of losses
        ({"noise_copies": 3, "fresh_noise": True, "by_part": True}, 1e-8, ()),
        ({"noise_copies": 3, "seeds": 2}, 1e-8, ()),
        ({}, 1e-8, ("orders", "error_bound")),
        # nothing is truncated: the same bits
        ({"model": "gaussian"}, 0, ()),
        ({"model": "gaussian", "noise_copies": 3}, 0, ()),
        ({"moments": "montecarlo:12"}, 0, ()),
        ({"route": "krylov", "features_per_dim": 40}, 1e-6, ("orders", "error_bound", "blocks", "remaining")),
        (
            {"route": "krylov", "model": "gaussian", "features_per_dim": 40},
            1e-6,
            ("blocks", "remaining", "error_bound"),
        ),
    ],
)
def test_trainings_of_one_decomposition_are_those_of_the_public_function(options, tolerance, without):
    fixed = SAMPLE | {"train_times": TIMES, "seed": 3} | options
    data = counted(group("train", fixed, **VARIANTS))
    assert (data.status == 1).all()
    assert (data.residual < 1e-6).all()
    given = dict(options)
    base = {one: given.pop(one, SAMPLE.get(one)) for one in ("samples_per_dim", "features_per_dim")}
    base["noise_copies"] = given.pop("noise_copies", math.inf)
    for k, (ridge, trainer) in enumerate(zip(*VARIANTS.values(), strict=True)):
        front = rfsim.train(Problem(**base, ridge=ridge), TIMES, dim=8, seed=3, trainer=trainer, **given)
        held(data, k, front, tolerance, without)
        if "noise_copies" in options:  # U itself is exact
            np.testing.assert_array_equal(data.train[k], cells.tidy(front).train)


@pytest.mark.slow
def test_a_trainer_that_diverges_fails_alone():
    data = counted(group("train", SAMPLE, trainer=["descent:1e9", "flow", "descent:0.1"]))
    assert data.status.values.tolist() == [3, 1, 1]
    assert data.reason.values[0].startswith("trainer descent:1e+09 diverges: the largest eigenvalue of U is")
    assert np.isnan(data.eigenvalue[0]).all()
    assert np.isfinite(data.steps[2]).all()
    with pytest.raises(ValueError, match="descent:1e\\+09 diverges"):
        rfsim.train(PROBLEM, dim=8, trainer="descent:1e9")


@pytest.mark.slow
@pytest.mark.parametrize("exact", [True, False])
def test_simulations_of_one_preparation_are_those_of_the_public_function(exact):
    settings = {
        "optimizer": ["sgd", "adam", "sgd", "sgd", "sgd"],
        "rate": [None, 0.01, 1e9, 0.5, 0.5],
        "batch": ["full", 5, "full", 3, "full"],
        "ema": [0.0, 0.5, 0.0, 0.0, 0.9],
        "precision": ["float64", "float64", "float64", "float32", "float64"],
    }
    fixed = SAMPLE | {"steps": 40, "exact": exact, "seeds": 2, "noise_copies": 3}
    data = counted(group("simulate", fixed, **settings))
    assert data.status.values.tolist() == [1, 1, 2, 1, 1]
    assert data.reason.values[2].startswith("diverged at step 1: ")
    assert np.isfinite(data.train[2, :, 0]).all()
    assert np.isnan(data.train[2, :, -1]).all()
    problem = Problem(samples_per_dim=2, features_per_dim=5, noise_copies=3)
    for k in (0, 1, 3, 4):
        asked = {name: values[k] for name, values in settings.items()}
        held(data, k, rfsim.simulate(problem, dim=8, steps=40, seeds=2, exact=exact, **asked), 0)


@pytest.mark.slow
@pytest.mark.parametrize(("own", "seen"), [({}, (0, 3)), ({"student_features_per_dim": 3}, (1,))])
def test_students_of_one_distillation_are_those_of_the_public_function(own, seen):
    students = {
        "ridge": [0.0, 0.3, 0.1, 0.1],
        "parameterization": ["ddim", "edm", "edm", "ddim"],
        "start": [None, None, "teacher", "zero"],
        "target": ["sequential", "sequential", "sequential", "coupled:3"],
    }
    options = {"levels": 2, "generated": 16} | own
    fixed = SAMPLE | {"distill_times": [0.0, 10.0]} | options
    data = counted(group("distill", fixed, **students))
    assert data.status.values.tolist() == [1, 1, 3, 1]
    assert "start 'teacher' needs" in data.reason.values[2]
    assert "ridge" not in data.dims
    for k in seen:
        asked = {name: values[k] for name, values in students.items() if name != "ridge"}
        problem = Problem(samples_per_dim=2, features_per_dim=5, ridge=students["ridge"][k])
        front = rfsim.distill(problem, [0.0, 10.0], dim=8, **options, **asked)
        front = sampled._distilled(front).isel(variant=0, drop=True)
        held(data, k, front, 1e-9, [name for name in front.data_vars if str(name).endswith("_moved")])


@pytest.mark.slow
def test_a_spectrum_and_a_density_are_those_of_the_public_function():
    data = counted(group("spectrum", SAMPLE | {"seeds": 2}))
    held(data, 0, rfsim.spectrum(PROBLEM, dim=8, seeds=2), 0)
    options = {"probes": 2, "steps": 4}
    data = counted(group("density", SAMPLE | options))
    front = rfsim.density(PROBLEM, dim=8, **options)
    for name in ("node", "density", "edge"):
        np.testing.assert_array_equal(data[name][0], front[name][0])
    np.testing.assert_array_equal(data.eigenvalue[0], front.eigenvalue)
    for name in front.part.values:
        assert data.mass.sel(part=name)[0] == front.mass.sel(part=name)[0]


# --- the limit ----------------------------------------------------------------------------------------------------

PLANE = {"samples_per_dim": [2.0, 4.0, -1.0, 8.0], "features_per_dim": [5.0, 16.0, 8.0, 64.0]}


@pytest.mark.slow
def test_cells_of_a_map_are_points_of_the_curves():
    data = counted(group("theory.curves", {"train_times": TIMES}, **PLANE))
    assert data.status.values.tolist() == [1, 1, 3, 1]
    assert data.reason.values[2] == "samples_per_dim must be positive and finite; got -1"
    for k in (0, 1, 3):
        problem = Problem(samples_per_dim=PLANE["samples_per_dim"][k], features_per_dim=PLANE["features_per_dim"][k])
        front = theory.curves(problem, TIMES)
        gen = np.abs(front.gen.values)
        for name in ("train", "test", "gen"):
            assert (np.abs(data[name][k].values - front[name]) <= 1e-4 * np.maximum(gen, 1e-3)).all()
        assert float(data.tau_mem[k]) == pytest.approx(float(front.tau_mem.sel(mem_route="formula")), rel=1e-12)
        alone = compute(group("theory.curves", {"train_times": TIMES, **{n: v[k] for n, v in PLANE.items()}}))
        for name in ("train", "test", "score", "tau_mini"):
            np.testing.assert_allclose(data[name][k], alone[name][0], rtol=1e-12, err_msg=name)


@pytest.mark.slow
def test_a_cell_of_a_map_without_a_contour_is_unconverged():
    plane = {"samples_per_dim": [2.0, 2.0], "features_per_dim": [4.0, 9.0]}
    data = compute(group("theory.curves", {"noise_copies": 2, "train_times": [1e3]}, **plane))
    assert data.status.values.tolist() == [2, 1]
    assert data.reason.values[0].startswith(f"{STATUS[1]}: eigenvalues reach down to 0")
    assert np.isnan(data.train[0]).all()


@pytest.mark.slow
def test_curves_of_other_trainers_are_those_of_the_public_function():
    data = counted(group("theory.curves", {"train_times": TIMES}, trainer=["descent:0.1", "descent:1e9", "flow"]))
    assert data.status.values.tolist() == [1, 3, 1]
    assert data.reason.values[1].startswith("trainer descent:1e+09 diverges")
    front = theory.curves(Problem(), TIMES, trainer="descent:0.1")
    np.testing.assert_array_equal(data.test[0], front.test)
    np.testing.assert_array_equal(data.tau_mem[0], front.tau_mem)
    assert data.energy.sizes["part"] == len(cells.MERGED)
    np.testing.assert_array_equal(data.energy[0].sel(part=front.part.values), front.energy)


@pytest.mark.slow
@pytest.mark.parametrize("copies", [math.inf, 2])
def test_ridges_of_a_plane_are_those_of_the_public_function(copies):
    ridges = [0.0, 1e-3, 1.0]
    plane = {"samples_per_dim": [2.0, 2.0, 4.0], "features_per_dim": [4.0, 9.0, 16.0]}
    data = counted(group("theory.ridge", {"ridges": ridges, "noise_copies": copies}, **plane))
    assert data.status.values.tolist() == ([1, 1, 1] if copies == math.inf else [2, 1, 1])  # p = n m
    for k in range(3):
        asked = ridges if data.status[k] == 1 else ridges[1:]
        problem = Problem(plane["samples_per_dim"][k], plane["features_per_dim"][k], noise_copies=copies)
        front = theory.ridge(problem, asked)
        for name in ("train", "test", "emp", "score", "variance"):
            np.testing.assert_allclose(data[name][k].sel(ridge=asked), front[name], rtol=1e-10, err_msg=name)
        assert float(data.best_ridge[k]) == float(front.best_ridge)
        assert float(data.best_test[k]) == float(front.best_test)
    if copies != math.inf:
        assert "eigenvalues reach down to 0, and L_test diverges as the ridge goes to 0" in data.reason.values[0]
        assert np.isnan(data.test[0, 0])


@pytest.mark.slow
def test_the_other_quantities_of_the_limit_are_those_of_the_public_function():
    front = theory.spectrum(Problem(), grid=[2.0, 3.0])
    data = counted(group("theory.spectrum", {"grid": [2.0, 3.0]}))
    np.testing.assert_array_equal(data.density[0], front.density)
    np.testing.assert_array_equal(data.mass[0].sel(part=front.part.values), front.mass)
    assert float(data.mass.sum()) == pytest.approx(1)
    np.testing.assert_array_equal(data.large_mass[0], front.large_mass)
    assert "density" not in counted(group("theory.spectrum", {}))
    found = counted(group("theory.score_minimum", {"diffusion_time": 0.01, "samples_per_dim": 8}))
    front = theory.score_minimum(Problem(diffusion_time=0.01), samples_per_dim=[8], features_per_dim=[16])
    assert found.score[0] == front.score[0, 0]
    assert set(found.score.dims) == {"cell"}
    found = counted(group("theory.mini_gap", {"samples_per_dim": 8.0, "diffusion_time": 0.1}))
    front = theory.mini_gap(Problem(), samples_per_dim=[8.0], diffusion_times=[0.1])
    assert found.opening[0] == front.opening[0, 0]
    assert train.Variant(0.1).trainer == "flow"
