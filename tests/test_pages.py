"""README.md and the pages written by hand: links lead somewhere, code runs as it stands, names are there."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import re
import shlex
import sys
import tomllib
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rfsim
from rfsim import bench, reproduce
from rfsim.cli.app import app
from rfsim.quantities.catalog import QUANTITIES
from rfsim.reproduce.report import ledger
from tests import blocks
from tests.sweeps.clusters import cluster

ROOT, PAGES = blocks.ROOT, blocks.PAGES
README = (ROOT / "README.md").read_text("utf-8")
WRITTEN = [ROOT / "README.md", *sorted(PAGES.rglob("*.md"))]
QUICK = {"guides/devices.md"}
SLURM = PAGES / "guides" / "clusters.md"
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]+)\)")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
ROOT_FLAGS = {f"rfsim {flag}" for flag in app if flag.startswith("--")}
PICTURE = PAGES / "images" / "sample-and-limit.png"


def name(path: Path) -> str:
    return path.relative_to(PAGES).as_posix() if PAGES in path.parents else path.name


def prose(path: Path) -> str:
    return blocks.BLOCK.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """Of the headings of a file, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in heads}


@pytest.mark.parametrize("path", blocks.documents(), ids=name)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(path):
    for link in LINK.findall(prose(path)):
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.is_file(), link
        assert not anchor or anchor in anchors(file), link


def run(path, folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RFSIM_CACHE", str(folder / ".cache"))
    return blocks.run(path)


@pytest.mark.parametrize(
    "path",
    [
        path if name(path) in QUICK else pytest.param(path, marks=pytest.mark.slow)
        for path in WRITTEN
        if blocks.blocks(path) and path != SLURM
    ],
    ids=name,
)
def test_its_code_runs_as_it_stands(path, tmp_path, monkeypatch):
    run(path, tmp_path, monkeypatch)


@pytest.mark.slow
def test_lines_for_slurm_run_on_another_cluster(tmp_path, monkeypatch):
    """All but the jobs: they reach workers through the address that dask-jobqueue would give."""
    asked = {}
    (tmp_path / "plane.toml").write_text(
        'command = "theory.ridge"\n[axes]\nsamples_per_dim = [1, 2]\nridges = [0.1]\n', encoding="utf-8"
    )
    with cluster(tmp_path) as (address, _, _):

        class SLURMCluster:
            scheduler_address = address

            def __init__(self, **settings):
                asked.update(settings)

            def scale(self, *, jobs):
                asked["jobs"] = jobs

        monkeypatch.setitem(sys.modules, "dask_jobqueue", types.SimpleNamespace(SLURMCluster=SLURMCluster))
        assert run(SLURM, tmp_path, monkeypatch) == 1
    assert asked["jobs"] == 8
    assert rfsim.load(tmp_path / "plane.zarr").test.notnull().all()


@pytest.mark.slow
def test_the_picture_of_the_readme_is_what_its_lines_draw(tmp_path, monkeypatch):
    (code,) = [block.text for block in blocks.blocks(ROOT / "README.md") if block.language == "python"]
    assert len(code.strip().splitlines()) <= 14
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})
    drawn, kept = (np.asarray(Image.open(path).convert("L"), float) for path in (Path("sample-and-limit.png"), PICTURE))
    assert drawn.shape == kept.shape
    assert np.mean(np.abs(drawn - kept) > 32) < 0.005  # of the pixels: another build of the fonts may move an edge
    assert PICTURE.stat().st_size < 100_000


def test_commands_in_the_text_are_accepted_and_figures_are_there():
    """`rfsim reproduce NAME`, `figure NAME`; and flags of any command."""
    known = {one for experiment in reproduce.experiments(ROOT) for one in experiment.figures}
    seen = 0
    for path in WRITTEN:
        for text in INLINE.findall(prose(path)):
            if not text.startswith("rfsim ") or "COMMAND" in text or text in ROOT_FLAGS:
                continue
            seen += 1
            _, *words = shlex.split(text)
            command = app
            while words and words[0] in command and not words[0].startswith("-"):
                command = command[words.pop(0)]
            assert command is not app, text
            taken = command.assemble_argument_collection() if command.default_command else []
            flags = {flag for one in taken for flag in one.names}
            assert {word for word in words if word.startswith("--")} <= flags, (path, text)
            if text.startswith("rfsim bench"):
                assert {*words} <= bench.MEASUREMENTS.keys(), text
            if text.startswith("rfsim reproduce"):
                assert {word for word in words if re.match(r"[a-z]", word)} - {"paper", "quick"} <= known, text
        for told in re.findall(r"\bfigures? ((?:`[\w-]+`(?:, | and |\s)?)+)", prose(path)):
            assert {*re.findall(r"`([\w-]+)`", told)} <= known, (path, told)
            seen += 1
    assert seen > 60


