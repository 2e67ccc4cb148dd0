"""What a name that there is not stands for: a parameter by its symbol in the papers, or the nearest name."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ParamSpec, TypeVar

from rfsim.checking.text import nearest, spelled
from rfsim.quantities.parameter import Parameter

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")
WHERE = 3  # functions that are named of those that take an argument


def hint(name: str, choices: Iterable[str], *, of: str = "") -> str:
    """What to add to a message on an unknown name.

    Args:
        name: As it was given: a keyword, a flag, a key of a sweep or of a settings file, an axis.
        choices: The names that there are: parameters, their flags, or the dimensions that they make.
        of: The quantity whose they are, as a command has it, where it is known.

    Returns:
        Which of them the name is by its symbol, else which it nearly is, else nothing.

    >>> hint("--psi-n", ["--json", "--samples-per-dim"])
    '; ψ_n is --samples-per-dim'
    >>> hint("gamma", ["ridge", "dim"]), hint("dimm", ["ridge", "dim"]), hint("--open", ["--json"])
    ('; γ is ridge', "; did you mean 'dim'?", '')
    """
    known = list(choices)
    meant: dict[str, list[str]] = {}
    for one in _declared(of):
        if not one.unused and _is_symbol(name, one):
            forms = [form for form in (one.typed, one.name, one.makes) if form in known]
            meant.setdefault(one.symbol, []).extend(forms[:1])
    told = [f"{symbol} is {' or '.join(dict.fromkeys(forms))}" for symbol, forms in meant.items() if forms]
    return f"; {told[0]}" if told else nearest(name, known)


def known_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, which refuses a keyword that it has not in a line with the name that was meant."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        names = _names(function)
        if unknown := [name for name in kwargs if name not in names]:
            raise TypeError(f"{_called(function)} has no {unknown[0]!r}{_elsewhere(unknown[0], names)}")
        return function(*args, **kwargs)

    return wrapped


def known_fields(kind: type[C]) -> type[C]:
    """A class whose constructor refuses as `known_keywords` does."""
    kind.__init__ = known_keywords(kind.__init__)
    return kind


def _elsewhere(name: str, names: Sequence[str]) -> str:
    """What was meant among the names there are, or whose a parameter of this name or symbol is."""
    if found := hint(name, names):
        return found
    parameters = {one.name: one for one in _declared()}
    one = parameters.get(name) or next((one for one in parameters.values() if _is_symbol(name, one)), None)
    if one is None:
        return nearest(name, parameters) or f"; it takes {', '.join(names)}"
    if name == one.name and not one.instead_of:
        return f"; it is {_owner(one)}"
    told = f"{one.symbol} is "
    if one.instead_of:  # a count, of which Python has the ratio alone
        whole = parameters[one.instead_of]
        told, one = f"{whole.symbol} = {one.symbol}/d is ", whole
    return f"; {told}{one.name}" + ("" if one.name in names else f", {_owner(one)}")


def _owner(parameter: Parameter) -> str:
    from rfsim.quantities.catalog import QUANTITIES

    if parameter.role == "problem":
        return f"a field of the problem: rfsim.Problem({parameter.name}=…)"
    own = [f"rfsim.{one.name}" for one in QUANTITIES.values() if parameter in one.parameters]
    return f"an argument of {', '.join(own[:WHERE])}{' and others' if len(own) > WHERE else ''}"


def _is_symbol(name: str, parameter: Parameter) -> bool:
    return bool(parameter.symbol) and _spelled(parameter.symbol) == _spelled(name)


def _declared(of: str = "") -> Iterator[Parameter]:
    """Every parameter of every quantity, or of the one that is typed so."""
    from rfsim.quantities.catalog import QUANTITIES

    own = [one for one in QUANTITIES.values() if one.typed == of]
    for quantity in own or QUANTITIES.values():
        yield from quantity.parameters


@functools.cache
def _names(function: Callable[..., object]) -> list[str]:
    """The parameters that a function's signature shows."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def _called(function: Callable[..., object]) -> str:
    return function.__qualname__.removesuffix(".__init__")


def _spelled(name: str) -> str:
    """A symbol as it is typed on a keyboard, without marks between: ψ_n, psi_n, --psi-n and psin are one.

    >>> _spelled("ψ_n"), _spelled("--psi-n"), _spelled("τ_S")
    ('psin', 'psin', 'tauS')
    """
    return re.sub(r"[-_\s]", "", spelled(name).replace("′", "prime"))
