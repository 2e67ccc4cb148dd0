"""The linear equations of one pair of links, solved for features and samples alone (equations.md D10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.limit.blocks import Blocks, first_times, times_last
from rfsim.limit.operators import Link, Medium, Operator


class Sides(NamedTuple):
    """An operator's entries, and how they are shaped beside traces of pairs of nodes."""

    operator: Operator
    shaped: Callable[[NDArray], NDArray]

    def part(self, rows: str, columns: str) -> NDArray:
        """The constants, or coefficients, between two classes."""
        return self.shaped(self.operator.part(rows, columns))

    def noises(self, rows: str, columns: str) -> NDArray:
        """A link's own are those of all of its nodes."""
        return self.operator.noises(rows, columns)[..., None, None, :, :]


def from_left(one: Operator) -> Sides:
    """A link's own entries to the left of traces (..., nodes, nodes, rows, columns)."""
    return Sides(one, lambda values: values[..., :, None, :, :])


def from_right(one: Operator) -> Sides:
    """A link's own entries to the right of them."""
    return Sides(one, lambda values: values[..., None, :, :, :])


def tied(one: Operator | None) -> Sides | None:
    """A tie's entries, the same for all nodes, on either side."""
    return None if one is None else Sides(one, lambda values: values[..., None, None, :, :])


def sandwich(medium: Medium, left: Sides, inside: Blocks, right: Sides) -> Blocks:
    """𝒮 of traces between two operators."""
    psi_p, psi_n, values, weights, noises = medium
    p = _over_atoms(weights, left.part("p", "d"), inside.d, right.part("d", "p"))
    p = p + _noisy(noises, left.noises("p", "n"), inside.n, right.noises("n", "p"))
    n = _over_atoms(weights * values, left.part("n", "d"), inside.d, right.part("d", "n")) / psi_n
    n = n + psi_p / psi_n * _noisy(noises, left.noises("n", "p"), inside.p, right.noises("p", "n"))
    weighted = psi_p * (left.part("d", "p") @ inside.p @ right.part("p", "d"))
    sampled = left.part("d", "n") @ inside.n @ right.part("n", "d")
    return Blocks(p, n, weighted[..., None, :, :] + values[:, None, None] * sampled[..., None, :, :])


def _over_atoms(weights: NDArray, left: NDArray, inside: NDArray, right: NDArray) -> NDArray:
    mean = weights[0] * inside[..., 0, :, :] if weights.size == 1 else np.einsum("...ajk,a->...jk", inside, weights)
    return left @ mean @ right


def _noisy(noises: NDArray, left: NDArray, inside: NDArray, right: NDArray) -> NDArray:
    """Σ_jk E Ω_jΩ_k left_j · inside · right_k over the few noises that stand on either side."""
    found = np.zeros((left.shape[-2], right.shape[-1]))
    if not found.size:
        return found
    near, far = (np.flatnonzero(one.reshape(len(one), -1).any(1)) for one in (left, right))
    for j in near.tolist() if far.size else ():
        found = found + left[j] @ inside @ np.tensordot(noises[j, far], right[far], axes=1)
    return found


def solve(medium: Medium, first: Link, last: Link, right: Blocks) -> Blocks:
    """𝔾 of 𝔾 − 𝔾_first 𝒮(H_first, 𝔾, H_last) 𝔾_last = right.

    Directions couple to features and samples alone, so that what is solved for are the unknowns of these two, each
    entry of whose matrix is a product of what belongs to one node of the first link and of what belongs to one of the
    last.
    """
    shapes = [one.shape[-2:] for one in right[:2]]
    sizes = [rows * columns for rows, columns in shapes]
    near, far = from_left(first.operator), from_right(last.operator)
    matrix = _coupling(medium, first, last)
    if matrix is None or not sum(sizes):
        return _with_directions(medium, first, last, right, right)
    hidden = Blocks(np.zeros(shapes[0]), np.zeros(shapes[1]), right.d)
    image = first_times(first.inverse, times_last(sandwich(medium, near, hidden, far), last.inverse))
    target = [a + b for a, b in zip(right[:2], image[:2], strict=True)]
    target = [one.reshape(*one.shape[:-2], -1) for one in target]
    batch = np.broadcast_shapes(matrix.shape[:-2], *(one.shape[:-1] for one in target))
    whole = np.concatenate([np.broadcast_to(one, (*batch, one.shape[-1])) for one in target], axis=-1)
    found = _linear(np.eye(sum(sizes)) - matrix, whole)
    pieces = np.split(found, [sizes[0]], axis=-1)
    p, n = (one.reshape(*batch, *shape) for one, shape in zip(pieces, shapes, strict=True))
    return _with_directions(medium, first, last, Blocks(p, n, right.d), right)


