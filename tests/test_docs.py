"""The reference: it builds without a warning, names everything public, links to what exists, and needs no network."""

from __future__ import annotations

import html
import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rfsim
import rfsim.theory
from rfsim.quantities.catalog import QUANTITIES

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "site"
    pytest.importorskip("mkdocs", reason="rfsim[docs] is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", ".docs/mkdocs.yml", "-d", str(folder)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": path}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return {str(page.relative_to(folder)): page.read_text("utf-8") for page in folder.rglob("*.html")} | {
        "": str(folder)
    }


def pages(site: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in site.items() if name and name != "404.html"}


def anchors(text: str) -> set[str]:
    return {html.unescape(one) for one in re.findall(r'\bid="?([^"\s>]+)', text)}


@pytest.mark.slow
def test_every_public_name_has_its_place(site):
    found = set().union(*(anchors(text) for name, text in pages(site).items() if name.startswith("api/")))
    expected = {f"rfsim.{name}" for name in rfsim.__all__}
    expected |= {f"rfsim.theory.{name}" for name in rfsim.theory.__all__}
    expected |= {
        "rfsim.distillation.stochastic.distill",
        "rfsim.sample.spectra.solve",
        "rfsim.limit.tables.limit_spectrum",
    }
    assert not expected - found
    text = html.unescape(re.sub(r"<[^>]*>", "", site["api/rfsim-theory.html"]))
    assert "relative where they pass 1" in text  # of theory.curves
    assert ">>>" in text


@pytest.mark.slow
def test_parameters_and_results_are_lists_and_fields_are_told_once(site):
    def shown(page: str, name: str, following: str) -> str:
        text = site[page]
        inside = text[re.search(rf'<h\d id="?{re.escape(name)}["\s]', text).end() :]
        return inside[: re.search(rf'<h\d id="?{re.escape(following)}["\s]', inside).start()]

    def plain(text: str) -> str:
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())

    flow = shown("api/rfsim-learning.html", "rfsim.learning.filters.flow", "rfsim.learning.filters.learned_share")
    assert "Parameters: train_time ( ArrayLike ) – τ, of any shape" in plain(flow)
    assert "Returns: Filter – The filter, from eigenvalues" in plain(flow)
    grid = shown("api/rfsim-learning.html", "rfsim.learning.timescales.gen_time_of_curve",
                 "rfsim.learning.timescales.mem_time_of_curve")  # fmt: skip
    _, _, returned = grid.partition("Returns:")
    assert returned.count("<li") == 1  # of two lines
    law = plain(shown("api/rfsim-problem.html", "rfsim.problem.diffusion.Law", "rfsim.problem.diffusion.Step"))
    assert "Attributes: centers (" in law
    assert law.count("variances") == 1
    assert "**look ( Any" in plain(site["api/rfsim-plotting.html"])


@pytest.mark.slow
def test_every_quantity_has_its_section_and_every_parameter_its_row(site):
    page = site["quantities.html"]
    assert set(QUANTITIES) <= anchors(page)
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert all(
        (one.about or one.help) in text for quantity in QUANTITIES.values() for one in quantity.parameters if one.swept
    )
    assert 'href="api/index.html#rfsim.train"' in page
    assert 'href="quantities.html"' in site["index.html"]


@pytest.mark.slow
def test_every_equation_has_an_anchor_and_docstrings_link_to_it(site):
    tags = {f"T{k}" for k in range(1, 18)} | {f"s{k}" for k in range(1, 10)}
    assert tags <= anchors(site["equations.html"])
    for page, tag in (("api/index.html", "T8"), ("api/rfsim-theory.html", "T14"), ("trust.html", "T8")):
        assert re.search(rf'href="(\.\./)?equations\.html#{tag}"', site[page]), (page, tag)
    assert 'href="api/index.html#rfsim.train"' in site["index.html"]


@pytest.mark.slow
def test_every_link_inside_the_site_leads_somewhere(site):
    folder = Path(site[""])
    known = {name: anchors(text) for name, text in pages(site).items()}
    broken = []
    for name, text in pages(site).items():
        for link in map(html.unescape, re.findall(r'\bhref="?([^"\s>]+)', text)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, fragment = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            if not (folder / target).exists() or (fragment and fragment not in known.get(target, set())):
                broken.append((name, link))
    assert not broken


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site):
    outside = [
        (name, found)
        for name, text in pages(site).items()
        for found in re.findall(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="?((?:https?:)?//[^"\s>]+)', text)
    ]
    assert not outside


@pytest.mark.slow
def test_tutorials_stand_there_with_their_code(site):
    for path in sorted((ROOT / "experiments").glob("0[0-9]_*.py")):
        text = re.sub(r"<[^>]*>", "", site[f"tutorials/{path.stem}.html"])
        assert "### " not in text
        assert "assert" in text
        assert "Answer 1" in text
