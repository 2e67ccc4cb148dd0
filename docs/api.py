"""The pages of the API: one for `rfsim` itself and one for each room, of what its `__all__` names, or of all that is
public where it has none; in the order of the layers of pyproject.toml.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from equations import escaped

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "pages"
# used by commands; the doors of a sample are shown under `rfsim` itself
PROGRAMS = {"rfsim.cli", "rfsim.explorer", "rfsim.reproduce", "rfsim.bench", "rfsim.sampled"}
PLACES: dict[str, str] = {}  # public name → its page and anchor


def place(module: str) -> str:
    """The page of a module."""
    return f"api/{module.replace('.', '-')}.md" if module != "rfsim" else "api/index.md"


def module_names() -> list[str]:
    """The rooms, from what is called first to what all stand on: the layers of pyproject.toml."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    layers = tools["importlinter"]["contracts"][0]["layers"]
    named = [name.strip() for layer in layers for name in layer.split("|")]
    return [name for name in named if name not in PROGRAMS]


def pages() -> Iterator[tuple[str, str]]:
    """(module, page) of `rfsim` and of every room."""
    names = [name for name in public("rfsim") if not source(f"rfsim.{name}")]
    rows = [f"| [`{name}`]({Path(place(name)).name}) | {summary(name)} |" for name in module_names()]
    table = "\n".join(["| room | what it holds |", "|---|---|", *rows])
    yield "rfsim", "\n\n".join([section("rfsim", "#", names), "## Rooms", table])
    for room in module_names():
        parts = [section(room, "#", public(room))]
        parts += [section(inner, "##", public(inner)) for inner in inner_modules(room)]
        yield room, "\n\n".join(parts)


def section(module: str, mark: str, names: list[str]) -> str:
    """A heading, what the module says of itself, and its names, one level below."""
    where = place(module if mark == "#" else module.rpartition(".")[0]).replace(".md", ".html")
    PLACES[module] = where if mark == "#" else f"{where}#{module}"
    PLACES.update({f"{module}.{name}": f"{where}#{module}.{name}" for name in names})
    shown = [f"::: {module}.{name}\n    options:\n      heading_level: {len(mark) + 1}" for name in names]
    return "\n\n".join([f"{mark} {module} {{#{module}}}", docstring(module), *shown])


def inner_modules(room: str) -> list[str]:
    """Of a package that exports nothing every module and package; of others those that README.md and the pages name."""
    path = source(room)
    assert path
    if path.name != "__init__.py":
        return []
    files = {one.stem for one in path.parent.glob("*.py")} | {
        one.parent.name for one in path.parent.glob("*/__init__.py")
    }
    inner = [f"{room}.{name}" for name in sorted(files) if not name.startswith("_")]
    told = "".join(path.read_text("utf-8") for path in (ROOT / "README.md", *sorted(PAGES.rglob("*.md"))))
    return [name for name in inner if not public(room) or re.search(rf"{re.escape(name)}\b", told)]


def public(module: str) -> list[str]:
    """What `__all__` names, or else what is defined without an underscore."""
    names, kinds = exported(module), (ast.FunctionDef, ast.ClassDef)
    if names is not None:
        return names
    return [node.name for node in tree(module).body if isinstance(node, kinds) and not node.name.startswith("_")]


def source(module: str) -> Path | None:
    stem = ROOT / module.replace(".", "/")
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


def tree(module: str) -> ast.Module:
    path = source(module)
    assert path, f"{module} is not in this checkout"
    return ast.parse(path.read_text("utf-8"))


def exported(module: str) -> list[str] | None:
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def docstring(module: str) -> str:
    return escaped(ast.get_docstring(tree(module)) or "")


def summary(module: str) -> str:
    return docstring(module).partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
