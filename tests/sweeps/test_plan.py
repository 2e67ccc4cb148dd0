from __future__ import annotations

import numpy as np
import pytest

from rfsim.computing.machine import GIB
from rfsim.sweeps import checks
from rfsim.sweeps.checks import require_possible
from rfsim.sweeps.plan import plan
from rfsim.sweeps.quantities import decompositions
from rfsim.sweeps.spec import read

pytestmark = pytest.mark.usefixtures("use")

GRID = {
    "command": "train",
    "problem": {"dim": 10},
    "axes": {"samples_per_dim": [1, 2, 4], "ridge": [0.0, 0.5], "train_times": [1, 9], "seed": {"range": [0, 2]}},
    "derive": {"features_per_dim": "4 * samples_per_dim"},
}


def planned(**changes):
    return plan(read(GRID | changes))


def test_groups_reach_over_what_one_preparation_serves():
    found = planned()
    assert found.shape == (3, 2, 2)
    assert found.counts == (3, 1, 2)
    assert (found.cells, found.groups) == (12, 6)
    group = found.group(3)
    assert group.number == 3
    assert group.quantity == "train"
    assert group.fixed == {"dim": 10, "samples_per_dim": 2, "seed": 1, "train_times": [1, 9], "features_per_dim": 8}
    assert group.cells == {"ridge": [0.0, 0.5]}
    assert group.size == 2


def test_every_cell_is_in_one_group():
    found = planned()
    seen = np.zeros(found.shape, dtype=int)
    for number in range(found.groups):
        seen[found.where(number)] += 1
        assert found.group(number).size == seen[found.where(number)].size
    assert np.all(seen == 1)


def test_a_group_that_a_derived_parameter_changes_is_no_longer_one(use):
    assert planned(derive={"features_per_dim": "4 * ridge + 2"}).counts == (3, 2, 2)
    use(together=("ridge", "features_per_dim"))
    found = planned(derive={"features_per_dim": "4 * ridge + samples_per_dim"})
    assert found.counts == (3, 1, 2)
    assert found.group(2).cells == {"ridge": [0.0, 0.5], "features_per_dim": [2, 4]}


@pytest.mark.parametrize(
    ("tile", "tiles"), [(0, (1, 7, 9)), (64, (1, 7, 9)), (20, (1, 2, 9)), (8, (1, 1, 5)), (1, (1, 1, 1))]
)
def test_tiles_are_of_nearly_one_size(use, tile, tiles):
    use(together=("samples_per_dim", "features_per_dim"), tile=tile)
    axes = {"seed": [0, 1], "samples_per_dim": list(range(1, 8)), "features_per_dim": list(range(1, 10))}
    found = plan(read({"command": "train", "axes": axes}))
    assert found.tiles == tiles
    last = found.group(found.groups - 1)
    assert last.fixed["seed"] == 1
    assert len(last.cells["samples_per_dim"]) == last.size
    assert last.cells["features_per_dim"][-1] == 9


def test_zipped_parameters_share_a_dimension():
    found = plan(
        read({"command": "train", "zip": {"samples_per_dim": [4, 1], "seed": [7, 8]}, "axes": {"ridge": [0, 1]}})
    )
    assert found.shape == (2, 2)
    assert [found.group(k).fixed | found.group(k).cells for k in range(2)] == [
        {"samples_per_dim": 4, "seed": 7, "ridge": [0, 1]},
        {"samples_per_dim": 1, "seed": 8, "ridge": [0, 1]},
    ]
    assert [(name, dims) for name, _, dims, _ in found.coordinates()] == [
        ("ridge", ("ridge",)),
        ("samples_per_dim", ("samples_per_dim",)),
        ("seed", ("samples_per_dim",)),
    ]


def test_numbers_of_all_groups_take_few_calls():
    found = planned(axes=GRID["axes"] | {"word": ["once", "twice"]})
    calls = []

    def count(fixed):
        calls.append(fixed)
        return decompositions(found.quantity, fixed)

    each = found.evaluate(count)
    assert each.shape == (1, 1, 1, 2)
    assert each.ravel().tolist() == [1, 2]
    assert len(calls) < found.groups


def test_lists_in_place_of_cells_are_single():
    found = plan(read({"command": "train", "axes": {"seed": [0, 1]}, "derive": {"train_times": "10 * seed + 1"}}))
    assert found.single() == ("train_time",)
    assert found.group(1).fixed["train_times"] == 11
    assert planned().single() == ()


