"""Traces of a chain's blocks, one array for each class of variables, and their arithmetic over nodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Blocks(NamedTuple):
    """What is diagonal in the class: p and n (..., rows, columns), d (..., atoms, rows, columns).

    Of a pair of links "..." ends with the nodes of the first and of the second, of one link with its nodes.
    """

    p: NDArray
    n: NDArray
    d: NDArray


def diagonal(values: NDArray, atoms: bool) -> NDArray:
    """(..., nodes, rest) as (..., nodes, nodes, rest), nothing off the diagonal."""
    axis = values.ndim - 3 - atoms
    eye = np.eye(values.shape[axis])
    return np.expand_dims(values, axis + 1) * eye.reshape(*eye.shape, *[1] * (2 + atoms))


def of_nodes(values: NDArray, atoms: bool) -> NDArray:
    """The diagonal of nodes of (..., nodes, nodes, rest)."""
    axis = values.ndim - 4 - atoms
    return np.moveaxis(np.diagonal(values, axis1=axis, axis2=axis + 1), -1, axis)


def first_times(inverse: Blocks, right: Blocks) -> Blocks:
    """A link's inverse, by nodes, times traces of pairs that begin with it."""
    p, n, d = inverse
    return Blocks(p[..., :, None, :, :] @ right.p, n[..., :, None, :, :] @ right.n, d[..., :, None, :, :, :] @ right.d)


def times_last(left: Blocks, inverse: Blocks) -> Blocks:
    """Traces of pairs times the inverse of the link that they end with, by nodes."""
    p, n, d = inverse
    return Blocks(left.p @ p[..., None, :, :, :], left.n @ n[..., None, :, :, :], left.d @ d[..., None, :, :, :, :])


def through(left: Blocks, right: Blocks) -> Blocks:
    """The product of two pairs over the nodes between."""
    return Blocks(
        np.einsum("...mkab,...klbc->...mlac", left.p, right.p),
        np.einsum("...mkab,...klbc->...mlac", left.n, right.n),
        np.einsum("...mkzab,...klzbc->...mlzac", left.d, right.d),
    )


def over_first(blocks: Blocks, weights: NDArray) -> Blocks:
    """The weighted sum over the nodes of the first link; their axis stays."""
    p, n, d = blocks
    w = weights[:, None, None, None]
    return Blocks(
        (w * p).sum(-4, keepdims=True), (w * n).sum(-4, keepdims=True), (w[..., None] * d).sum(-5, keepdims=True)
    )


def over_last(blocks: Blocks) -> Blocks:
    """The sum over the nodes of the last link; their axis stays."""
    p, n, d = blocks
    return Blocks(p.sum(-3, keepdims=True), n.sum(-3, keepdims=True), d.sum(-4, keepdims=True))


def weighted_last(blocks: Blocks, weights: NDArray) -> Blocks:
    """Each node of the last link by its weight."""
    p, n, d = blocks
    w = weights[:, None, None]
    return Blocks(w * p, w * n, w[..., None] * d)


def summed(blocks: Blocks, weights: NDArray) -> Blocks:
    """Over the nodes of both ends: those of the last have been weighted on entering."""
    p, n, d = blocks
    w = weights[..., None, None]
    return Blocks((w * p).sum((-4, -3)), (w * n).sum((-4, -3)), (w[..., None] * d).sum((-5, -4)))


def plus(left: Blocks, right: Blocks) -> Blocks:
    """The sum, class by class."""
    return Blocks(*(a + b for a, b in zip(left, right, strict=True)))


def minus(left: Blocks, right: Blocks) -> Blocks:
    """The difference, class by class."""
    return Blocks(*(a - b for a, b in zip(left, right, strict=True)))


def scaled(blocks: Blocks, factor: float) -> Blocks:
    """A multiple, class by class."""
    return Blocks(*(factor * one for one in blocks))
