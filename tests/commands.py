"""Running commands as their users do: in a folder of one's own, with what they print and leave on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from rfsim import plotting
from rfsim.cli import main
from rfsim.cli.app import app
from rfsim.disk import store


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Every test runs in its own folder, with its own cache, and draws in no time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RFSIM_CACHE", str(tmp_path / ".cache"))

    def save(figure, stem, *, style="paper"):
        Path(stem).parent.mkdir(parents=True, exist_ok=True)
        paths = [Path(f"{stem}.{suffix}") for suffix in ("pdf", "png")]
        for path in paths:
            path.write_text(f"{figure} {style}")
        return paths

    monkeypatch.setattr(plotting, "plot", lambda result, *, style, width: f"{store.settings(result)} {style} {width}")
    monkeypatch.setattr(plotting, "save", save)
    return tmp_path


def names(app: App = app, *group: str) -> Iterator[tuple[str, ...]]:
    """Every command of the command line, as it is typed."""
    for name in app:
        if not name.startswith("-"):
            if list(names(app[name])):
                yield from names(app[name], *group, name)
            else:
                yield (*group, name)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def answer(capsys, *arguments: str) -> dict:
    status, out, _ = run(capsys, *arguments, "--json")
    assert status == 0
    assert out.count("\n") == 1

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(out, parse_constant=refuse)


def assert_refused(capsys, *arguments: str, match: str) -> None:
    before = snapshot()
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("rfsim: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert re.search(match, err), err
    assert snapshot() == before


def snapshot() -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in Path.cwd().rglob("*")}
