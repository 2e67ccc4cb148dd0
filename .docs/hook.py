"""Pages of the reference, made from what the checkout already holds: nothing is listed twice.

Home is README.md; quantities, their parameters and the glossary are those of the catalog; equations and trust are the
package's own; tutorials are the percent scripts `experiments/0*.py`; the API has a page for `rfsim` itself and one for
each room, in the order of the layers of pyproject.toml, of what its `__all__` names, or of all that is public where it
has none.
"""

from __future__ import annotations

import ast
import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from rfsim.quantities import reference

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = sorted((ROOT / "experiments").glob("0[0-9]_*.py"))
# used by commands; the doors of a sample are shown under `rfsim` itself
PROGRAMS = {"rfsim.cli", "rfsim.explorer", "rfsim.reproduce", "rfsim.bench", "rfsim.sampled"}
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
TAG = re.compile(r"\bT(\d{1,2})\b|§(\d)(?!\.?\d)")
CODE = re.compile(r"<code>(rfsim(?:\.\w+)+)(?:\(.*\))?</code>", re.S)
UNLINKED = re.compile(r"(<(a|code|pre|title|h[1-6])\b.*?</\2>|<[^>]*>)", re.S)

PLACES: dict[str, str] = {}  # public name → its page and anchor


def on_config(config: Any) -> Any:
    tutorials = [{title(path): f"tutorials/{path.stem}.md"} for path in TUTORIALS]
    rooms = [{name.removeprefix("rfsim."): page(name)} for name in module_names()]
    config["nav"] = [
        {"Home": "index.md"},
        {"Tutorials": tutorials},
        {"Quantities": "quantities.md"},
        {"Equations": "equations.md"},
        {"How far to trust this": "trust.md"},
        {"API": [page("rfsim"), *rooms]},
    ]
    return config


def on_files(files: Files, config: Any) -> Files:
    def add(uri: str, text: str) -> None:
        files.append(File.generated(config, uri, content=text))

    readme = (ROOT / "README.md").read_text("utf-8")
    add("index.md", LINK.sub(lambda found: f"]({page_of(found[1]) or found[1]}", readme))
    add("equations.md", equations((ROOT / "rfsim/equations.md").read_text("utf-8")))
    add("quantities.md", reference.page())
    add("trust.md", (ROOT / "rfsim/trust.md").read_text("utf-8"))
    for path in TUTORIALS:
        add(f"tutorials/{path.stem}.md", tutorial(path))
    for name, text in api():
        add(page(name), text)
    for name in sorted({name for name in LINK.findall(readme) if not page_of(name)}):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Tags and sections of the equations, and public names in code type, become links, also in docstrings."""
    here = page.file.src_uri
    root = "../" * here.count("/")

    def tag(found: re.Match[str]) -> str:
        number, section = found.groups()
        return f'<a href="{root}equations.html#{f"T{number}" if number else f"s{section}"}">{found[0]}</a>'

    def kept(found: re.Match[str]) -> str:
        name = CODE.fullmatch(found[0])
        target = PLACES.get(name[1]) if name else None
        return f'<a href="{root}{target}">{found[0]}</a>' if target else found[0]

    pieces, end = [], 0
    for one in UNLINKED.finditer(content):
        text = content[end : one.start()]
        pieces += [text if here == "equations.md" else TAG.sub(tag, text), kept(one)]
        end = one.end()
    return "".join([*pieces, TAG.sub(tag, content[end:])])


def page_of(path: str) -> str | None:
    """The page made of a file of the checkout; None for a file that is linked as it is."""
    file = Path(path)
    if file.suffix == ".md" and file.parent == Path("rfsim"):
        return file.name
    return f"tutorials/{file.stem}.md" if ROOT / path in TUTORIALS else None


def equations(text: str) -> str:
    """Tagged equations as blocks of their own with an anchor each, and sections with short ones."""
    lines, block = [], []
    inline = set(re.findall(r"\(([TD]\d+)\)", text)) - set(re.findall(r"^\(([TD]\d+)\)", text, re.M))
    for line in [*text.splitlines(), ""]:
        if re.match(r"\([TD]\d+\)", line) or (block and line.startswith(" ")):
            block.append(line)
            continue
        if block:
            lines += tagged(block)
            block = []
        if re.match(r"(-|1\.) ", line) and lines and lines[-1] and not re.match(r"-|\s", lines[-1]):
            lines.append("")  # Markdown's lists begin after an empty line
        heading = re.fullmatch(r"## (\d+)\. .*", line)
        shown = f"{line} {{#s{heading[1]}}}" if heading else escaped(line)
        for tag in sorted(inline):
            if f"({tag})" in shown:
                shown = shown.replace(f"({tag})", f'<span id="{tag}">({tag})</span>', 1)
                inline.remove(tag)
        lines.append(shown)
    return "\n".join(lines)


def tagged(block: list[str]) -> list[str]:
    """Consecutive equations, each a line that begins with its tag and the indented lines below it."""
    found: list[list[str]] = []
    for line in block:
        if line.startswith("("):
            found.append([])
        found[-1].append(line)
    lines = [""]
    for one in found:
        tag = re.match(r"\(([TD]\d+)\)", one[0])
        assert tag
        body = html.escape("\n".join(one), quote=False)
        lines += [f'<pre class="equation" id="{tag[1]}">{body}</pre>', ""]
    return lines


def escaped(text: str) -> str:
    """Formulas keep their stars, underscores and angle brackets; bold, italics, links and code stay markup."""
    pieces = re.split(r"(`[^`]*`|\]\([^)\s]*\))", text)
    for k in range(0, len(pieces), 2):
        starred = re.sub(r"(?<=\w)\*(?=\()", r"\\*", pieces[k].replace("_", r"\_"))
        pieces[k] = re.sub(r"<(?=[\s\d=])", "&lt;", starred)
    return "".join(pieces)


def title(path: Path) -> str:
    first = re.search(r"^# # (.*)$", path.read_text("utf-8"), re.M)
    assert first, f"{path} has no title"
    return first[1]


def tutorial(path: Path) -> str:
    """Cells of a percent script: text as it is, code as blocks."""
    note = f"*`python experiments/{path.name}` runs it; opened as a notebook it shows its numbers and figures.*"
    parts = []
    for cell in re.split(r"^# %%", path.read_text("utf-8"), flags=re.M)[1:]:
        kind, _, body = cell.partition("\n")
        if "[markdown]" in kind:
            parts.append(re.sub(r"^# ?", "", body.strip(), flags=re.M))
        else:
            parts.append(f"```python\n{body.strip().replace('  # noqa: B018', '')}\n```")
    heading, _, first = parts[0].partition("\n")
    return "\n\n".join([heading, note, first.strip(), *parts[1:]])


def page(module: str) -> str:
    return f"api/{module.replace('.', '-')}.md" if module != "rfsim" else "api/index.md"


def module_names() -> list[str]:
    """The rooms, from what is called first to what all stand on: the layers of pyproject.toml."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    layers = tools["importlinter"]["contracts"][0]["layers"]
    named = [name.strip() for layer in layers for name in layer.split("|")]
    return [name for name in named if name not in PROGRAMS]


