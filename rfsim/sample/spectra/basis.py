"""An orthonormal basis of span{V, UV, U²V, …}, block by block, and matrices seen from it (`spectra.krylov`).

Basis vectors are rows: U is symmetric, and a few rows times a square matrix is the faster product. U and Ũ may be
operators instead of matrices (`spectra.operators`): they are only ever multiplied.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax.scipy.linalg import solve_triangular
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, namespace, placed, put
from rfsim.computing.blas import product
from rfsim.computing.parallel import decomposing
from rfsim.computing.precision import Unresolved
from rfsim.sample.spectra.eigen import resolution
from rfsim.sample.spectra.operators import Seen

Square = NDArray[np.float64]
GROUP = 4  # blocks by which the storage grows, and which are multiplied by Ũ at once: few shapes, few programs
WELL_CONDITIONED = 1e-8  # of a Gram matrix: one Cholesky-like pass leaves 1e-8 of dependence, the next one rounding
INVERSE_STEPS = 20


class KrylovBasis:
    """Orthonormal blocks K_1, K_2, … of the Krylov space, and T = KᵀUK on those multiplied by U.

    `rows` holds every block in `width` rows, those that are dependent to rounding being zero, so that all blocks have
    one shape; T and the sources leave them out. `edges` are the columns of T at each count of blocks, `solutions` the
    ridge minimizer (T + γ)⁻¹KᵀV (columns, dim) at each count.
    """

    def __init__(self, training: Seen, rank: int | None, ridge: float, expected: float = 0) -> None:
        """expected: columns that U may multiply before the basis grows by a copy, where the host computes."""
        self.training, self.ridge = training, ridge
        self.features, dim = training.noise.shape
        self.rank, self.width = min(self.features, rank or self.features), min(dim, self.features)
        self.rows = placed(np.zeros((0, self.features)))
        self._group = GROUP * self.width
        groups = 1 + int((min(expected, self.rank) + self.width) / self._group) if namespace(self.rows) is np else 0
        try:
            self._reserved = np.zeros((groups * self._group, self.features))  # takes memory where it is written to
        except MemoryError:  # a system that grants no more than there is
            self._reserved = np.zeros((0, self.features))
        self.sizes: list[int] = []  # rows of each block that are not zero, the pending one's last
        self.edges = [0]
        self.solutions: list[Square] = [np.zeros((0, dim))]
        self.second: Square = np.zeros((0, 0))
        self.beyond: Square = np.zeros((0, 0))  # Gram matrix of what U adds beyond the last block
        self.ended, self.scale = False, 0.0
        noise = training.noise.T
        if dim > self.width:  # more columns than features: an orthonormal basis of what they span
            noise = _triangular(training.noise.T)
        self._append(noise, np.asarray(_gram(noise)), None)
        if self.ended:
            raise ValueError("V is zero: the features have no linear share to learn from; use route dense")
        self.sources: Square = np.asarray(_multiply(self._block(0), training.noise))[: self.pending]

    @property
    def pending(self) -> int:
        """Columns of the block that U has not multiplied yet."""
        return 0 if self.ended else self.sizes[-1]

    def indices(self, first: int, last: int) -> NDArray[np.int64]:
        """Where the columns of blocks first … last − 1 stand in `rows`."""
        return np.concatenate([k * self.width + np.arange(self.sizes[k]) for k in range(first, last)])

    def extend(self) -> None:
        """Multiply the pending block by U, and orthogonalize the product into the next one."""
        k, width, start = len(self.sizes) - 1, self.pending, self.edges[-1]
        product, columns = _multiply(self._block(k), self.training.second), np.zeros((start + width, width))
        # T is block tridiagonal: the product has no share in earlier blocks
        first = max(k - 1, 0)
        share, product = _remove(_rows(self.rows, first * self.width, (k + 1 - first) * self.width), product)
        here = self.indices(first, k + 1)
        columns[self.edges[first] :] = np.asarray(share).T[here - first * self.width, :width]
        grown = np.zeros((start + width, start + width))
        grown[:start, :start] = self.second
        grown[:, start:], grown[start:, :] = columns, columns.T
        grown[start:, start:] = (columns[start:] + columns[start:].T) / 2
        self.second = grown
        self.edges.append(start + width)
        right = np.pad(self.sources, ((0, len(grown) - len(self.sources)), (0, 0)))
        self.solutions.append(scipy.linalg.cho_solve_banded(self._factor(), right, check_finite=False))
        self.scale = max(self.scale, float(np.abs(grown[start:, start:]).sum(axis=0).max()))  # above its 2-norm
        gram = np.asarray(_gram(product))
        self.beyond = gram[:width, :width]
        self._append(product, gram, self.scale)

    def minimizer(self, count: int, seen: SeenFrom | None) -> list[float]:
        """Twice own of the ridge minimizer on `count` blocks; and, once `seen`, twice cross, and overlap."""
        x = self.solutions[count]
        size, d = x.shape
        values = [2 * np.vdot(self.sources, x[: len(self.sources)]) / d]
        if seen is not None:
            quadratic = np.vdot(x, seen.second[:size, :size] @ x)
            values += [2 * np.vdot(seen.noise[:size], x) / d, quadratic / d]
        return values

    def smallest(self) -> float:
        """θ_min + γ, from above, by inverse iteration."""
        factor, x, size = self._factor(), np.ones(len(self.second)), 1.0
        for _ in range(INVERSE_STEPS):
            x = scipy.linalg.cho_solve_banded(factor, x)
            size = float(np.linalg.norm(x))
            x /= size
        return 1 / size

    def residual(self) -> float:
        """‖V − (U + γ)X‖_F over ‖V‖_F for the minimizer X: what U adds beyond the last block, times X there."""
        x = self.solutions[-1][self.edges[-2] :]
        return float(np.sqrt(max(np.vdot(x, self.beyond @ x), 0.0)) / np.linalg.norm(self.sources))

    def _factor(self) -> tuple[Square, bool]:
        """The banded Cholesky factor of T + γ, as scipy has it."""
        size = len(self.second)
        bands = np.zeros((min(2 * self.width, size), size))
        for k, band in enumerate(bands):
            band[: size - k] = np.diagonal(self.second, -k)
        bands[0] += self.ridge
        try:
            return scipy.linalg.cholesky_banded(bands, overwrite_ab=True, lower=True, check_finite=False), True
        except np.linalg.LinAlgError:
            raise Unresolved(
                "U is singular to rounding on the Krylov space of V", "add a {ridge} or take fewer features"
            ) from None

    def _block(self, k: int) -> Numbers:
        return _rows(self.rows, k * self.width, self.width)

    def _larger(self) -> Numbers:
        """The rows with those of another group of blocks."""
        if (count := len(self.rows) + self._group) <= len(self._reserved):
            return self._reserved[:count]
        self._reserved = self._reserved[:0].copy()  # the rows hold what is in use of it
        return namespace(self.rows).concatenate([self.rows, np.zeros((self._group, self.features))])

    def _append(self, block: Numbers, gram: Square, scale: float | None) -> None:
        """The next block: the directions of `block` (width, features) that `scale` resolves, orthogonalized once more.

        gram: block·blockᵀ; scale: by default the block's own. Directions beyond the rank of U can only be rounding:
        kept, they would be flat ones, and 1/θ would blow them up.
        """
        energy, rotation = (part[..., ::-1] for part in scipy.linalg.eigh(gram, check_finite=False))
        least = resolution(self.features, np.sqrt(max(energy[0], 0.0)) if scale is None else scale)
        if energy[-1] > max(WELL_CONDITIONED * energy[0], least**2):
            found, block = self.width, _multiply((rotation / np.sqrt(energy)).T, block)
        else:  # a Gram matrix knows singular values to the root of rounding only
            orthonormal, size = _singular(block)
            found, block = int((np.asarray(size) > least).sum()), orthonormal
        found = min(found, self.rank - self.edges[-1])
        self.ended = found == 0
        if self.ended:
            return
        keep = np.arange(self.width) < found
        if len(self.sizes) % GROUP == 0:
            self.rows = self._larger()
        _, block = _remove(self.rows, block * keep[:, None])
        self.rows = _store(self.rows, _normalize(block, keep), len(self.sizes) * self.width)
        self.sizes.append(found)


class SeenFrom:
    """Ũ and Ṽ on the blocks of a basis that are part of T: second KᵀŨK, noise KᵀṼ; extended as the basis grows."""

    def __init__(self, moments: Seen) -> None:
        self.moments, self.count = moments, 0
        self.second: Square = np.zeros((0, 0))
        self.noise: Square = np.zeros((0, moments.noise.shape[1]))

    def extend(self, basis: KrylovBasis) -> None:
        """Take in the blocks by which the basis has grown."""
        total, width = len(basis.edges) - 1, basis.width
        old, self.second = self.second, np.zeros((basis.edges[-1], basis.edges[-1]))
        self.second[: len(old), : len(old)] = old
        while self.count < total:
            k = self.count
            many = GROUP if total - k >= GROUP else 1
            chunk = _rows(basis.rows, k * width, many * width)
            earlier = _rows(basis.rows, 0, -(-(k + many) // GROUP) * GROUP * width)  # in groups: few shapes
            product = np.asarray(_across(_multiply(chunk, self.moments.second), earlier)).T
            noise = np.asarray(_multiply(chunk, self.moments.noise))
            inside, until = basis.indices(k, k + many) - k * width, basis.indices(0, k + many)
            lo, hi = basis.edges[k], basis.edges[k + many]
            part = product[np.ix_(until, inside)]
            self.second[:hi, lo:hi] = part
            self.second[lo:hi, :hi] = part.T
            self.second[lo:hi, lo:hi] = (part[lo:] + part[lo:].T) / 2
            self.noise = np.concatenate([self.noise, noise[inside]])
            self.count += many


_matmul = compiled(lambda left, right: left @ right)
_gram = compiled(lambda block: block @ block.T)
_across = compiled(lambda left, right: _multiply(left, right.T))


def _multiply(left: Numbers, right: Numbers) -> Numbers:
    dense = isinstance(left, np.ndarray) and isinstance(right, np.ndarray)  # U may be a product of factors
    return product(left, right) if dense else _matmul(left, right)


def _rows(rows: Numbers, start: int, count: int) -> Numbers:
    return rows[start : start + count] if namespace(rows) is np else _sliced(rows, start, count)


def _store(rows: Numbers, block: Numbers, start: int) -> Numbers:
    return put(rows, slice(start, start + len(block)), block) if namespace(rows) is np else _stored(rows, block, start)


_sliced = jax.jit(partial(jax.lax.dynamic_slice_in_dim, axis=0), static_argnums=2)
_stored = jax.jit(partial(jax.lax.dynamic_update_slice_in_dim, axis=0), donate_argnums=0)


@compiled
def _remove(rows: Numbers, rest: Numbers) -> tuple[Numbers, Numbers]:
    """The share of `rows` in `rest`, and what is left without it."""
    share = _multiply(rest, rows.T)
    return share, rest - _multiply(share, rows)


@decomposing
@compiled
def _triangular(rows: Numbers) -> Numbers:
    return namespace(rows).linalg.qr(rows, mode="r")


@decomposing
@compiled
def _singular(block: Numbers) -> tuple[Numbers, Numbers]:
    """Orthonormal rows that span `block`, by falling singular value, and those values."""
    _, size, right = namespace(block).linalg.svd(block, full_matrices=False)
    return right, size


@decomposing
@compiled
def _normalize(block: Numbers, keep: Numbers) -> Numbers:
    """Orthonormal rows from nearly orthonormal ones where `keep`, zero elsewhere."""
    xp = namespace(block)
    root = xp.linalg.cholesky(block @ block.T + xp.diag(1.0 - keep))
    if xp is np:
        return scipy.linalg.solve_triangular(root, np.eye(len(keep)), lower=True, check_finite=False) @ block
    return solve_triangular(root, jnp.eye(len(keep)), lower=True) @ block
