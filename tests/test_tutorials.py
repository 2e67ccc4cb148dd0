"""The tutorials: a course that runs, as scripts and as notebooks, with exercises whose answers are computed."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = sorted((ROOT / "experiments").glob("0[0-9]_*.py"))
SECONDS = 180  # of one run; 20 s on a free core, and a machine may be shared

each = pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)


def notebook(path: Path) -> nbformat.NotebookNode:
    found = jupytext.read(path, fmt="py:percent")
    found.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return found


def environment() -> dict[str, str]:
    """This checkout's rfsim, no display, and one thread: workers run beside this one."""
    threads = dict.fromkeys(("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {name: value for name, value in os.environ.items() if name != "DISPLAY"} | threads | {"PYTHONPATH": path}


def test_the_course_is_numbered_from_zero():
    assert [int(path.name[:2]) for path in TUTORIALS] == list(range(len(TUTORIALS)))
    assert len(TUTORIALS) >= 4


@each
def test_it_is_a_valid_notebook_with_two_or_three_exercises_whose_answers_are_computed(path):
    book = notebook(path)
    nbformat.validate(book)
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith(f"# {int(path.name[:2])}. ")
    asked, answered = [], []
    for cell, following in zip(book.cells, [*book.cells[1:], None], strict=True):
        if cell.cell_type == "markdown":
            asked += re.findall(r"^### Exercise (\d)", cell.source, re.M)
            here = re.findall(r"^### Answer (\d)", cell.source, re.M)
            assert not here or (following is not None and asserts(following)), here
            answered += here
    assert asked == answered == [str(k + 1) for k in range(len(asked))]
    assert len(asked) in (2, 3)


def asserts(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code" and any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source)))


@each
def test_cells_that_print_numbers_assert_something(path):
    printing = [cell for cell in notebook(path).cells if cell.cell_type == "code" and "print(" in cell.source]
    assert printing
    assert all(asserts(cell) for cell in printing)


@pytest.mark.slow
@each
def test_it_runs_as_a_script_without_a_display_and_without_a_warning(path, tmp_path):
    command = [sys.executable, "-W", "error", str(path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert done.stdout
    assert not list(tmp_path.iterdir())  # a tutorial leaves nothing behind


@pytest.mark.slow
def test_figures_come_out_of_a_notebook(tmp_path, monkeypatch):
    path = TUTORIALS[0]
    for name, value in (environment() | {"IPYTHONDIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    book = notebook(path)
    NotebookClient(book, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}).execute()
    images = [
        len(output.data["image/png"])
        for cell in book.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    shown = [cell for cell in book.cells if re.search(r"^(figure\b|rfsim\.plot\()", cell.source, re.M)]
    assert len(images) == len(shown) >= 2
    assert min(images) > 10_000
