"""Derived parameters: arithmetic on the names of other parameters, parsed as Python's grammar has it and never run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.disk.provenance import PARSING

LONGEST, DEEPEST = 500, 50  # characters; parentheses inside each other
SIGNS: Mapping[type[ast.AST], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
}
LETTERS = re.compile(r"(?a)[\w .+*/()-]*")  # of arithmetic: Python's parser sees no others
NUMBER = re.compile(r"(?a)(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")  # neither 1_000 nor 0x10

Values: TypeAlias = Mapping[str, ArrayLike]


class Expression(NamedTuple):
    """An arithmetic expression: its text, the names it refers to, and its value once they are known."""

    text: str
    names: frozenset[str]
    tree: ast.expr

    def value(self, known: Values) -> NDArray[np.float64]:
        """Its value where the names have values `known`, numbers or arrays that broadcast; inf or nan where it divides
        by zero."""
        with np.errstate(all="ignore"):
            return _value(self.tree, known)


def expression(text: str) -> Expression:
    """Parse numbers, names, + − * / and parentheses.

    Raises ValueError, in one line, for anything else.

    >>> parsed = expression("4 * (samples_per_dim + 1)")
    >>> sorted(parsed.names), float(parsed.value({"samples_per_dim": 2}))
    (['samples_per_dim'], 12.0)
    >>> expression("2 * abs(ridge)")
    Traceback (most recent call last):
    ...
    ValueError: "2 * abs(ridge)" is no arithmetic: numbers, names, + - * / and parentheses; stuck at "abs(ridge)"
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ValueError(f"an expression is a text of at most {LONGEST} characters; got {str(text)[:40]!r}")
    plain = re.sub(r"\s", " ", text.strip().replace("−", "-"))

    def stuck(at: int) -> ValueError:
        where = f'stuck at "{plain[at:]}"' if plain[at:] else "it ends too early"
        return ValueError(f'"{text}" is no arithmetic: numbers, names, + - * / and parentheses; {where}')

    if (known := len(LETTERS.match(plain)[0])) < len(plain):  # pyright: ignore[reportOptionalSubscript]
        raise stuck(known)
    if max(accumulate((one == "(") - (one == ")") for one in plain), default=0) >= DEEPEST:
        raise ValueError(f'"{text}" nests more than {DEEPEST} deep; write it with fewer parentheses')
    try:
        with PARSING, warnings.catch_warnings(action="error"):  # of a number that runs into a word
            tree = ast.parse(plain, mode="eval").body
    except SyntaxError as error:
        raise stuck((error.offset or 1) - 1) from None
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    if others := [node.col_offset for node in parts if not _is_arithmetic(node, plain)]:
        raise stuck(min(others))
    return Expression(text, frozenset(node.id for node in parts if isinstance(node, ast.Name)), tree)


def _is_arithmetic(node: ast.expr, text: str) -> bool:
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        return type(node.op) in SIGNS
    if isinstance(node, ast.Constant):
        return NUMBER.fullmatch(text, node.col_offset, node.end_col_offset or 0) is not None
    return isinstance(node, ast.Name)


def _value(node: ast.expr, known: Values) -> NDArray[np.float64]:
    match node:
        case ast.BinOp(left, sign, right):
            return SIGNS[type(sign)](_value(left, known), _value(right, known))
        case ast.UnaryOp(sign, inner):
            return SIGNS[type(sign)](_value(inner, known))
        case ast.Name(name):
            return np.asarray(known[name], dtype=np.float64)
        case ast.Constant(number):
            return np.asarray(float(str(number)))  # through its text: an integer may be past float64
    raise AssertionError(ast.dump(node))  # `expression` lets no other through
