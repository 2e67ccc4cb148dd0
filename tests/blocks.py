"""The code blocks of README.md and of the pages, run as a reader would: from top to bottom, in one folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from rfsim.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "pages"
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.M | re.S)
INSTALL = "python3 -m venv .venv && "  # lines that make an environment are held against .ci/run and pyproject.toml
SHELL = "sh"


class Block(NamedTuple):
    """A code block: its language, its text, and the line it begins at."""

    language: str
    text: str
    line: int


def documents() -> list[Path]:
    """Everything that is written for readers by hand."""
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "rfsim").glob("*.md")),
        *sorted(PAGES.rglob("*.md")),
    ]


def blocks(path: Path) -> list[Block]:
    text = path.read_text("utf-8")
    return [Block(one[1], one[2], text.count("\n", 0, one.start()) + 1) for one in BLOCK.finditer(text)]


def commands(text: str) -> list[str]:
    """The lines of a shell block, without comments."""
    found = [shlex.join(shlex.split(line, comments=True)) for line in text.splitlines()]
    return [line for line in found if line]


def run(path: Path) -> int:
    """Run every block of a document in the current folder; how many there were.

    Python blocks share their names; a TOML block is the file that its first line names; a command has to succeed.
    """
    names: dict[str, object] = {"__name__": "__main__"}
    done = 0
    for block in blocks(path):
        where = f"{path.name}, line {block.line}"
        if block.language == "python":
            exec(compile(block.text, where, "exec", dont_inherit=True), names)
        elif block.language == "toml":
            first = re.match(r"# (\S+\.toml)$", block.text.partition("\n")[0])
            assert first, f"{where}: a file's name is missing"
            Path(first[1]).write_text(block.text, encoding="utf-8")
        else:
            assert block.language == SHELL, where
            if block.text.startswith(INSTALL):
                continue
            for line in commands(block.text):
                name, *arguments = shlex.split(line)
                assert name == "rfsim", f"{where}: {line}"
                assert main(arguments) == 0, f"{where}: {line}"
        done += 1
    return done
