"""Which route a training takes that names none, and what commands, sweeps and experiments keep whatever it is."""

from __future__ import annotations

import json

import numpy as np
import pytest

import rfsim
from rfsim.cli import answers, main
from rfsim.disk import store
from rfsim.problem.origins import Sizes
from rfsim.quantities.catalog import QUANTITIES
from rfsim.reproduce import Cell
from rfsim.sample.spectra import Method, routes
from rfsim.sample.spectra.routes import FEATURES_PER_DIM, LEAST_FEATURES, choose

PUBLISHED = Sizes(100, 800, 6400)


@pytest.mark.parametrize(
    ("method", "sizes", "asked", "route", "why"),
    [
        (Method(), PUBLISHED, {}, "krylov", "no part is asked for"),
        (Method(), PUBLISHED, {"by_part": True}, "dense", "labels"),
        (Method(), PUBLISHED, {"fresh_noise": True}, "dense", "fresh noise"),
        (Method(moments="montecarlo:50"), PUBLISHED, {}, "dense", "Monte Carlo"),
        (Method("gaussian"), PUBLISHED, {}, "dense", "Gaussian-equivalent"),
        (Method(), Sizes(4, 32, LEAST_FEATURES - 1), {}, "dense", f"fewer than {LEAST_FEATURES}"),
        (Method(), Sizes(4, 32, LEAST_FEATURES), {}, "krylov", "faster"),
        (Method(), Sizes(100, 800, 100 * FEATURES_PER_DIM - 1), {}, "dense", "ψ_p"),
        (Method(), Sizes(100, 800, 100 * FEATURES_PER_DIM), {}, "krylov", "faster"),
        (Method(route="krylov"), Sizes(4, 8, 16), {}, "dense", "fewer"),  # its own route is not asked
    ],
)
def test_the_rule(method, sizes, asked, route, why):
    found = choose(method, sizes, **asked)
    assert found.route == route
    assert why in found.why


@pytest.fixture
def small(monkeypatch):
    """Where the rule says krylov at sizes of a test."""
    monkeypatch.setattr(routes, "LEAST_FEATURES", 100)
    monkeypatch.setattr(routes, "FEATURES_PER_DIM", 10)
    return rfsim.Problem(samples_per_dim=2, features_per_dim=16)


def test_auto_takes_krylov_where_no_part_is_asked_for(small):
    times = [0.0, 100.0, np.inf]
    auto = rfsim.train(small, times, dim=8)
    assert store.settings(auto)["route"] == "krylov"
    assert auto.attrs["route"].startswith("krylov: no part is asked for, and it is faster at 128 features")
    assert "eigenvalue" not in auto
    named = rfsim.train(small, times, dim=8, route="krylov")
    np.testing.assert_array_equal(auto.test, named.test)
    assert "route" not in named.attrs  # nothing was chosen


def test_auto_takes_dense_where_parts_are_asked_for(small):
    found = rfsim.train(small, [100.0], dim=8, by_part=True)
    assert store.settings(found)["route"] == "dense"
    assert found.attrs["route"] == "dense: losses by part need its labels"
    assert {"eigenvalue", "energy", "test_without"} <= set(found)


def test_auto_takes_one_route_for_all_ridges_and_says_so(small):
    found = rfsim.train(small, [100.0], dim=8, ridges=[0.01, 1.0])
    assert store.settings(found)["route"] == "krylov"
    assert found.attrs["route"].startswith("krylov: ")


def test_what_begins_is_told_the_route_that_is_taken(small):
    heard = []
    result = rfsim.train(small, [100.0], dim=8, begin=heard.append)
    assert [store.plain(one) for one in heard] == [store.settings(result)]
    assert heard[0]["route"] == "krylov"


def test_every_key_of_the_command_keeps_its_value(small, capsys):
    call = ["train", "--dim", "8", "--samples-per-dim", "2", "--features-per-dim", "16"]
    found = {}
    for route in ([], ["--route", "auto"], ["--route", "dense"]):
        assert main([*call, *route, "--json"]) == 0
        found["".join(route)] = json.loads(capsys.readouterr().out)
    assert found[""] == found["--routeauto"] == found["--routedense"]
    assert found[""]["problem"]["route"] == "dense"
    assert None not in (*found[""]["tau_gen"].values(), *found[""]["tau_mem"].values())


def test_lines_for_a_reader_name_the_faster_route(small, monkeypatch):
    told = "route dense, which times of parts need; --route krylov gives the same losses faster"
    dense = rfsim.train(small, [100.0], dim=8, route="dense")
    assert told in answers.train_lines(dense)
    assert told not in answers.train_lines(rfsim.train(small, [100.0], dim=8))
    assert told not in answers.train_lines(rfsim.train(small, [100.0], dim=8, by_part=True))
    monkeypatch.undo()
    assert told not in answers.train_lines(dense)


def test_sweeps_and_experiments_keep_what_parts_tell(small, tmp_path):
    problem, axes = {"dim": 8, "samples_per_dim": 2}, {"features_per_dim": [16, 17]}
    assert "eigenvalue" not in rfsim.train(small, [1.0], dim=8)
    for route in ({}, {"route": "auto"}):
        spec = {"command": "train", "problem": problem | route, "axes": axes}
        swept = rfsim.sweep(spec, out=tmp_path / f"{len(route)}.zarr")
        assert np.isfinite(swept.tau_mem.sel(mem_route="main")).all()
        assert "energy" in swept
    cell = Cell("one", "train", small, {"dim": 8})
    assert "eigenvalue" in cell.run(tmp_path / "one.nc")
    assert "eigenvalue" not in Cell("one", "train", small, {"dim": 8, "route": "auto"}).run(tmp_path / "one.nc")


def test_a_default_that_is_kept_is_one_of_the_choices():
    for quantity in QUANTITIES.values():
        for name, value in quantity.kept.items():
            assert value in quantity.flagged[name].choices
