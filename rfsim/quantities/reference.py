"""The page of the reference that tells every quantity and every parameter, from what is declared of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rfsim.checking.lists import listed
from rfsim.quantities.catalog import QUANTITIES, Quantity, declared
from rfsim.quantities.parameter import REQUIRED, Parameter

HEAD = ("parameter", "flag", "default", "what it is")


def page() -> str:
    """Markdown: a section for each quantity, then the glossary."""
    told = (
        "Each is a function in Python, and most are a command; all of them can be mapped over any of their parameters "
        "by `rfsim.sweep`, where the parameters are keys of `[problem]`, `[axes]`, `[zip]` and `[derive]`."
    )
    sections = [section(one) for one in QUANTITIES.values()]
    return "\n\n".join(["# Quantities", told, *sections, "## Glossary", glossary()]) + "\n"


def section(quantity: Quantity) -> str:
    """One quantity: how it is asked for, its parameters, and what its result holds."""
    calls = f"`rfsim.{quantity.name}`" + (f", `rfsim {quantity.typed}`" if quantity.command else "")
    rows = [row(quantity, one) for one in quantity.parameters if one.role != "command" or quantity.command]
    parts = [f"## {quantity.name} {{#{quantity.name}}}", quantity.help, f"Asked for by {calls}.", table(HEAD, rows)]
    return "\n\n".join([*parts, *held(quantity)])


def row(quantity: Quantity, parameter: Parameter) -> list[str]:
    """A parameter of a quantity in a table."""
    name = "" if parameter.role == "command" else f"`{parameter.name}`"
    flag = f"`{parameter.typed}`" if quantity.command and parameter.flagged else ""
    told = [parameter.about or parameter.help]
    if parameter.choices:
        told.append(f"One of {', '.join(parameter.choices)}.")
    if parameter.makes:
        told.append(f"Along `{parameter.makes}` of the result.")
    if parameter.role == "problem" and not parameter.swept:
        told.append("Not used here.")
    return [name, flag, default(parameter), " ".join(told)]


def default(parameter: Parameter) -> str:
    """What is taken where a parameter is not given."""
    value: Any = parameter.default
    if value is REQUIRED:
        return "required"
    if parameter.switch or value is None:
        return str(value).lower() if value is not None else ""
    return listed(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


def held(quantity: Quantity) -> Iterator[str]:
    """The variables of its stored result, by the dimensions that they are over."""
    if quantity.form is None:
        return
    by_dims: dict[tuple[str, ...], list[str]] = {}
    for name, dims in quantity.form.variables.items():
        if dims != (name,):
            by_dims.setdefault(dims, []).append(f"`{name}`")
    over = [f"{', '.join(names)} ({', '.join(dims) or 'one number'})" for dims, names in by_dims.items()]
    yield f"A result of the kind `{quantity.kind}` holds {'; '.join(over)}."


def glossary() -> str:
    """What parameters are called on axes, with symbols and units."""
    rows = [
        [f"`{one.name}`", one.words or one.name.replace("_", " "), one.symbol, one.unit]
        for one in sorted(declared().values(), key=lambda one: one.name)
        if one.role != "command"
    ]
    return table(("parameter", "what it is called", "symbol", "unit"), rows)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [[*head], ["---" for _ in head], *([one.replace("|", "\\|") for one in cells] for cells in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
