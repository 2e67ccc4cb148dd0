"""The course, executed: percent scripts become pages with what their cells print and draw.

Strictly: a cell that raises, or writes to standard error (a warning, say), ends the build. What was executed is kept in
`docs/out/`, by the text of the script, the code that it can reach and the versions that it ran with, and used again
while all of these stand.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import re
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "out"
TUTORIALS = sorted((ROOT / "experiments").glob("0[0-9]_*.py"))
PROGRAMS = {"bench", "cli", "explorer", "reproduce"}  # rooms that commands alone stand on
PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "matplotlib", "xarray", "ipykernel")
SECONDS = 600  # that one cell may take
SILENT = re.compile(r"  # noqa: \w+$", re.M)  # for the lint of scripts, not for readers
COLORS = re.compile(r"\x1b\[[\d;]*m")


class TutorialError(RuntimeError):
    """A cell failed, or said what nobody asked for."""


def title(path: Path) -> str:
    """The heading that a script begins with."""
    first = re.search(r"^# # (.*)$", path.read_text("utf-8"), re.M)
    assert first, f"{path} has no title"
    return first[1]


def page(path: Path) -> tuple[str, dict[str, bytes]]:
    """The page of a script, and its pictures by their names beside it."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in executed(path).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{SILENT.sub('', cell.source).strip()}\n```")
        for output in cell.outputs:
            image = output.get("data", {}).get("image/png")
            if image is None:
                parts.append(f"```{{.text .output}}\n{said(output).rstrip()}\n```")
                continue
            name = f"{path.stem}-{len(pictures)}.png"
            pictures[name] = base64.b64decode(image)
            wide = output.get("metadata", {}).get("image/png", {}).get("width")
            parts.append(f"![What the lines above draw]({name})" + (f'{{ width="{wide}" }}' if wide else ""))
    heading, _, first = parts[0].partition("\n")
    note = f"*Executed when this page was built; `python experiments/{path.name}` runs it, and it opens as a notebook.*"
    return "\n\n".join([heading, note, first.strip(), *parts[1:]]) + "\n", pictures


def said(output: Any) -> str:
    """The text of an output."""
    return COLORS.sub("", output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"])


def executed(path: Path) -> nbformat.NotebookNode:
    """A script as a notebook with its outputs, from what is kept where nothing behind it has changed."""
    file = KEPT / f"{path.stem}-{key(path)}.ipynb"
    if file.is_file():
        return nbformat.read(file, as_version=4)
    book = jupytext.read(path, fmt="py:percent")
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with tempfile.TemporaryDirectory() as folder:
        run(book, path.name, folder)
    KEPT.mkdir(exist_ok=True)
    for old in KEPT.glob(f"{path.stem}-*.ipynb"):
        old.unlink()
    part = file.with_suffix(".part")
    nbformat.write(book, part)
    part.replace(file)
    return book


def run(book: nbformat.NotebookNode, name: str, folder: str) -> None:
    """Execute the cells in place, by this checkout's package, in a folder of their own."""
    own = {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    try:
        client = NotebookClient(
            book,
            timeout=SECONDS,
            startup_timeout=SECONDS,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of listening on this machine's own address
        )
        client.execute(env=os.environ | own)
    except Exception as error:  # a cell's own, a kernel that died or one that takes too long
        raise TutorialError(f"{name} failed: {COLORS.sub('', str(error))}") from error
    for number, cell in enumerate(book.cells):
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise TutorialError(f"{name}, cell {number}, wrote to standard error: {output['text']}")


def key(path: Path) -> str:
    """What an executed page hangs on."""
    digest = hashlib.sha256(path.read_bytes())
    package = ROOT / "rfsim"
    for source in sorted(package.rglob("*.py")):
        if source.relative_to(package).parts[0] in PROGRAMS:
            continue
        digest.update(f"{source.relative_to(ROOT)}\n".encode())
        digest.update(source.read_bytes())
    versions = [platform.python_version(), *(f"{one} {metadata.version(one)}" for one in PACKAGES)]
    digest.update(" ".join(versions).encode())
    return digest.hexdigest()[:16]