def test_names_in_the_text_are_there():
    told = {one for path in WRITTEN for one in re.findall(r"`rfsim((?:\.\w+)+)", prose(path))}
    assert len(told) > 25
    for one in told:
        try:
            pkgutil.resolve_name(f"rfsim{one}")  # imports rooms on the way, whatever was imported before
        except AttributeError:  # a room of an extra that is not installed here is read instead
            room, _, name = f"rfsim{one}".rpartition(".")
            source = importlib.util.find_spec(room).origin
            assert name in _defined(Path(source).read_text("utf-8")), one


def _defined(source):
    return {one.name for one in ast.parse(source).body if isinstance(one, (ast.ClassDef, ast.FunctionDef))}


def test_symbols_are_those_of_parameters_flags_and_results():
    rows = [line.split(" | ") for line in prose(PAGES / "symbols.md").splitlines() if line.startswith("| ")]
    typed = {f"`{one.typed}`" for quantity in QUANTITIES.values() for one in quantity.parameters}
    for row in rows[2:]:
        assert {*re.findall(r"`--[\w-]+`", row[2])} <= typed, row


def test_the_readme_is_short_and_its_numbers_stand_in_the_findings():
    assert README.count("\n") <= 130
    found = (PAGES / "findings.md").read_text("utf-8")
    told = README.partition("## What we found")[2].partition("\n## ")[0]
    numbers = set(re.findall(r"(?<![\w.])\d+\.\d+|\b\d{2,}\b", told))
    assert len(numbers) >= 9
    assert not {one for one in numbers if one not in found}


# by sentence of the findings: the claims whose values at paper size it tells
TOLD = {
    1: ("b25-fig5-phases",),
    2: ("ours-fig5-mini", "b25-fig5-collapse", "b25-fig5-linear"),
    3: ("ours-directions-mini",),
    4: ("jz26-distill-memorization", "ours-distill-one-step", "ours-distill-many-steps"),
    5: ("jz26-settings-ridge-ddim",),
    6: ("jz26-methods-one-step", "ours-methods-equal-steps"),
}
SETTING = re.compile(r"\([^)]*\)|γ = [\d.]+|B25|, not 1\b")


@pytest.mark.parametrize("number", TOLD)
def test_numbers_of_a_sentence_are_those_of_the_ledger(number):
    """Skipped, with the claims named, where the ledger has no row of them yet, and where its rows are of older code."""
    told = README.partition("## What we found")[2].partition("\n## ")[0]
    sentence = re.search(rf"^{number}\. (.*(?:\n   .*)*)", told, re.M)[1]
    frozen = ledger.read(ROOT)
    rows = {name: row for part in frozen.values() for name, row in part.claims.items() if name in TOLD[number]}
    if missing := set(TOLD[number]) - rows.keys():
        pytest.skip(f"not run at paper size: {', '.join(sorted(missing))}; then rfsim claims --freeze")
    known = {float(one) for row in rows.values() for one in re.findall(r"\d+(?:\.\d+)?", row.ours)}
    assert {float(one) for one in re.findall(r"\d+(?:\.\d+)?", SETTING.sub("", sentence))} <= known
    found = {one.name: one for one in reproduce.experiments(ROOT)}
    if late := [name for name, part in frozen.items() if rows.keys() & part.claims and ledger.older(found[name], part)]:
        pytest.skip(f"equal, and {ledger.OLDER}: {', '.join(late)}")


def test_the_ledger_is_of_claims_that_there_are():
    found = {one.name: {claim.id for claim in one.claims} for one in reproduce.experiments(ROOT)}
    frozen = ledger.read(ROOT)
    assert frozen
    for name, part in frozen.items():
        assert part.claims.keys() == found[name], name
    assert ledger.place(ROOT).stat().st_size < 200_000


def test_the_commands_that_install_are_those_that_are_tried():
    """The tests' in .ci/run as it stands; of all of them the extras are there."""
    lines = [line for path in WRITTEN for line in installs(path)]
    assert len(lines) >= 6
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for line in lines:
        assert {*re.findall(r"\w+", re.search(r"'\.\[([\w,]+)\]'", line)[1])} <= extras.keys(), line
    (tests,) = [line for line in lines if line.endswith("-m pytest")]
    assert tests in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    (first,) = [line for line in lines if line.endswith("rfsim reproduce")]
    assert first in README


def installs(path: Path) -> list[str]:
    text = "".join(block.text for block in blocks.blocks(path))
    return [line for line in text.splitlines() if line.startswith(blocks.INSTALL)]
