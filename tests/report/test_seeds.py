"""rfsim.reproduce.report.seeds: rules judged again on parts of the seeds."""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim import reproduce
from rfsim.claims import Claim, Judgment, compared, decide
from rfsim.reproduce.report.seeds import NOTHING, votes
from tests.test_reproduce import ROOT


def drawn(*values):
    return xr.Dataset({"value": ("seed", np.array(values, dtype=float))})


def judged(rule, results, **told):
    return votes(Claim("", "", "", "", rule, **told), results, rule(results))


def above_one(results):
    mean = np.mean([float(one.value.mean()) for one in results.values()])
    return Judgment(f"{mean:.3f}", None, decide(bool(mean > 1)))


def test_seeds_that_disagree_are_counted():
    assert judged(above_one, {"a": drawn(0.5, 3, 3)}) == (True, "seeds disagree: it holds in 2 of 3 seeds alone")
    assert judged(above_one, {"a": drawn(0.1, 0.2, 2)}).words == "seeds disagree: it holds in 1 of 3 seeds alone"
    assert judged(above_one, {"a": drawn(2, 3, 4)}) == (False, "the same verdict in 3 of 3 seeds alone")


def test_results_are_cut_to_the_same_seed_and_to_the_smallest_number_of_them():
    seen = []

    def rule(results):
        seen.append({name: one.value.values.tolist() for name, one in results.items()})
        return above_one(results)

    judged(rule, {"a": drawn(1, 2, 3), "b": drawn(4, 5), "one": drawn(6), "limit": drawn(7).isel(seed=0)})
    assert seen[1:] == [{"a": [k + 1], "b": [k + 4], "one": [6], "limit": 7} for k in (0, 1)]


def test_what_has_no_seeds_or_no_verdict_has_nothing_to_doubt():
    assert judged(above_one, {"a": drawn(2)}) == NOTHING
    assert judged(above_one, {"a": drawn(2).isel(seed=0)}) == NOTHING
    assert judged(lambda results: Judgment("limit", None, "reproduced"), {"a": drawn(1, 2)}) == NOTHING
    silent = judged(lambda results: Judgment("", None, above_one(results).verdict), {"a": drawn(0.5, 2)})
    assert silent.disagree  # whatever its words
    assert judged(lambda results: Judgment("", None, "cannot be decided"), {"a": drawn(1, 2)}) == NOTHING


def test_seeds_that_decide_nothing_are_not_counted_as_against():
    def rule(results):
        value = float(results["a"].value.mean())
        return Judgment(f"{value}", None, decide(value > 1, decidable=value > 0))

    assert judged(rule, {"a": drawn(-1, 3, 4)}).words == "the same verdict in 2 of 3 seeds alone (1 undecided)"


def lower(results):
    found = compared(results["a"].value.values, np.zeros(results["a"].sizes["seed"]))
    return Judgment(f"{found.left:.3f}", found.error, decide(found.lower))


def test_rules_by_standard_errors_leave_parts_of_the_seeds_out():
    # alone, one seed of five is above 0 and four are below; what hangs on one is the standard error
    results = {"a": drawn(-1.0, -1.0, -1.1, -0.9, -1.0)}
    assert (
        judged(lower, results, by_errors=True).words
        == "the same verdict in 5 of 5 when one part in 5 of the seeds is left out"
    )
    results = {"a": drawn(-1, -1.1, -0.9, -1, 0.5)}
    found = judged(lower, results, by_errors=True)
    assert found == (True, "seeds disagree: it holds in 1 of 5 when one part in 5 of the seeds is left out")
    # a standard error of two seeds is no measure: three have to be left
    assert judged(lower, {"a": drawn(-1, -1.1, 0.5)}, by_errors=True) == NOTHING
    many = {"a": drawn(*np.linspace(-1.1, -0.9, 12)), "few": drawn(1, 2)}
    assert judged(lower, many, by_errors=True).words.startswith("the same verdict in 5 of 5")


def test_a_rule_that_one_seed_fails_or_warns_of_leaves_parts_out():
    def spread(results):
        value = float(results["a"].value.values.std(ddof=1))  # of one value: a warning
        return Judgment(f"{value:.3f}", None, decide(value < 1))

    words = "the same verdict in 4 of 4 when one part in 4 of the seeds is left out"
    assert judged(spread, {"a": drawn(1, 1.1, 1.2, 1.3)}).words == words
    assert judged(spread, {"a": drawn(1, 1.1)}) == NOTHING


BY_ERRORS = {"compared", "agreement", "approach"}  # what they give is made to be decided by


def names(code, module, seen):
    """Names that a function uses, with those of the functions of its own module that it calls."""
    found = set(code.co_names)
    for name in code.co_names:
        called = getattr(module, name, None)
        if getattr(called, "__module__", None) == module.__name__ and hasattr(called, "__code__") and name not in seen:
            seen.add(name)
            found |= names(called.__code__, module, seen)
    for inner in code.co_consts:
        if hasattr(inner, "co_names"):
            found |= names(inner, module, seen)
    return found


def test_rules_that_decide_by_standard_errors_say_so():
    for experiment in reproduce.experiments(ROOT):
        for claim in experiment.claims:
            used = names(claim.rule.__code__, experiment.module, set())
            assert claim.by_errors or not used & BY_ERRORS, claim.id
