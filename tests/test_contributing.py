"""The worked examples of CONTRIBUTING.md, run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rfsim
from rfsim.problem import populations

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (Add [^\n]*)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
EXAMPLES = {title: re.findall(r"```python\n(.*?)```", text, re.S) for title, text in SECTIONS.items()}
SWEEP = """
import rfsim
spec = {"command": "theory.learned_by", "axes": {"share": [0.5, 0.9], "samples_per_dim": [2, 4]}}
print(rfsim.sweep(spec).learned.sizes["which"])
assert rfsim.theory.learned_by is learned_by
from rfsim.cli import main
main("theory learned-by --share 0.9 --json --quiet".split())
sys.exit(main("theory learned-by --share 2 --json --quiet".split()))
"""


def run(title: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "contributing"}
    for code in EXAMPLES[title]:
        exec(compile(code, f"CONTRIBUTING.md, {title}", "exec", dont_inherit=True), names)
    return names


def test_every_section_that_adds_has_an_example():
    assert EXAMPLES
    assert all(EXAMPLES.values())


def test_a_quantity_is_a_command_and_is_swept(tmp_path):
    """In a process of its own, where nothing has put JAX into float64."""
    (code,) = EXAMPLES["Add a quantity"]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{SWEEP}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (2, "rfsim: share must lie between 0 and 1; got 2\n")
    length, _, answer = done.stdout.partition("\n")
    fastest, slowest = json.loads(answer)["learned"]
    assert length == "2"
    assert 0 < fastest < slowest


def test_an_activation_is_trained_on():
    run("Add an activation")


def test_a_population_has_its_text(monkeypatch):
    spiked = run("Add a population")["Spiked"]
    monkeypatch.setitem(populations.NUMBERED, "spiked", spiked)
    assert rfsim.Problem(data="spiked:9.5").data == spiked(9.5)
    assert str(spiked(9.123456789)) == "spiked:9.123456789"
    for read in (lambda: rfsim.Problem(data="spiked:x"), lambda: spiked("x")):
        with pytest.raises(ValueError, match="data 'spiked:x': VARIANCE must be a finite number; got 'x'"):
            read()


def test_an_experiment_is_judged_and_drawn():
    names = run("Add an experiment")
    (claim,) = names["CLAIMS"]
    results = {cell.label: cell.run(Path("unused")) for cell in names["cells"]("quick")}
    assert claim.rule(results).verdict is not None
    assert set(names["DRAW"]) == set(names["FIGURES"])
    names["DRAW"]["null-part"](results).draw_without_rendering()


def test_rooms_of_the_table_are_those_that_there_are():
    table = TEXT.split("## Where things are")[1].split("## Habits")[0]
    rooms = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {room for cell in rooms for room in re.findall(r"`(\w+)/`", cell)}
    assert named == {one.name for one in (ROOT / "rfsim").iterdir() if (one / "__init__.py").exists()}
