"""rfsim.reproduce.report: what is stored, judged by the rules beside the claims."""

from __future__ import annotations

import json
import re

import pytest

from rfsim.cli import main
from rfsim.disk import store
from rfsim.reproduce import report
from rfsim.reproduce.report import texts
from rfsim.reproduce.report.entries import EARLIER
from rfsim.reproduce.report.verdicts import UNDECIDED
from tests.report.synthetic import change, fill, path_of


def part(root, **asked):
    return next(report.gather(root, **asked))


def entry(root, name="toy-mean", **asked):
    return next(one for one in part(root, **asked).entries if one.claim.id == name)


def rewrite(path, altered):
    store.save(altered(store.load(path)), path)


def test_a_verdict_changes_when_the_stored_numbers_are_altered(root):
    fill(root)
    assert (entry(root).verdict, entry(root).ours, entry(root).error) == ("reproduced", "mean 2.5", 0.1)
    rewrite(path_of(root), lambda data: data.assign(value=data.value / 10))
    assert (entry(root).verdict, entry(root).ours) == ("not reproduced", "mean 0.25")


def test_what_is_missing_is_not_run_and_says_its_command(root):
    found = part(root)
    assert [one.verdict for one in found.entries] == ["not run"] * 2
    assert (found.size, found.command) == (None, "rfsim reproduce toy --size quick")
    assert found.standing.reason == "size paper: 0 of 2 cells stored; size quick: 0 of 2 cells stored"
    assert part(root, sizes=("paper",)).command == "rfsim reproduce toy --size paper"
    fill(root)
    path_of(root, "limit").unlink()
    assert part(root).standing.reason.endswith("size quick: 1 of 2 cells stored")
    assert texts.answer([part(root)])[0]["ours"] == ""


def test_the_paper_size_is_judged_where_all_of_it_is_stored(root):
    fill(root)
    fill(root, "paper", draws=(5.0, 5.0))
    assert (part(root).size, entry(root).ours) == ("paper", "mean 5")
    assert entry(root).command == "rfsim reproduce toy --size paper"
    assert entry(root, sizes=("quick",)).ours == "mean 2.5"
    path_of(root, "limit", "paper").unlink()
    assert (part(root).size, entry(root).command) == ("quick", "rfsim reproduce toy --size quick")
    assert part(root).larger == ("rfsim reproduce toy --size paper", 600)


def test_results_of_older_code_are_judged_and_said_to_be(root):
    fill(root, code_digest="yesterday's")
    found = entry(root)
    assert (found.verdict, found.remarks, found.said) == ("reproduced", (EARLIER,), f"mean 2.5 [{EARLIER}]")
    assert texts.answer([part(root)])[0]["ours"] == f"mean 2.5 [{EARLIER}]"
    assert EARLIER in texts.markdown([part(root)])
    assert f"2 of them {EARLIER}" in texts.standing_words(part(root))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:300]),
        lambda path: path.write_text("not netCDF"),
        lambda path: rewrite(path, lambda data: data.assign_attrs(cell="another cell's")),
        lambda path: rewrite(path, lambda data: data.assign_attrs(rfsim_schema=0)),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: rewrite(path, lambda data: data.assign_attrs(versions="not JSON")),
    ],
    ids=["truncated", "foreign", "other settings", "other schema", "a folder", "spoiled"],
)
def test_what_cannot_be_read_is_not_run(root, spoil):
    fill(root)
    spoil(path_of(root))
    found = part(root)
    assert {one.verdict for one in found.entries} == {"not run"}
    assert re.search("cell draws is unreadable or has other settings|JSONDecodeError", found.standing.reason)


def test_an_experiment_that_cannot_say_its_cells_is_not_run(root):
    change(root, '{"quick": 2, "paper": 3}[size]', "int('x')")
    assert "ValueError: invalid literal for int()" in part(root).standing.reason


def test_a_rule_that_fails_decides_nothing_and_the_others_go_on(root):
    fill(root)
    change(root, "decide(value > 1)", "decide(results['nobody'] > 1)")
    first, second = part(root).entries
    assert (first.verdict, first.ours) == (UNDECIDED, "the rule failed: KeyError: 'nobody'")
    assert second.verdict == "reproduced"
    change(root, "decide(results['nobody'] > 1)", "'perhaps'")
    assert "the rule's verdict 'perhaps' is none of reproduced" in entry(root).ours
    change(root, "0.1, 'perhaps'", "float('nan'), 'reproduced'")
    assert (entry(root).verdict, entry(root).error) == ("reproduced", None)


def test_the_time_is_that_of_the_cells_or_not_recorded(root):
    fill(root)
    assert part(root).standing.seconds == 4.0
    fill(root, cell_seconds=0.0)  # stored before cells were timed: what the quantity says of itself
    assert part(root).standing.seconds == 3.0
    rewrite(path_of(root), lambda data: data.assign_attrs(wall_time_seconds=0.0))  # a sweep of that time
    assert part(root).standing.seconds is None
    assert "not recorded" in texts.markdown([part(root)])


def test_the_command_prints_exactly_the_keys_of_its_contract(root, capsys):
    fill(root, draws=(0.5, 5.0, 5.0, 5.0, 5.0))
    assert main(["claims", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert (set(answer), answer["schema"], err) == ({"schema", "claims"}, 1, "")
    keys = ["id", "claim", "source", "published", "ours", "error", "verdict", "command"]
    assert [list(one) for one in answer["claims"]] == [keys] * 4
    assert answer["claims"][0]["ours"] == "mean 4.1 [seeds disagree: it holds in 4 of 5 seeds alone]"
    assert [one["verdict"] for one in answer["claims"][2:]] == ["not run"] * 2
    assert main(["claims", "--quiet", "--size", "paper"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("4 claims: 0 reproduced, 0 not reproduced")
    assert main(["claims", "--quiet"]) == 0
    assert "  REPRODUCED: the limit is positive [toy-limit]" in capsys.readouterr().out
    assert main(["claims", "--size", "huge"]) == 2
