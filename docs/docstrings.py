"""Docstrings as Markdown: examples become code, formulas keep their stars and brackets."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from typing import Any

import griffe

SPANS = re.compile(r"(`[^`\n]+`)")
ATTRIBUTES = re.compile(r"^Attributes:$", re.M)
MARKUP = re.compile(r"[*\[\]]")
STARS = re.compile(r" +\*{1,2}(?=\w+: )")  # of a parameter told in Args, which no star makes bold


class AsMarkdown(griffe.Extension):
    """Rewrites every docstring once, before mkdocstrings parses it.

    That of a class ends with its fields, where it has no section that tells them.
    """

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)
        text = obj.docstring.value if obj.docstring else ""
        if obj.is_class and not ATTRIBUTES.search(text) and (shown := fields(obj)):
            obj.docstring = griffe.Docstring("\n".join([text, "", "```python", *shown, "```"]), parent=obj)

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Keywords that `Unpack` of a dictionary's type stands for, where the signature shows them at run time."""
        for one in [one for one in func.parameters if one.kind is griffe.ParameterKind.var_keyword]:
            if "Unpack[" not in str(one.annotation) or not func.parent or not func.parent.is_module:
                continue
            function = getattr(importlib.import_module(func.parent.path), func.name)
            shown = inspect.signature(function).parameters
            keywords = [name for name in shown if name not in func.parameters]
            if one.name in shown or not keywords:
                continue
            types = annotations(inspect.unwrap(function), one.name)
            del func.parameters[one.name]
            for name in keywords:
                default = repr(shown[name].default)
                kind = griffe.ParameterKind.keyword_only
                func.parameters.add(griffe.Parameter(name, annotation=types.get(name), kind=kind, default=default))


def annotations(function: Any, name: str) -> dict[str, str]:
    """Those of the keywords behind `**name: Unpack[TABLE]`, as they are written."""
    (table,) = typing.get_args(eval(function.__annotations__[name], function.__globals__))
    return {key: getattr(kind, "__forward_arg__", str(kind)) for key, kind in table.__annotations__.items()}


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
    stars = STARS.match(line)
    kept = stars[0] if stars else ""
    pieces = SPANS.split(line.removeprefix(kept))
    return kept + "".join(
        piece if k % 2 else MARKUP.sub(r"\\\g<0>", piece).replace("<", "&lt;") for k, piece in enumerate(pieces)
    )