REFUSED = [
    (
        {"axes": {"samples_per_dim": [-1, 2], "ridge": [-3, 0]}},
        r"has 2 problems: \(1\) samples_per_dim must be positive.*got -1; \(2\) ridge must",
    ),
    ({"derive": {"features_per_dim": "0 / ridge"}}, r"\[derive\] features_per_dim = '0 / ridge' has no value"),
    ({"derive": {"features_per_dim": "1 / ridge"}}, r"features_per_dim must be positive and finite; got inf"),
    ({"axes": {"seed": [0, 0.5, 1]}}, r"seed must be a whole number of at least 0.*got 0.5"),
    (
        {"problem": {}, "axes": {"samples_per_dim": [0.01, 0.1, 1], "dim": [10, 30]}},
        r"3 of 6 cells have fewer than 2 samples: samples_per_dim 0.01, dim 10; .* samples_per_dim 0.1, dim 10",
    ),
    (
        {"axes": {"features_per_dim": [1, 1100, 1500]}},
        r"1 of 3 cells need more than the 1 GiB this process may use: features_per_dim 1500 \(1.68 GiB\)",
    ),
]


REAL = [
    ({"command": "theory.ridge", "axes": {"samples_per_dim": [1, 2]}}, r"theory.ridge needs ridges: give it in"),
    (
        {"command": "spectrum", "problem": {"seeds": 2}, "axes": {"seed": [0, 1]}},
        r"an axis of seed or a number of seeds",
    ),
    ({"command": "theory.curves", "axes": {"trainer": ["flow", "descent:1"]}}, r"sweep each trainer by itself"),
    ({"command": "spectrum", "axes": {"model": ["real", "guassian"]}}, r"did you mean 'gaussian'"),
    ({"command": "simulate", "axes": {"optimizer": ["sgd", "sdg:momentum=1"]}}, r"optimizer"),
    ({"command": "distill", "axes": {"levels": [0, 5]}}, r"levels"),
    ({"command": "distill", "axes": {"parameterization": ["ddim", "dmd"]}}, r"parameterization"),
    ({"command": "train", "problem": {"scale": "colums"}, "axes": {"seed": [0, 1]}}, r"scale must.*mean 'columns'"),
    ({"command": "train", "axes": {"seeds": [1, 2]}}, r"seeds cannot vary"),
    ({"command": "simulate", "axes": {"steps": [5, 6.5]}}, r"steps must be a whole number of at least 1.*got 6.5"),
    ({"command": "density", "problem": {"probes": "5"}, "axes": {"seed": [0, 1]}}, r"probes must be a number"),
    (
        {"command": "train", "problem": {"dim": 2, "samples_per_dim": 0.1}, "axes": {"train_times": [1, 2]}},
        r"1 of 1 cells",
    ),
    ({"command": "density", "axes": {"ridge": [0, 1]}}, r"\[axes\] ridge is no parameter of density"),
]


@pytest.mark.parametrize(("spec", "match"), REAL, ids=[match for _, match in REAL])
def test_what_a_quantity_refuses_is_said_before_anything_runs(monkeypatch, spec, match):
    monkeypatch.undo()
    with pytest.raises(ValueError, match=match):
        require_possible(plan(read(spec)))


@pytest.mark.parametrize(("changes", "match"), REFUSED, ids=[match[:30] for _, match in REFUSED])
def test_what_no_cell_can_be_is_said_before_anything_runs(monkeypatch, changes, match):
    monkeypatch.setattr(checks, "memory_limit", lambda: GIB)
    given = {"command": "train", "problem": {"dim": 10}, "axes": GRID["axes"]} | changes
    with pytest.raises(ValueError, match=match):
        require_possible(plan(read(given)))


def test_workers_share_the_memory_of_this_machine(monkeypatch):
    monkeypatch.setattr(checks, "memory_limit", lambda: GIB)
    found = plan(read({"command": "train", "problem": {"dim": 10}, "axes": {"features_per_dim": [1, 1000]}}))
    require_possible(found)
    with pytest.raises(ValueError, match=r"2 workers may need 1.49 GiB together, and 1 GiB are there; take 1 worker"):
        require_possible(found, 2)
    require_possible(found, None)


def test_what_stands_along_a_dimension_may_differ_at_one_length(monkeypatch):
    monkeypatch.undo()
    steps = plan(read({"command": "simulate", "axes": {"steps": [1010, 1100]}}))
    assert "step" in steps.loose()
    routes = plan(read({"command": "train", "problem": {"dim": 5}, "axes": {"route": ["krylov", "dense"]}}))
    assert "feature" in routes.loose()
    assert routes.length("feature", 0) == 80
    grid = plan(read({"command": "theory.spectrum", "axes": {"grid": [0.1, 0.2], "samples_per_dim": [1]}}))
    assert grid.loose() == ()
