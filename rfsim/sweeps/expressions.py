"""Derived parameters: arithmetic on the names of other parameters, parsed here and never run as Python."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

LONGEST, DEEPEST = 500, 50  # characters; parentheses and signs inside each other
SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
TOKEN = re.compile(
    r"(?a)\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/()]))"
)

Values: TypeAlias = Mapping[str, ArrayLike]
Term: TypeAlias = Callable[[Values], ArrayLike]


class Expression(NamedTuple):
    """An arithmetic expression: its text, the names it refers to, and its value once they are known."""

    text: str
    names: frozenset[str]
    term: Term

    def value(self, known: Values) -> NDArray[np.float64]:
        """Its value where the names have values `known`, numbers or arrays that broadcast; inf or nan where it divides
        by zero."""
        with np.errstate(all="ignore"):
            return np.asarray(self.term(known), dtype=np.float64)


def expression(text: str) -> Expression:
    """Parse numbers, names, + − * / and parentheses.

    Raises ValueError, in one line, for anything else.

    >>> parsed = expression("4 * (samples_per_dim + 1)")
    >>> sorted(parsed.names), float(parsed.value({"samples_per_dim": 2}))
    (['samples_per_dim'], 12.0)
    >>> expression("__import__('os')")
    Traceback (most recent call last):
    ...
    ValueError: "__import__('os')" is no arithmetic: numbers, names, + - * / and parentheses; stuck at "('os')"
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ValueError(f"an expression is a text of at most {LONGEST} characters; got {str(text)[:40]!r}")
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = text.replace("−", "-")
        self.at = self.depth = 0
        self.names: set[str] = set()

    def whole(self) -> Expression:
        found = self.sum()
        if self.plain[self.at :].strip():
            raise self.stuck()
        return Expression(self.text, frozenset(self.names), found)

    def sum(self) -> Term:
        return self.chain("+-", self.product)

    def product(self) -> Term:
        return self.chain("*/", self.factor)

    def chain(self, signs: str, part: Callable[[], Term]) -> Term:
        left = part()
        while (sign := self.peek("sign")) and sign in signs:
            self.take()
            left = _joined(SIGNS[sign], left, part())
        return left

    def factor(self) -> Term:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f'"{self.text}" nests more than {DEEPEST} deep; write it with fewer parentheses')
        found = self.atom()
        self.depth -= 1
        return found

    def atom(self) -> Term:
        sign = self.peek("sign")
        if sign is not None and sign in "+-":
            self.take()
            inner = self.factor()
            return inner if sign == "+" else lambda known: -np.asarray(inner(known))
        if sign == "(":
            self.take()
            inner = self.sum()
            if self.peek("sign") != ")":
                raise self.stuck()
            self.take()
            return inner
        if (name := self.peek("name")) is not None:
            self.take()
            self.names.add(name)
            return lambda known: np.asarray(known[name], dtype=np.float64)
        if (number := self.peek("number")) is not None:
            self.take()
            return lambda known: float(number)
        raise self.stuck()

    def peek(self, kind: str) -> str | None:
        found = TOKEN.match(self.plain, self.at)
        return found[kind] if found else None

    def take(self) -> None:
        found = TOKEN.match(self.plain, self.at)
        assert found is not None  # it was peeked at
        self.at = found.end()

    def stuck(self) -> ValueError:
        rest = self.text[self.at :].strip()
        where = f'stuck at "{rest}"' if rest else "it ends too early"
        return ValueError(f'"{self.text}" is no arithmetic: numbers, names, + - * / and parentheses; {where}')


def _joined(sign: Callable, left: Term, right: Term) -> Term:
    return lambda known: sign(np.asarray(left(known)), np.asarray(right(known)))
