"""Activations that a sweep imports: whether it may, and that every worker finds what is found here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rfsim.checking.text import shown
from rfsim.checking.written import plain
from rfsim.problem.activations import Activation, activation, fingerprint, is_local, runs_code, specification

DIGEST = "digest of "  # how settings call what is behind a name: data, or code
PARAMETER = "activation"
TABLES = ("problem", "axes", "zip")


class Imports(NamedTuple):
    """What a sweep imports: (module:attribute, digest of what it computes), and the folder of its file, where modules
    are looked for too. A digest is None where nothing was imported, since the sweep is only read."""

    found: tuple[tuple[str, str | None], ...] = ()
    beside: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """As the store is identified by them."""
        return {f"{DIGEST}{name}": digest for name, digest in self.found if digest is not None}

    @property
    def unread(self) -> list[str]:
        """The names of which there is no digest."""
        return [name for name, digest in self.found if digest is None]


def written(content: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping that Python code made, with texts in the place of settings that are objects: data, trainers, callables
    as activations…"""

    def text(value: Any, name: str = "") -> Any:
        if isinstance(value, list) or (isinstance(value, tuple) and not isinstance(value, Activation)):
            return [text(one, name) for one in value]
        if isinstance(value, Activation) or (name == PARAMETER and callable(value)):
            return specification(value)
        return plain(value)

    return {
        name: {key: text(one, str(key)) for key, one in value.items()} if isinstance(value, Mapping) else text(value)
        for name, value in content.items()
    }


def named(content: Mapping[str, Any]) -> Iterator[str]:
    """Every activation that stands in the tables of a sweep."""
    for table in TABLES:
        values = content.get(table)
        found = values.get(PARAMETER) if isinstance(values, Mapping) else None
        yield from (one for one in (found if isinstance(found, (list, tuple)) else [found]) if isinstance(one, str))


def refusals(content: Mapping[str, Any]) -> list[str]:
    """A line for each activation that is imported, where that is not allowed."""
    return [
        f"activation {shown(one)} imports a module, and so runs its code; allow it with --allow-import, in Python with "
        "allow_import=True"
        for one in dict.fromkeys(named(content))
        if runs_code(one)
    ]


def find(names: Sequence[str], beside: Path | None, *, read_only: bool) -> Imports:
    """Import what is imported; ValueError, in one line, where it is not there. read_only: nothing is imported."""
    imported = dict.fromkeys(name for name in names if runs_code(name))
    found = [(name, None if read_only else fingerprint(activation(name, beside))) for name in imported]
    return Imports(tuple(found), None if beside is None else str(beside.resolve()))


def require_everywhere(names: Sequence[str]) -> None:
    """Raise ValueError where one of the activations is there in this process alone."""
    for name in names:
        if is_local(name):
            raise ValueError(
                f"activation {name!r} is a function of this process alone, which other processes do not have; define "
                "it in a module, or compute with executor 'serial'"
            )


def require_same(imports: Imports, ask: Callable[[Callable[[Imports], str], Imports], str]) -> None:
    """Raise ValueError where a worker, of which `ask` gives the answer, finds other activations than this process."""
    if imports.found and (words := ask(difference, imports)):
        raise ValueError(words)


@functools.lru_cache(maxsize=64)
def difference(imports: Imports) -> str:
    """In one line, what this process does not find or finds to compute something else; "" where it is all the same."""
    for name, digest in imports.found:
        try:
            here = fingerprint(activation(name, None if imports.beside is None else Path(imports.beside)))
        except ValueError as error:
            return f"a worker does not find what is found here: {error}"
        if here != digest:
            return (
                f"activation {name!r} computes something else in a worker than here; give workers the same modules, "
                "or compute with executor 'serial'"
            )
    return ""