def api() -> Iterator[tuple[str, str]]:
    """(module, page) of `rfsim` and of every room."""
    names = [name for name in public("rfsim") if not source(f"rfsim.{name}")]
    rows = [f"| [`{name}`]({Path(page(name)).name}) | {summary(name)} |" for name in module_names()]
    table = "\n".join(["| room | what it holds |", "|---|---|", *rows])
    yield "rfsim", "\n\n".join([section("rfsim", "#", names), "## Rooms", table])
    for room in module_names():
        parts = [section(room, "#", public(room))]
        parts += [section(inner, "##", public(inner)) for inner in inner_modules(room)]
        yield room, "\n\n".join(parts)


def section(module: str, mark: str, names: list[str]) -> str:
    """A heading, what the module says of itself, and its names, one level below."""
    where = page(module if mark == "#" else module.rpartition(".")[0]).replace(".md", ".html")
    PLACES[module] = where if mark == "#" else f"{where}#{module}"
    PLACES.update({f"{module}.{name}": f"{where}#{module}.{name}" for name in names})
    shown = [f"::: {module}.{name}\n    options:\n      heading_level: {len(mark) + 1}" for name in names]
    return "\n\n".join([f"{mark} {module} {{#{module}}}", docstring(module), *shown])


def inner_modules(room: str) -> list[str]:
    """Of a package that exports nothing every module and package; of others those that README.md names."""
    path = source(room)
    assert path
    if path.name != "__init__.py":
        return []
    files = {one.stem for one in path.parent.glob("*.py")} | {
        one.parent.name for one in path.parent.glob("*/__init__.py")
    }
    inner = [f"{room}.{name}" for name in sorted(files) if not name.startswith("_")]
    readme = (ROOT / "README.md").read_text("utf-8")
    return [name for name in inner if not public(room) or re.search(rf"{re.escape(name)}\b", readme)]


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
