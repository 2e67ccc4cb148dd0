"""What a reader typed, made a problem: every field strictly, all that is wrong at once, no file read, no code run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from rfsim.checking.text import nearest, number, shown
from rfsim.explorer.parts import Refused, Texts
from rfsim.problem.activations import ACTIVATIONS
from rfsim.problem.model import Problem, require_finite_width
from rfsim.theory import population

POPULATIONS = ("isotropic", "atoms", "powerlaw", "subspace", "mixture")
FORMS = "isotropic[:VARIANCE], atoms:W@L,…, powerlaw:ALPHA, subspace:FRACTION or mixture:SEPARATION"
LONGEST = 200  # characters of a population
FIELDS = tuple(field.name for field in fields(Problem))


def short(value: float) -> str:
    """A number as a reader would type it.

    >>> short(0.015), short(1300.0), short(1.3e5), short(1e-4)
    ('0.015', '1300', '1.3e5', '1e-4')
    """
    if value in (0, math.inf) or 1e-3 <= value < 1e4:
        return f"{value:g}"
    digits, exponent = f"{value:.3e}".split("e")
    return f"{float(digits):g}e{int(exponent)}"


def problem(texts: Texts, names: tuple[str, ...] = FIELDS) -> tuple[Problem, dict[str, str]]:
    """The problem whose fields `names` stand in texts, and what is wrong with them: control → message.

    Fields in error are at their defaults; where a message is there the problem is of no use.
    """
    values: dict[str, Any] = {}
    messages: dict[str, str] = {}
    for name in names:
        try:
            value = READ.get(name, number)(texts.get(name, "").strip())
            Problem(**{name: value})  # each field for itself, so that all that is wrong is said at once
        except ValueError as error:
            messages[name] = blamed(name, str(error))
        else:
            values[name] = value
    return Problem(**values), messages


def blamed(name: str, message: str) -> str:
    """A message that begins with the name of what it speaks of."""
    return f"{name} {message}" if message.startswith("must ") else message


def refusal(error: Exception, names: tuple[str, ...]) -> Refused:
    """The library's own message beside the control that it names first; "" where it names none."""
    message = (str(error) or type(error).__name__).splitlines()[0]
    first = message.partition(" ")[0]
    if "give a ridge" in message:
        first = "ridge"
    return Refused({first if first in names else "": message})


def named_population(text: str) -> str:
    """A population by name; ValueError for a file, an array and for what no covariance has."""
    kind = text.partition(":")[0]
    if kind not in POPULATIONS or len(text) > LONGEST:
        raise ValueError(f"data must be {FORMS} on this page; got {shown(text)}{nearest(kind, POPULATIONS)}")
    population(text)
    return text


def named_activation(text: str) -> str:
    """An activation by name; a callable's address would run code."""
    if text not in ACTIVATIONS:
        raise ValueError(
            f"activation must be one of {', '.join(ACTIVATIONS)} on this page; got {shown(text)}"
            f"{nearest(text, ACTIVATIONS)}"
        )
    return text


def width(text: str) -> float:
    """A ratio of features; the limit of many is no curve of this page."""
    value = number(text)
    require_finite_width(value)
    return value


READ: dict[str, Callable[[str], Any]] = {
    "features_per_dim": width,
    "data": named_population,
    "activation": named_activation,
}
