"""An orthonormal basis of span{V, UV, U²V, …}, block by block, and matrices seen from it (`spectra.krylov`)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import Array
from numpy.typing import NDArray

from rfsim.moments import Moments
from rfsim.spectra.sample import resolution

Square = NDArray[np.float64]


class KrylovBasis:
    """Orthonormal blocks K_1, K_2, … (features, width) of the Krylov space, and T = KᵀUK on those multiplied by U.

    Columns that are dependent to rounding are zero, at the end of their block, so that every block has one shape and
    one compiled program; T and the sources leave them out. `edges` are the columns of T at each count of blocks,
    `solutions` the ridge minimizer (T + γ)⁻¹KᵀV (columns, dim) at each count.
    """

    def __init__(self, training: Moments, rank: int | None, ridge: float) -> None:
        self.training, self.ridge = training, ridge
        self.rank = min(training.second.shape[0], rank or training.second.shape[0])
        self.blocks: list[Array] = []
        self.edges = [0]
        self.solutions: list[Square] = [np.zeros((0, training.noise.shape[1]))]
        self.second: Square = np.zeros((0, 0))
        self.coupling: Square = np.zeros((0, 0))  # R of what U adds beyond the last block
        self.pending, self.ended, self.scale = 0, False, 0.0
        orthonormal, factor = _qr(training.noise)
        first = self._append(orthonormal, np.asarray(factor), float(np.linalg.norm(factor, 2)))
        self.sources = first

    def extend(self) -> None:
        """Multiply the pending block by U, and orthogonalize the product into the next one."""
        block, width, start = self.blocks[-1], self.pending, self.edges[-1]
        product, columns = _multiply(self.training.second, block), np.zeros((start + width, width))
        # T is block tridiagonal: the product has no share in earlier blocks
        for k in range(max(len(self.blocks) - 2, 0), len(self.blocks)):
            share, product = _remove(self.blocks[k], product)
            lo, hi = self.edges[k], (*self.edges, start + width)[k + 1]
            columns[lo:hi] = np.asarray(share)[: hi - lo, :width]
        grown = np.zeros((start + width, start + width))
        grown[:start, :start] = self.second
        grown[:, start:], grown[start:, :] = columns, columns.T
        grown[start:, start:] = (columns[start:] + columns[start:].T) / 2
        self.second = grown
        self.edges.append(start + width)
        self.solutions.append(self._solution())
        orthonormal, factor = _qr(product)
        self.coupling = np.asarray(factor)[:, :width]
        self.scale = max(self.scale, float(np.linalg.norm(columns[start:], 2)))
        self._append(orthonormal, np.asarray(factor), self.scale)

    def minimizer(self, count: int, seen: SeenFrom | None) -> list[float]:
        """Twice own of the ridge minimizer on `count` blocks; and, once `seen`, twice cross, and overlap."""
        x = self.solutions[count]
        size, d = x.shape
        values = [2 * np.vdot(self.sources, x[: len(self.sources)]) / d]
        if seen is not None:
            quadratic = np.vdot(x, seen.second[:size, :size] @ x)
            values += [2 * np.vdot(seen.noise[:size], x) / d, quadratic / d]
        return values

    def residual(self) -> float:
        """‖V − (U + γ)X‖_F over ‖V‖_F for the minimizer X: what U adds beyond the last block, times X there."""
        beyond = self.coupling @ self.solutions[-1][self.edges[-2] :]
        return float(np.linalg.norm(beyond) / np.linalg.norm(self.sources))

    def _solution(self) -> Square:
        matrix = self.second + self.ridge * np.eye(len(self.second))
        right = np.zeros((len(matrix), self.sources.shape[1]))
        right[: len(self.sources)] = self.sources
        try:
            return scipy.linalg.cho_solve(scipy.linalg.cho_factor(matrix, overwrite_a=True, check_finite=False), right)
        except np.linalg.LinAlgError:
            raise ValueError(
                "U is singular to rounding on the Krylov space of V: add a ridge or take fewer features"
            ) from None

    def _append(self, orthonormal: Array, factor: Square, scale: float) -> Square:
        """The next block: the directions of orthonormal @ factor that `scale` resolves, orthogonalized once more.

        Returns their coefficients (directions, columns of factor). Directions beyond the rank of U can only be
        rounding: kept, they would be flat ones, and 1/θ would blow them up.
        """
        left, size, right = np.linalg.svd(factor, full_matrices=False)
        self.pending = min(int((size > resolution(orthonormal.shape[0], scale)).sum()), self.rank - self.edges[-1])
        self.ended = self.pending == 0
        keep = np.arange(size.size) < self.pending
        if not self.ended:
            block = _multiply(orthonormal, jnp.asarray(left * keep))
            for earlier in self.blocks:
                _, block = _remove(earlier, block)
            self.blocks.append(_normalize(block, jnp.asarray(keep)))
        return (size[:, None] * right)[: self.pending]


class SeenFrom:
    """Ũ and Ṽ on the blocks of a basis that are part of T: second KᵀŨK, noise KᵀṼ; extended as the basis grows."""

    def __init__(self, moments: Moments) -> None:
        self.moments, self.count = moments, 0
        self.second: Square = np.zeros((0, 0))
        self.noise: Square = np.zeros((0, moments.noise.shape[1]))

    def extend(self, basis: KrylovBasis) -> None:
        edges, old = basis.edges, self.second
        self.second = np.zeros((edges[-1], edges[-1]))
        self.second[: len(old), : len(old)] = old
        for j in range(self.count, len(edges) - 1):
            here, width = slice(edges[j], edges[j + 1]), edges[j + 1] - edges[j]
            product = _multiply(self.moments.second, basis.blocks[j])
            for i in range(j + 1):
                part = np.asarray(_inner(basis.blocks[i], product))[: edges[i + 1] - edges[i], :width]
                self.second[edges[i] : edges[i + 1], here] = part
                self.second[here, edges[i] : edges[i + 1]] = part.T
            noise = np.asarray(_inner(basis.blocks[j], self.moments.noise))[:width]
            self.noise = np.concatenate([self.noise, noise])
        self.count = len(edges) - 1


_multiply = jax.jit(jnp.matmul)
_inner = jax.jit(lambda left, right: left.T @ right)
_qr = jax.jit(jnp.linalg.qr)


@jax.jit
def _remove(block: Array, rest: Array) -> tuple[Array, Array]:
    """The share of `block` in `rest`, and what is left without it."""
    share = block.T @ rest
    return share, rest - block @ share


@jax.jit
def _normalize(block: Array, keep: Array) -> Array:
    """Orthonormal columns from nearly orthonormal ones where `keep`, zero elsewhere."""
    root = jnp.linalg.cholesky(block.T @ block + jnp.diag(1.0 - keep))
    return jax.scipy.linalg.solve_triangular(root, block.T, lower=True).T
