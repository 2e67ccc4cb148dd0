"""What the modules of rfsim import: none itself through others, wherever in a file its imports stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules(root: Path) -> dict[str, Path]:
    """Name → file of every module below a folder."""
    found = {}
    for path in root.glob("rfsim/**/*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name from it) of every import that runs: in functions too, not those for the types alone."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.If) and "TYPE_CHECKING" in ast.unparse(inner.test):
            continue
        if isinstance(inner, ast.Import):
            yield from ((alias.name, "") for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom):
            yield from ((inner.module or "", alias.name) for alias in inner.names)
        yield from imported(inner)


def order(root: Path) -> list[str]:
    """The modules, each after all that it imports; CycleError, which names a circle, where there is one."""
    files = modules(root)
    arrows = {
        module: {f"{home}.{name}" if f"{home}.{name}" in files else home for home, name in imported(ast.parse(text))}
        for module, text in ((module, path.read_text(encoding="utf-8")) for module, path in files.items())
    }
    return list(TopologicalSorter({module: homes & files.keys() for module, homes in arrows.items()}).static_order())


def test_no_module_imports_itself_through_others():
    found = order(ROOT)
    assert found.index("rfsim.sweeps.engines.outcome") < found.index("rfsim.sweeps.engines.choice")


@pytest.fixture
def three(tmp_path):
    """Three modules, the last of which imports the middle one; the text of that is given."""

    def written(text: str) -> Path:
        (tmp_path / "rfsim").mkdir()
        for name, content in (("__init__", ""), ("a", text), ("b", "import rfsim.a")):
            (tmp_path / "rfsim" / f"{name}.py").write_text(content)
        return tmp_path

    return written


@pytest.mark.parametrize("text", ["from rfsim import b", "def late():\n    from rfsim.b import name"])
def test_a_circle_is_seen(three, text):
    with pytest.raises(CycleError) as caught:
        order(three(text))
    assert {*caught.value.args[1]} == {"rfsim.a", "rfsim.b"}


@pytest.mark.parametrize(
    "text", ["from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rfsim.b", "import rfsim"]
)
def test_imports_for_types_alone_make_no_circle(three, text):
    assert order(three(text))[-1] == "rfsim.b"


def test_digests_are_made_in_one_module():
    making = [
        name
        for name, path in modules(ROOT).items()
        if any(home == "hashlib" for home, _ in imported(ast.parse(path.read_text(encoding="utf-8"))))
    ]
    assert making == ["rfsim.disk.content"]
