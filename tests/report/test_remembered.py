"""Everything stored: nothing is read twice, drawn twice or judged twice, and nothing that changed goes unseen."""

from __future__ import annotations

import shutil

import pytest

from rfsim import reproduce
from rfsim.cli import main
from rfsim.disk import store
from rfsim.reproduce import costs, report, together
from rfsim.reproduce.report import parts, remembered, texts
from tests.report import synthetic
from tests.report.synthetic import change, fill, path_of

ENOUGH = "decide(value > 1)"


def written(root) -> dict[str, bytes]:
    _, files = report.write(root, 1)
    return {file.name: file.read_bytes() for file in files}


def fresh(root) -> dict[str, bytes]:
    """The report of a checkout that remembers nothing."""
    shutil.rmtree(root / "experiments" / "out" / ".report", ignore_errors=True)
    return written(root)


def never(*given, **more):
    pytest.fail("made again")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A checkout of which all is stored, drawn and reported."""
    root = tmp_path_factory.mktemp("template")
    synthetic.build(root)
    fill(root)
    fill(root, name="11_other")
    written(root)
    return root


@pytest.fixture
def stored(template, tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    shutil.copytree(template, root)
    monkeypatch.setattr(reproduce, "checkout", lambda: root)
    return root


def test_the_list_and_the_estimate_read_no_numbers(stored, monkeypatch, capsys):
    monkeypatch.setattr(store, "load", never)
    assert main(["reproduce", "--list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(row[0], row[6]) for row in rows] == [("toy", "quick"), ("other", "quick")]
    for experiment in reproduce.experiments(stored):
        assert reproduce.remaining_seconds(stored, experiment, "quick") == 0
        assert reproduce.remaining_seconds(stored, experiment, "paper") == 600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:300]),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: store.save(store.load(path).assign_attrs(code_digest="yesterday's"), path),
        lambda path: store.save(store.load(path).assign_attrs(cell="another"), path),
        lambda path: store.save(store.load(path).assign_attrs(rfsim_schema=0), path),
    ],
    ids=["gone", "truncated", "zeros", "a folder", "older code", "other settings", "other schema"],
)
def test_what_is_not_stored_is_in_the_estimate(stored, spoil):
    spoil(path_of(stored))
    experiment = reproduce.experiments(stored)[0]
    left = reproduce.remaining_seconds(stored, experiment, "quick")  # one of two cells
    assert left == pytest.approx(2 * costs.shares(experiment.cells("quick"))["draws"])
    assert 0 < left < 2


def test_with_everything_stored_each_result_is_read_once_and_nothing_is_drawn(stored, monkeypatch, capsys):
    assert main(["reproduce", "toy", "--quiet"]) == 0
    before = {path: path.stat().st_mtime_ns for path in (stored / "figures/out").glob("toy.*")}
    assert len(before) == 2
    written(stored)
    read, load = [], store.load
    monkeypatch.setattr(store, "load", lambda path: read.append(path) or load(path))
    monkeypatch.setattr(parts, "judged", never)
    capsys.readouterr()
    assert main(["reproduce", "toy"]) == 0
    err = capsys.readouterr().err
    assert sorted(read) == [path_of(stored, "draws"), path_of(stored, "limit")]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "  figures/out/toy.pdf is current\n  figures/out/toy.png is current\n" in err
    assert "REPRODUCED: the mean is > 1" in err
    assert "4 claims: 4 reproduced" in err


@pytest.mark.parametrize("name", ["toy.png", "toy.pdf"])
@pytest.mark.parametrize(
    "spoil", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:-30])], ids=["gone", "cut"]
)
def test_a_figure_that_is_not_whole_is_drawn_again(stored, name, spoil):
    (toy, _) = reproduce.experiments(stored)
    together.run(stored, toy, ["toy"], "quick")
    file = stored / "figures/out" / name
    whole = file.read_bytes()
    spoil(file)
    assert file in together.run(stored, toy, ["toy"], "quick").files
    assert file.read_bytes() == whole


def test_a_report_of_what_is_remembered_has_the_same_bytes(stored, monkeypatch):
    whole = fresh(stored)
    monkeypatch.setattr(parts, "standing", never)
    assert written(stored) == whole
    assert texts.answer(list(report.gather(stored))) == texts.answer(list(report.gather(stored, draw=True)))


CHANGES = {
    "other numbers": lambda root: fill(root, draws=(0.1, 0.2, 0.3, 0.1, 0.2)),
    "a result is gone": lambda root: path_of(root).unlink(),
    "one bit": lambda root: flip(path_of(root)),
    "older code": lambda root: fill(root, code_digest="yesterday's"),
    "the paper size": lambda root: fill(root, "paper", draws=(0.5, 0.6, 0.4)),
    "another rule": lambda root: change(root, ENOUGH, "decide(value > 100)"),
    "another drawing": lambda root: change(root, "axes[0, 0].plot", "axes[0, 0].step(range(5),", folder="figures"),
    "no picture": lambda root: next((root / "figures/out").rglob("toy.png")).unlink(),
    "another picture": lambda root: next((root / "figures/out").rglob("toy.png")).write_bytes(b"mine"),
}


def flip(path, place: int = -40) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_is_seen(stored, what):
    before = written(stored)
    CHANGES[what](stored)
    after = written(stored)
    assert after == fresh(stored)
    if what not in ("one bit", "no picture", "another picture", "older code"):  # the picture is drawn again as it was
        assert after["index.html"] != before["index.html"]


def test_what_is_kept_is_checked_on_reading(stored):
    whole = written(stored)
    file = stored / "experiments/out/.report/10_toy.json"
    kept = file.read_bytes()
    for place in range(0, len(kept), 97):
        flipped = bytearray(kept)
        flipped[place] ^= 1
        file.write_bytes(flipped)
        (toy, _) = reproduce.experiments(stored)
        assert remembered.recall(stored, toy, remembered.key(stored, toy, report.BEST)) is None
    for damaged in (b"", kept[:50], b"\0" * len(kept), b"[]", b"\xff\xfe"):
        file.write_bytes(damaged)
        assert written(stored) == whole
    file.unlink()
    file.mkdir()
    assert written(stored) == whole


def test_what_failed_is_tried_again(stored):
    change(stored, "figure, axes = canvas()", "raise OSError('no font')", folder="figures")
    assert b"no font" in written(stored)["index.html"]
    assert not any("no font" in file.read_text() for file in (stored / "experiments/out/.report").iterdir())


def why(root, **asked) -> str:
    part = next(report.gather(root, **asked))
    entry = next(one for one in part.entries if one.claim.id == "toy-mean")
    assert entry.verdict == "cannot be decided"
    assert all(
        entry.remarks[-1] in text for text in (texts.markdown([part]), "\n".join(texts.lines([part])), entry.said)
    )
    return entry.remarks[-1]


def test_cannot_be_decided_gives_its_reason(root, capsys):
    change(root, ENOUGH, "decide(value > 1, decidable=value > 4)")
    fill(root)
    assert why(root) == "quick size; not decided at quick size: run --size paper"
    assert "quick size; not decided at quick size" in written(root)["index.html"].decode()
    assert "quick size; not decided at quick size" in written(root)["claims.json"].decode()
    fill(root, "paper")
    assert why(root, sizes=("quick",)) == "quick size; not decided at paper size either"
    assert why(root) == "paper size; its values decide neither way"
    for draws, verdict in (((9.0,) * 5, "reproduced"), ((5.0,) * 5, "reproduced")):
        fill(root, "paper", draws=draws)
        assert why(root, sizes=("quick",)) == f"quick size; decided at paper size: {verdict}"
    capsys.readouterr()
    assert main(["reproduce", "toy"]) == 0
    err = capsys.readouterr().err
    assert "CANNOT BE DECIDED: the mean is > 1" in err
    assert "    but:       quick size; decided at paper size: reproduced\n" in err


def test_a_rule_that_fails_is_its_own_reason(root):
    change(root, ENOUGH, "decide(results['nobody'] > 1)")
    fill(root)
    entry = next(report.gather(root)).entries[0]
    assert (entry.verdict, entry.remarks) == ("cannot be decided", ())


def test_the_report_after_a_run_reads_no_result_again(root, monkeypatch):
    fill(root)
    for experiment in reproduce.experiments(root):
        fill(root, name=experiment.name)
        assert together.run(root, experiment, list(experiment.figures), "quick").failure is None
    with monkeypatch.context() as later:
        later.setattr(store, "load", never)
        found = list(report.gather(root, draw=True))
    assert [part.size for part in found] == ["quick", "quick"]
    monkeypatch.setattr(parts.remembered, "recall", lambda *_: None)
    assert texts.markdown(found) == texts.markdown(list(report.gather(root, draw=True)))


def test_a_run_at_a_lesser_size_keeps_no_part(root):
    fill(root, "paper", draws=(9.0,) * 5)
    fill(root)
    experiment = reproduce.experiments(root)[0]
    assert together.run(root, experiment, ["toy"], "quick").failure is None
    assert next(report.gather(root, draw=True)).size == "paper"
