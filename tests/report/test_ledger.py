from __future__ import annotations

import json

import pytest

from rfsim import reproduce
from rfsim.cli import main
from rfsim.disk import store
from rfsim.reproduce import report
from rfsim.reproduce.report import ledger, page, texts
from tests.report.synthetic import change, fill, path_of


def held(root):
    return json.loads((root / "figures/ledger.json").read_text())["experiments"]


def first(root):
    return reproduce.experiments(root)[0]


def freeze(capsys):
    assert main(["claims", "--freeze"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_it_holds_what_is_stored_at_paper_size_alone(root, capsys):
    fill(root)
    assert freeze(capsys) == ["wrote figures/ledger.json", "judged anew: nothing is stored at paper size"]
    assert held(root) == {}
    fill(root, "paper", draws=(3.0, 3.5, 4.0, 3.2, 3.8))
    assert freeze(capsys)[1] == "judged anew: 10_toy"
    (part,) = held(root).values()
    assert part["claims"] == {
        "toy-mean": {"verdict": "reproduced", "ours": "mean 3.5", "error": 0.1},
        "toy-limit": {"verdict": "reproduced", "ours": "limit 1", "error": None},
    }
    assert part["seeds"] == [5]
    assert part["versions"][0].startswith("rfsim ")
    assert {len(part[name]) for name in ("asked", "code", "data")} == {64}
    written = (root / "figures/ledger.json").read_bytes()
    freeze(capsys)
    assert (root / "figures/ledger.json").read_bytes() == written


def test_a_later_run_completes_it_and_rows_of_what_is_not_stored_stay(root, capsys):
    fill(root, "paper")
    freeze(capsys)
    path_of(root, size="paper").unlink()
    fill(root, "paper", name="11_other")
    assert freeze(capsys)[1] == "judged anew: 11_other"
    assert list(held(root)) == ["10_toy", "11_other"]
    assert held(root)["10_toy"]["claims"]["toy-mean"]["ours"] == "mean 2.5"


def test_the_data_of_a_row_are_told_by_a_digest(root, capsys):
    fill(root, "paper")
    freeze(capsys)
    before = held(root)["10_toy"]
    fill(root, "paper", draws=(2.0, 2.5, 3.0, 2.2, 2.9))
    freeze(capsys)
    after = held(root)["10_toy"]
    assert before["data"] != after["data"]
    assert (before["code"], before["asked"]) == (after["code"], after["asked"])


def test_rows_say_when_the_code_or_the_question_is_another_by_now(root, capsys, monkeypatch):
    fill(root, "paper")
    freeze(capsys)
    part = ledger.read(root)["10_toy"]
    assert not ledger.older(first(root), part)
    assert ledger.told(root, first(root))["toy-mean"] == "reproduced: mean 2.5 ± 0.1"
    with monkeypatch.context() as changed:
        changed.setattr("rfsim.disk.provenance.of_module", lambda name: "other code")
        assert ledger.told(root, first(root))["toy-mean"] == f"reproduced: mean 2.5 ± 0.1 ({ledger.OLDER})"
    change(root, '"paper": 3', '"paper": 4')
    assert ledger.older(first(root), part)


def test_results_of_earlier_code_are_frozen_as_such(root, capsys):
    fill(root, "paper", code_digest="yesterday's")
    freeze(capsys)
    assert ledger.older(first(root), ledger.read(root)["10_toy"])


def test_what_quick_sizes_leave_open_is_told_from_it(root, capsys):
    change(root, "decide(value > 1)", 'decide(value > 1, decidable="paper" in str(results["draws"].attrs["cell"]))')
    change(root, '{"seeds": 5}', '{"seeds": 5, "size": size}')
    fill(root, "paper")
    freeze(capsys)
    for label in ("draws", "limit"):
        path_of(root, label, "paper").unlink()
    fill(root, draws=(2.0, 2.5, 3.0, 2.2, 2.7))
    part, other = report.gather(root)
    mean, limit = part.entries
    assert mean.verdict == "cannot be decided"
    assert mean.remarks == ("quick size; decided at paper size: reproduced",)
    assert mean.paper == "reproduced: mean 2.5 ± 0.1"
    assert limit.paper == "reproduced: limit 1"
    assert other.entries[0].paper == ""
    for text in (page.html([part, other]), texts.markdown([part, other])):
        assert "reproduced: mean 2.5 ± 0.1" in text
    main(["claims"])
    assert "    at paper size: reproduced: mean 2.5 ± 0.1" in capsys.readouterr().out.splitlines()
    main(["reproduce", "toy"])
    assert "    at paper size: reproduced: mean 2.5 ± 0.1" in capsys.readouterr().err.splitlines()
    main(["claims", "--json"])  # whose keys are frozen
    assert "paper" not in json.loads(capsys.readouterr().out)["claims"][0]


def test_what_is_not_run_here_is_told_from_it_too(root, capsys):
    fill(root, "paper")
    freeze(capsys)
    for label in ("draws", "limit"):
        path_of(root, label, "paper").unlink()
    part, _ = report.gather(root)
    assert [entry.verdict for entry in part.entries] == ["not run"] * 2
    assert [entry.paper for entry in part.entries] == ["reproduced: mean 2.5 ± 0.1", "reproduced: limit 1"]


def test_a_part_that_was_kept_is_made_anew_when_the_ledger_changes(root, capsys):
    fill(root)
    assert not next(report.gather(root, draw=True)).entries[0].paper
    fill(root, "paper")
    freeze(capsys)
    for label in ("draws", "limit"):
        path_of(root, label, "paper").unlink()
    assert next(report.gather(root, draw=True)).entries[0].paper


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 0, "experiments": {}}', '{"schema": 1}'])
def test_what_is_no_ledger_is_refused_in_one_line(root, capsys, text):
    (root / "figures/ledger.json").write_text(text)
    assert main(["claims"]) == 2
    err = capsys.readouterr().err
    assert "is no ledger of schema 1; restore it from the repository, or remove it" in err
    assert err.count("rfsim: ") == 1


def test_it_takes_no_other_size_and_no_rule_that_fails(root, capsys):
    for flags, word in ((["--json"], "--json"), (["--size", "quick"], "--size quick")):
        assert main(["claims", "--freeze", *flags]) == 2
        assert capsys.readouterr().err == f"rfsim: --freeze takes the paper size alone; leave out {word}\n"
    change(root, "value > 1)", "value > never)")
    fill(root, "paper")
    assert main(["claims", "--freeze"]) == 2
    assert "claim toy-mean cannot be frozen: the rule failed: NameError" in capsys.readouterr().err
    assert not (root / "figures/ledger.json").exists()
    assert store.load(path_of(root, size="paper")).sizes["seed"] == 5
