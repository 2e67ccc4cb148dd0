"""rfsim.claims: what rules measure on stored results alike, against numbers put there by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim import Problem
from rfsim.claims import decide, growth, onsets, part_eigenvalues, rise, spread, standard_error


def test_a_rule_decides_only_what_the_results_allow():
    assert [decide(True), decide(False), decide(True, decidable=False)] == [
        "reproduced",
        "not reproduced",
        "cannot be decided",
    ]


def test_standard_error_is_over_seeds_and_the_largest_of_the_rows():
    assert standard_error([3.0]) is None
    assert standard_error([[1.0], [2.0]]) is None
    assert standard_error([1.0, 3.0]) == pytest.approx(1.0)  # standard deviation √2 over √2
    assert standard_error([[1.0, 3.0], [1.0, 5.0]]) == pytest.approx(2.0)


def test_parts_are_picked_by_rank():
    result = rfsim.spectrum(Problem(samples_per_dim=2, features_per_dim=4), dim=6, seeds=2)
    found = {name: part_eigenvalues(result, name) for name in ("null", "mini", "main", "gen")}
    assert {name: values.shape for name, values in found.items()} == {
        "null": (2, 6),
        "mini": (2, 6),
        "main": (2, 6),
        "gen": (2, 6),
    }
    assert np.concatenate(list(found.values()), axis=1) == pytest.approx(result.eigenvalue.values)


def timed(curve, formula, mini):
    return xr.Dataset(
        {"tau_mem": (("seed", "mem_route"), np.transpose([formula, mini, curve]))},
        coords={"mem_route": ["formula", "mini", "curve"]},
    )


def test_onsets_are_half_rise_times_in_units_of_a_prediction():
    family = [timed([10.0, 20.0], [5.0, 10.0], [20.0, 20.0]), timed([30.0, 30.0], [10.0, 10.0], [60.0, 30.0])]
    assert onsets(family, "formula") == pytest.approx(np.array([[2.0, 2.0], [3.0, 3.0]]))
    assert onsets(family, "mini") == pytest.approx(np.array([[0.5, 1.0], [0.5, 1.0]]))


def test_growth_is_the_exponent_of_the_half_rise_time():
    family = [timed([3 * n**0.5, n], [1.0, 1.0], [1.0, 1.0]) for n in (2.0, 8.0, 16.0)]
    assert growth(family, [2, 8, 16]) == pytest.approx([0.5, 1.0])


def test_spread_compares_means_and_errs_by_seeds():
    found = spread(np.array([[1.0, 1.0], [1.5, 2.5]]))
    assert found.ratio == pytest.approx(2.0)
    assert found.error == pytest.approx(0.5)  # 1.5 and 2.5, one per seed
    assert found.words == "1, 2"
    assert spread(np.array([[2.0], [2.0]]))[:2] == (1.0, None)


def test_rise_is_the_end_over_the_minimum_of_each_seed():
    result = xr.Dataset({"test": (("seed", "train_time"), [[1.0, 0.8, 1.2], [1.0, 0.9, 0.9]])})
    assert rise(result) == pytest.approx([1.5, 1.0])
