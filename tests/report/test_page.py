"""rfsim.reproduce.report: the page, its pictures, and the report at the end of `rfsim reproduce`."""

from __future__ import annotations

import base64
import re
import struct
from html.parser import HTMLParser

import numpy as np
import xarray as xr

from rfsim import reproduce
from rfsim.cli import answers, main
from rfsim.disk import provenance, store
from rfsim.plotting import canvas
from rfsim.plotting.drawing import save
from rfsim.reproduce import report, together
from rfsim.reproduce.report import items, pictures
from tests.report.synthetic import change, fill, path_of
from tests.test_reproduce import ROOT

VOID = {"meta", "img", "input", "br"}


class Reader(HTMLParser):
    """Tags with their attributes, and whether every one that opens closes."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def written(root):
    parts, files = report.write(root, answers.SCHEMA)
    return parts, {path.name: path.read_bytes() for path in files}


def test_the_page_holds_every_claim_and_figure_and_needs_nothing_else(root):
    fill(root, draws=(0.5, 5, 5, 5, 5), code_digest="older")
    parts, files = written(root)
    assert list(files) == ["index.html", "claims.md", "claims.json"]
    page = files["index.html"].decode()
    read = Reader(page)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {"toy-mean", "toy-limit", "other-mean", "figure-toy", "figure-other", "10_toy"} <= set(ids)
    links = {attributes["href"] for attributes in read.all("a")}
    assert links <= {f"#{name}" for name in ids}
    # one figure is there, of the results judged; the other is not run
    (image,) = read.all("img")
    data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    assert data == parts[0].pictures[0].file.read_bytes()
    assert image["alt"] == "Figure toy: nobody 2026, Fig. 0: x < y & z; drawn from results of size quick"
    said = "".join(read.text)
    for words in (
        "rfsim reproduce toy --size quick",
        "rfsim reproduce other --size quick",
        "seeds disagree: it holds in 4 of 5 seeds alone",
        "the mean is > 1 & <b>not</b> less",
        "Do <values> & seeds agree?",
    ):
        assert words in said
    assert not read.all("script") + read.all("link")
    assert not re.search(r"https?://|url\(|@import", page)


def test_equal_results_give_equal_bytes_and_other_results_other_pictures(root):
    fill(root)
    first = written(root)[1]
    assert written(root)[1] == first
    (root / "figures/out/report/toy.png").unlink()
    assert written(root)[1] == first
    fill(root, draws=(2.0, 2.5, 3.0, 2.2, 2.9))
    other = written(root)[1]
    assert Reader(other["index.html"].decode()).all("img") != Reader(first["index.html"].decode()).all("img")


def test_a_picture_is_used_where_it_shows_the_results_judged_and_drawn_anew_where_not(root):
    fill(root)
    fill(root, "paper", draws=(7, 8, 9))
    (toy, _) = reproduce.experiments(root)
    quick, paper = (together.run(root, toy, ["toy"], "quick"), report.status.standing(root, toy))
    mine = root / "figures/out/toy.png"
    before = mine.read_bytes()
    assert (quick.failure, paper.size) == (None, "paper")
    (found,) = pictures.find(root, toy, paper.results)
    assert found.file == root / "figures/out/report/toy.png"
    assert mine.read_bytes() == before  # what a reader drew stays
    stamp = found.file.stat().st_mtime_ns
    assert pictures.find(root, toy, paper.results)[0].file.stat().st_mtime_ns == stamp
    assert pictures.find(root, toy, report.status.standing(root, toy, ("quick",)).results)[0].file == mine
    found.file.write_bytes(found.file.read_bytes()[:-20])  # cut short
    assert provenance.source_of(found.file) is None
    assert pictures.find(root, toy, paper.results)[0].file.stat().st_mtime_ns != stamp
    assert provenance.source_of(root / "nothing.png") is None


def test_a_picture_that_is_not_what_was_written_has_no_source(tmp_path):
    figure, axes = canvas()
    axes[0, 0].plot([1, 2])
    (file,) = save(figure, tmp_path / "figure", source="what it shows", suffixes=(".png",))
    whole = file.read_bytes()
    assert provenance.source_of(file) == "what it shows"
    for place in range(0, len(whole), 61):
        file.write_bytes(whole[:place])
        assert provenance.source_of(file) is None
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert provenance.source_of(file) is None
    huge = whole[:16] + struct.pack(">II", 2**20, 2**20) + whole[24:]
    for other in (b"", b"mine", whole[:8], huge, whole.replace(b"rfsim-source", b"other-source")):
        file.write_bytes(other)
        assert provenance.source_of(file) is None
    save(figure, tmp_path / "unsaid", suffixes=(".png",))
    assert provenance.source_of(tmp_path / "unsaid.png") is None


def test_what_was_drawn_does_not_depend_on_when_it_was_computed(root):
    fill(root)
    toy = reproduce.experiments(root)[0]
    first = reproduce.drawn_from(toy, report.status.standing(root, toy).results)
    fill(root, cell_seconds=9.0, wall_time_seconds=7.0, code_digest="older")
    assert reproduce.drawn_from(toy, report.status.standing(root, toy).results) == first
    toy.drawing.write_text(toy.drawing.read_text() + "# other\n")
    assert reproduce.drawn_from(toy, report.status.standing(root, toy).results) != first


def test_a_figure_that_fails_says_so_in_its_place(root):
    fill(root)
    change(root, 'results["draws"]', 'results["nobody"]', "figures")
    page = Reader(written(root)[1]["index.html"].decode())
    assert "it could not be drawn: KeyError: 'nobody'" in page.text


def test_markdown_keeps_each_claim_on_one_row(root):
    fill(root)
    text = written(root)[1]["claims.md"].decode()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}
    assert "above 1 \\| 2" in text
    assert "&lt;b&gt;not&lt;/b&gt;" in text


def test_every_item_of_the_equations_has_a_row():
    """equations.md §9 numbers what is to be checked; no item may be without an answer."""
    sources = [claim.source for one in reproduce.experiments(ROOT) for claim in one.claims]
    assert sorted(items.items()) == [1, 2, 3, 4, 5, 6, 7]
    assert {number for source in sources for number in items.cited(source)} == set(items.items())


def test_reproduce_ends_with_the_report_of_everything_stored(root, capsys):
    fill(root)
    fill(root, name="11_other")
    assert main(["reproduce", "toy"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[-3:] == [f"wrote figures/out/{name}" for name in ("index.html", "claims.md", "claims.json")]
    assert lines[-4].startswith("4 claims: 4 reproduced")
    assert main(["reproduce", "toy", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_report_that_fails_keeps_the_figures(root, monkeypatch, capsys):
    fill(root)

    def fail(parts):
        raise RuntimeError("no page")

    monkeypatch.setattr(report.page, "html", fail)
    assert main(["reproduce", "toy", "--quiet"]) == 3
    said = "rfsim: the report failed, the figures and results are kept: RuntimeError: no page\n"
    assert capsys.readouterr().err == said
    assert (root / "figures/out/toy.png").exists()


def test_tutorials_are_no_experiments(root):
    (root / "experiments" / "00_first.py").write_text("raise SystemExit('a tutorial was run')")
    assert [one.name for one in reproduce.experiments(root)] == ["10_toy", "11_other"]


def test_cells_are_timed_when_they_are_computed(root, monkeypatch):
    toy = reproduce.experiments(root)[0]

    def compute(cell, path, step):
        return store.label(xr.Dataset({"value": ("seed", np.ones(2))}), "train", {}, wall_time=0)

    monkeypatch.setattr(reproduce.Cell, "run", compute)
    together.run(root, toy, [], "quick")
    assert store.load(path_of(root)).attrs["cell_seconds"] > 0
    assert report.status.standing(root, toy).earlier == 0


def test_a_figure_drawn_when_its_cells_were_computed_is_the_reports_too(root, monkeypatch):
    """What is drawn right after computing is what is read later: the report draws nothing again."""

    def compute(cell, path, step):
        value = 1.0 if cell.label == "limit" else ("seed", np.arange(2))
        data = xr.Dataset({"value": value}, {"route": ("seed", ["a", "b"])}, {"told": [1]})
        return store.label(data, "train", {"seeds": 2}, wall_time=1)

    monkeypatch.setattr(reproduce.Cell, "run", compute)
    toy = reproduce.experiments(root)[0]
    assert together.run(root, toy, ["toy"], "quick").failure is None
    (found,) = pictures.find(root, toy, report.status.standing(root, toy).results)
    assert found.file == root / "figures/out/toy.png"
