"""Block operators over a few variables, each of one class: features, samples or directions (equations.md D10)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.blocks import Blocks

CLASSES = "pnd"


class Medium(NamedTuple):
    """What all links of a chain share.

    ψ_p, ψ_n, ρ_Σ as values l and weights (atoms,), and E Ω_jΩ_k (noises, noises).
    """

    features_per_dim: float
    samples_per_dim: float
    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    noises: NDArray[np.float64]


class Operator(NamedTuple):
    """Entries between variables, whose classes are texts over "pnd", in this order.

    fixed (..., rows, columns): constants within a class, coefficients of W/√d between p and d and of X/√n between d and
    n; noise (noises, ..., rows, columns): coefficients of Ω_j/√n between p and n. Where rows and columns are the other
    way round their transposes stand there.
    """

    rows: str
    columns: str
    fixed: NDArray
    noise: NDArray

    @property
    def transpose(self) -> Operator:
        """The operator from the other side."""
        return Operator(self.columns, self.rows, self.fixed.swapaxes(-1, -2), self.noise.swapaxes(-1, -2))

    def part(self, rows: str, columns: str) -> NDArray:
        """The constants, or coefficients, between two classes: (..., rows, columns)."""
        return self.fixed[..., _span(self.rows, rows), _span(self.columns, columns)]

    def noises(self, rows: str, columns: str) -> NDArray:
        """The coefficients of each Ω_j/√n: (noises, ..., rows, columns)."""
        return self.noise[..., _span(self.rows, rows), _span(self.columns, columns)]


class Link(NamedTuple):
    """Σ weights × an operator's inverse over nodes, weights (nodes,).

    The operator at each node, fixed (..., nodes, rows, columns), and the normalized traces of its inverse there.
    """

    operator: Operator
    inverse: Blocks
    weights: NDArray

    @property
    def variables(self) -> str:
        """Those of its rows, one letter each for its class."""
        return self.operator.rows

    @property
    def transpose(self) -> Link:
        """The link from the other side."""
        turned = Blocks(*(one.swapaxes(-1, -2) for one in self.inverse))
        return Link(self.operator.transpose, turned, self.weights)


def operator(
    medium: Medium,
    rows: str,
    columns: str,
    fixed: Mapping[tuple[int, int], ArrayLike] | None = None,
    noise: Mapping[tuple[int, int], Mapping[int, float]] | None = None,
) -> Operator:
    """An operator of its entries by (row, column); of noises by number.

    Raises ValueError for variables out of order, and for an entry where its kind does not stand.
    """
    for text in (rows, columns):
        if list(text) != sorted(text, key=CLASSES.index):
            raise ValueError(f"variables must come in the order p, n, d; got {text!r}")
    given = {place: np.asarray(value) for place, value in (fixed or {}).items()}
    kind = np.result_type(float, *given.values())
    whole = np.zeros((*np.broadcast_shapes(*(one.shape for one in given.values())), len(rows), len(columns)), kind)
    noises = np.zeros((len(medium.noises), len(rows), len(columns)))
    for (row, column), value in given.items():
        if {rows[row], columns[column]} == {"p", "n"}:
            raise ValueError(f"between p and n only noises stand; got a constant at {row, column}")
        whole[..., row, column] = value
    for (row, column), by in (noise or {}).items():
        if {rows[row], columns[column]} != {"p", "n"}:
            raise ValueError(f"noises stand between p and n; got one at {row, column}")
        for number, value in by.items():
            noises[number, row, column] = value
    return Operator(rows, columns, whole, noises)


@cache
def _span(variables: str, kind: str) -> slice:
    first = variables.find(kind)
    return slice(first, first + variables.count(kind)) if first >= 0 else slice(0, 0)
