"""The site, from what the checkout already holds: nothing is listed twice.

Home is README.md; `pages/` holds what is written by hand, with places (`<!-- claims -->`) for what is generated: claims
by the ledger, commands by the program, quantities by the catalog, the list of questions by the headings of the how-to
pages. Equations and trust are the package's own, the course is the scripts `experiments/0*.py`, executed, and the API
is made from docstrings. Links name files of the checkout, so that they lead somewhere in it too; here they are pages.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import api
import claims
import course
import equations
import formulas
import tables
from mkdocs.structure.files import File, Files

from rfsim.quantities import reference

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "pages"
TAG = re.compile(r"\bT(\d{1,2})\b|§(\d)(?!\.?\d)")
CODE = re.compile(r"<code>(rfsim(?:\.\w+)+)(?:\(.*\))?</code>", re.S)
UNLINKED = re.compile(r"(<(a|code|pre|title|h[1-6])\b.*?</\2>|<[^>]*>)", re.S)
OUTSIDE = re.compile(r"(?<=>)[^<]+")  # of tags
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
TYPED = ("api/", "quantities.md", "command-line.md", "changes.md", "contribute.md")  # there names are what is told
PLACE = re.compile(r"^<!-- (\w[\w ]*) -->$", re.M)
# pages that are files elsewhere in the checkout
ORIGINS = {
    "index.md": "README.md",
    "equations.md": "rfsim/equations.md",
    "trust.md": "rfsim/trust.md",
    "contribute.md": "CONTRIBUTING.md",
    "changes.md": "CHANGELOG.md",
} | {f"tutorials/{path.stem}.md": f"experiments/{path.name}" for path in course.TUTORIALS}
HERE = {origin: page for page, origin in ORIGINS.items()}
HOW_TO = ("spectra", "losses", "data", "limit", "ridge-and-stopping", "large", "distillation", "stochastic-training",
          "phase-diagrams", "results")  # fmt: skip
GUIDES = ("command-line", "sweeps", "clusters", "devices", "explorer")


def on_config(config: Any) -> Any:
    rooms = [{name.removeprefix("rfsim."): api.place(name)} for name in api.module_names()]
    config["nav"] = [
        {"Home": ["index.md", "getting-started.md"]},
        {"Course": [{course.title(path): f"tutorials/{path.stem}.md"} for path in course.TUTORIALS]},
        {"How to": ["how-to/index.md", *(f"how-to/{name}.md" for name in HOW_TO)]},
        {"Guides": [f"guides/{name}.md" for name in GUIDES]},
        {"Claims": ["findings.md", "claims.md", {"How far to trust this": "trust.md"}]},
        {"Reference": [{"Equations": "equations.md"}, "symbols.md", "quantities.md", "command-line.md"]},
        {"API": [api.place("rfsim"), *rooms]},
        {"Contribute": ["contribute.md", "changes.md"]},
    ]
    config["markdown_extensions"].append(tables.Labelled())
    return config


def on_files(files: Files, config: Any) -> Files:
    def add(uri: str, text: str | bytes) -> None:
        files.append(File.generated(config, uri, content=text))

    for page, origin in ORIGINS.items():
        if not page.startswith("tutorials/"):
            text = (ROOT / origin).read_text("utf-8")
            add(page, equations.page(text) if page == "equations.md" else text)
    for path in course.TUTORIALS:
        text, pictures = course.page(path)
        add(f"tutorials/{path.stem}.md", text)
        for name, picture in pictures.items():
            add(f"tutorials/{name}", picture)
    for name, text in api.pages():
        add(api.place(name), text)
    for name in sorted(linked() - HERE.keys()):
        if not name.startswith("docs/pages/"):
            files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def linked() -> set[str]:
    """Files of the checkout that pages link to."""
    written = [*ORIGINS.values(), *(path.relative_to(ROOT).as_posix() for path in PAGES.rglob("*.md"))]
    return {
        posixpath.normpath(posixpath.join(posixpath.dirname(origin), name))
        for origin in written
        for name in LINK.findall((ROOT / origin).read_text("utf-8"))
    }


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """What is generated stands in its place, and links lead to pages."""
    uri = page.file.src_uri
    if uri.startswith(("api/", "tutorials/")):
        return markdown
    origin = ORIGINS.get(uri, f"docs/pages/{uri}")

    def there(found: re.Match[str]) -> str:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(origin), found[1]))
        target = HERE.get(name, name.removeprefix("docs/pages/"))
        return f"]({posixpath.relpath(target, posixpath.dirname(uri) or '.')}"

    return PLACE.sub(lambda found: GENERATED[found[1]](), LINK.sub(there, markdown))


def questions() -> str:
    """The headings of the how-to pages, each a link."""
    parts = []
    for name in HOW_TO:
        text = (PAGES / "how-to" / f"{name}.md").read_text("utf-8")
        head = re.search(r"^# (.*)$", text, re.M)
        assert head, name
        asked = re.findall(r"^## (.*)$", text, re.M)
        parts += [f"### {head[1]}", "\n".join(f"- [{one}]({name}.md#{slug(one)})" for one in asked)]
    return "\n\n".join(parts)


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def commands() -> str:
    """Every command with its flags."""
    from rfsim.cli.app import app

    text = app.generate_docs(heading_level=2, flatten_commands=True)
    first = re.search(r"^## rfsim \w", text, re.M)
    assert first  # there are commands
    return text[first.start() :]


def quantities() -> str:
    """Every quantity, and the glossary of parameters."""
    return reference.page().partition("\n\n")[2]


GENERATED: dict[str, Callable[[], str]] = {
    "questions": questions,
    "claims": claims.page,
    "command line": commands,
    "quantities": quantities,
}


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Tags and sections of the equations, and public names in code type, become links, also in docstrings.

    Formulas have their scripts set where a page is about them.
    """
    here = page.file.src_uri
    root = "../" * here.count("/")
    typed = here.startswith(TYPED)

    def written(text: str) -> str:
        linked = text if here == "equations.md" else TAG.sub(tag, text)
        return linked if typed else formulas.scripts(linked)

    def tag(found: re.Match[str]) -> str:
        number, section = found.groups()
        return f'<a href="{root}equations.html#{f"T{number}" if number else f"s{section}"}">{found[0]}</a>'

    def kept(found: re.Match[str]) -> str:
        name = CODE.fullmatch(found[0])
        target = api.PLACES.get(name[1]) if name else None
        if target:
            return f'<a href="{root}{target}">{found[0]}</a>'
        formula = not typed and re.match(r'<h\d|<pre class="equation"', found[0])
        return OUTSIDE.sub(lambda text: formulas.scripts(text[0]), found[0]) if formula else found[0]

    pieces, end = [], 0
    for one in UNLINKED.finditer(content):
        pieces += [written(content[end : one.start()]), kept(one)]
        end = one.end()
    return "".join([*pieces, written(content[end:])])
