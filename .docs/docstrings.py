"""Docstrings as Markdown: examples become code, formulas keep their stars and brackets."""

from __future__ import annotations

import re
from typing import Any

import griffe

SPANS = re.compile(r"(`[^`\n]+`)")
MARKUP = re.compile(r"[*\[\]]")


class AsMarkdown(griffe.Extension):
    """Rewrites every docstring once, before mkdocstrings parses it; that of a class ends with its fields."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)
        if obj.is_class and (shown := fields(obj)):
            text = obj.docstring.value if obj.docstring else ""
            obj.docstring = griffe.Docstring("\n".join([text, "", "```python", *shown, "```"]), parent=obj)


def fields(kind: griffe.Object) -> list[str]:
    """Annotated attributes that have no docstring of their own, one line each."""
    found = []
    for name, one in kind.members.items():
        if name.startswith("_") or not isinstance(one, griffe.Attribute) or one.docstring or one.annotation is None:
            continue
        default = "" if one.value is None else f" = {one.value}"
        found.append(f"{name}: {one.annotation}{default}")
    return found


def markdown(text: str) -> str:
    lines: list[str] = []
    example = False
    for line in text.splitlines():
        starts = line.lstrip().startswith(">>>")
        if starts and not example:
            lines += ["", "```pycon"]
            example = True
        elif example and not line.strip():
            lines.append("```")
            example = False
        lines.append(line.strip() if example else escaped(line))
    return "\n".join([*lines, "```"] if example else lines)


def escaped(line: str) -> str:
    pieces = SPANS.split(line)
    return "".join(
        piece if k % 2 else MARKUP.sub(r"\\\g<0>", piece).replace("<", "&lt;") for k, piece in enumerate(pieces)
    )