def _with_directions(medium: Medium, first: Link, last: Link, found: Blocks, right: Blocks) -> Blocks:
    """The traces of directions that go with those of features and samples."""
    alone = found._replace(d=np.zeros(found.d.shape[-3:]))
    image = sandwich(medium, from_left(first.operator), alone, from_right(last.operator)).d
    near, far = first.inverse.d[..., :, None, :, :, :], last.inverse.d[..., None, :, :, :, :]
    return found._replace(d=right.d + near @ image @ far)


def _coupling(medium: Medium, first: Link, last: Link) -> NDArray | None:
    """How unknowns of features and samples enter their own equations, directly and by directions; None where none do.

    (..., nodes, nodes, unknowns, unknowns).
    """
    psi_p, psi_n, values, weights, noises = medium
    one, two = first.operator, last.operator
    if not all(each.fixed.any() for each in (_mixed(one), _mixed(two))) and not (one.noise.any() and two.noise.any()):
        return None
    into = {"p": weights, "n": weights * values / psi_n}
    from_ = {"p": np.full_like(values, psi_p), "n": values}
    rows = []
    for to in "pn":
        near = getattr(first.inverse, to)[..., None, :, :] @ one.part(to, "d")[..., None, :, :] @ first.inverse.d
        far = last.inverse.d @ two.part("d", to)[..., None, :, :] @ getattr(last.inverse, to)[..., None, :, :]
        row = []
        for of in "pn":
            left, right = near @ one.part("d", of)[..., None, :, :], two.part(of, "d")[..., None, :, :] @ far
            entry = _outer(left, right, into[to] * from_[of])
            if to != of:
                a = getattr(first.inverse, to)[..., None, :, :] @ _by_noise(one.noises(to, of))
                b = _by_noise(two.noises(of, to)) @ getattr(last.inverse, to)[..., None, :, :]
                frozen = np.einsum("jk,...kab->...jab", noises, b)
                entry = entry + _outer(a, frozen, np.full(len(noises), 1.0 if to == "p" else psi_p / psi_n))
            row.append(entry)
        rows.append(row)
    batch = np.broadcast_shapes(*(entry.shape[:-2] for row in rows for entry in row))
    return np.concatenate(
        [np.concatenate([np.broadcast_to(e, (*batch, *e.shape[-2:])) for e in row], axis=-1) for row in rows], axis=-2
    )


def _mixed(one: Operator) -> Operator:
    """An operator's coefficients between directions and the other classes."""
    rows, columns = (np.array([kind == "d" for kind in text], dtype=bool) for text in (one.rows, one.columns))
    return one._replace(fixed=np.where(rows[:, None] != columns, one.fixed, 0.0))


def _by_noise(values: NDArray) -> NDArray:
    """(noises, ..., rows, columns) with noises next to the entries."""
    return np.moveaxis(values, 0, -3)


def _outer(left: NDArray, right: NDArray, factor: NDArray) -> NDArray:
    """Σ_l factor_l left_l ⊗ right_l over nodes of both: left (..., nodes, l, a, e), right (..., nodes, l, f, b).

    (..., nodes, nodes, a·b, e·f).
    """
    found = np.einsum("...mlae,...klfb,l->...mkabef", left, right, factor)
    *batch, a, b, e, f = found.shape
    return found.reshape(*batch, a * b, e * f)


def _linear(matrix: NDArray, right: NDArray) -> NDArray:
    """Solutions of small systems; of two unknowns in closed form, for all nodes at once."""
    if matrix.shape[-1] == 1:
        return right / matrix[..., 0]
    if matrix.shape[-1] == 2:
        (a, b), (c, d) = np.moveaxis(matrix, (-2, -1), (0, 1))
        x, y = np.moveaxis(right, -1, 0)
        return np.stack([d * x - b * y, a * y - c * x], axis=-1) / (a * d - b * c)[..., None]
    return np.linalg.solve(matrix, right[..., None])[..., 0]
