"""The site: it builds without a warning, names everything public, links to what exists, and needs no network."""

from __future__ import annotations

import html
import importlib
import json
import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rfsim
import rfsim.theory
from rfsim import reproduce
from rfsim.quantities.catalog import QUANTITIES
from tests.commands import names

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "site"
    pytest.importorskip("mkdocs", reason="rfsim[docs] is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "docs/mkdocs.yml", "-d", str(folder)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": path}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1800, check=False)
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
    law = plain(shown("api/rfsim-problem.html", "rfsim.problem.laws.Law", "rfsim.problem.laws.ClassLaw"))
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
def test_the_course_stands_there_with_its_code_its_numbers_and_its_pictures(site):
    folder = Path(site[""])
    for path in sorted((ROOT / "experiments").glob("0[0-9]_*.py")):
        page = site[f"tutorials/{path.stem}.html"]
        text = html.unescape(re.sub(r"<[^>]*>", "", page))
        assert "### " not in text
        assert "assert" in text
        assert "Answer 1" in text
        code = path.read_text("utf-8")
        assert page.count('class="language-text output') + page.count("output highlight") >= code.count("print(") / 3
        drawn = re.findall(r'<img [^>]*src="?([^"\s>]+)', page)
        assert len(drawn) == len(re.findall(r"^(?:figure\b(?! *[,=])|rfsim\.plot\()", code, re.M))
        assert all((folder / "tutorials" / name).stat().st_size > 5000 for name in drawn)


@pytest.mark.slow
def test_claims_stand_there_with_the_command_that_decides_them(site):
    page = html.unescape(re.sub(r"<[^>]*>", "", site["claims.html"]))
    experiments = reproduce.experiments(ROOT)
    assert all(f"({claim.id})" in page for one in experiments for claim in one.claims)
    assert all(f"rfsim reproduce {one.name} --size paper" in page for one in experiments if one.claims)


@pytest.mark.slow
def test_every_command_and_every_question_is_listed(site):
    page = html.unescape(re.sub(r"<[^>]*>", "", site["command-line.html"]))
    assert all(f"rfsim {' '.join(command)}" in page for command in names())
    asked = [
        one
        for path in (ROOT / "docs" / "pages" / "how-to").glob("*.md")
        for one in re.findall(r"^## (.*\?)$", path.read_text("utf-8"), re.M)
    ]
    assert len(asked) > 50
    listed = html.unescape(re.sub(r"<[^>]*>", "", site["how-to/index.html"]))
    assert all(one in listed for one in asked)


@pytest.mark.slow
def test_what_is_searched_is_in_the_site(site):
    """Every page is in the index that its own script reads."""
    index = json.loads((Path(site[""]) / "search" / "search_index.json").read_text("utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {name for name in pages(site) if name != "index.html"} <= found | {"index.html"}


@pytest.mark.slow
def test_a_cell_that_fails_or_warns_ends_the_build(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    course = importlib.import_module("course")
    monkeypatch.setattr(course, "KEPT", tmp_path / "kept")
    for code, match in (
        ("assert 1 > 2", "AssertionError"),
        ("import sys; print(1, file=sys.stderr)", "standard error"),
    ):
        script = tmp_path / "00_wrong.py"
        script.write_text(f"# %% [markdown]\n# # 0. Wrong\n\n# %%\n{code}\n", encoding="utf-8")
        with pytest.raises(course.TutorialError, match=match):
            course.page(script)
        assert not list((tmp_path / "kept").glob("*"))
    script.write_text("# %% [markdown]\n# # 0. Right\n\n# %%\nprint(1 + 1)\n", encoding="utf-8")
    assert "\n2\n```" in course.page(script)[0]
    (kept,) = (tmp_path / "kept").glob("*.ipynb")
    kept.write_text(kept.read_text("utf-8").replace('"2\\n"', '"kept\\n"'), encoding="utf-8")
    assert "\nkept\n```" in course.page(script)[0]  # not run again
    script.write_text(script.read_text("utf-8").replace("1 + 1", "1 + 2"), encoding="utf-8")
    assert "\n3\n```" in course.page(script)[0]  # as soon as it changed, it is


def test_scripts_of_formulas_are_set_and_nothing_else_is_touched(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    formulas = importlib.import_module("formulas")
    assert formulas.scripts("2ψ_p λ̄_2 = σ_x² e^{−2t_k}, A_yc_1 c_out,k²: train_time, n^.72 R^d.") == (
        "2ψ<sub>p</sub> λ̄<sub>2</sub> = σ<sub>x</sub>² e<sup>−2t<sub>k</sub></sup>, A<sub>y</sub>c<sub>1</sub> "
        "c<sub>out</sub>,k²: train_time, n<sup>.72</sup> R<sup>d</sup>."
    )
    for name in ("equations.md", "trust.md"):
        for line in (ROOT / "rfsim" / name).read_text("utf-8").splitlines():
            shown = formulas.scripts(html.escape(line, quote=False))
            assert formulas.plain(shown) == formulas.braced(line)
            assert re.sub(r"[_^{}]|</?su[bp]>", "", html.unescape(shown)) == re.sub(r"[_^{}]", "", line)


@pytest.mark.slow
def test_equations_are_read_with_their_scripts(site):
    block = re.search(r'<pre class="?equation"? id="?T7"?>(.*?)</pre>', site["equations.html"], re.S)[1]
    assert "e<sup>−κτ(U+γ)</sup>" in block
    assert "ψ<sub>p</sub>" in block
    assert "<sub>" not in site["quantities.html"]
    assert "<sub>" not in site["api/rfsim-theory.html"]
