"""The worked examples of CONTRIBUTING.md, run as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^## (Add [^\n]*)\n.*?```python\n(.*?)```", TEXT, re.M | re.S))


def run(title: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "contributing"}
    exec(compile(EXAMPLES[title], f"CONTRIBUTING.md, {title}", "exec", dont_inherit=True), names)
    return names


def test_every_section_that_adds_has_an_example():
    assert [*EXAMPLES] == re.findall(r"^## (Add .*)$", TEXT, re.M)


def test_a_quantity_is_a_command(capsys, monkeypatch, tmp_path):
    from rfsim.cli import app, main
    from rfsim.quantities import catalog

    monkeypatch.chdir(tmp_path)
    try:
        run("Add a quantity")
        assert main(["theory", "learned-by", "--share", "0.9", "--json", "--quiet"]) == 0
        learned = json.loads(capsys.readouterr().out)["learned"]
        assert 0 < min(learned) < max(learned)
    finally:
        catalog.QUANTITIES.pop("theory.learned_by", None)
        if "learned-by" in app.app["theory"]:
            del app.app["theory"]["learned-by"]


@pytest.mark.parametrize("title", ["Add an activation", "Add a population"])
def test_what_is_added_is_trained_on(title):
    run(title)


def test_an_experiment_is_judged():
    names = run("Add an experiment")
    (cell,), (claim,) = names["cells"]("quick"), names["CLAIMS"]
    assert claim.rule({"wide": cell.run(Path("unused"))}).verdict is not None


def test_rooms_of_the_table_are_those_that_there_are():
    table = TEXT.split("## Where things are")[1].split("## Habits")[0]
    rooms = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {room for cell in rooms for room in re.findall(r"`(\w+)/`", cell)}
    assert named == {one.name for one in (ROOT / "rfsim").iterdir() if (one / "__init__.py").exists()}
