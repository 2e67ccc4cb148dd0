"""Nearest and second nearest points of samples, exact (equations.md §8; B25 Eq. 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.arrays import compiled, mapped, namespace, placed
from rfsim.computing.precision import require_float64

ROWS, BLOCK = 1024, 128  # samples and points of one product, which then stays in a core's cache


PAIRS = 2**21  # entries of the differences held at once


def distinct(points: ArrayLike) -> NDArray[np.float64]:
    """The different training points, in the order in which they come first (§8).

    Args:
        points: (n, dim).

    Returns:
        (different, dim); the points themselves where no two are equal.

    Raises:
        ValueError: For copies of one point only, or values that are not finite.
    """
    y = finite("points", points)
    first = {row.tobytes(): k for k, row in reversed(list(enumerate(y + 0.0)))}  # −0 is 0
    if len(first) < 2 <= len(y):
        raise ValueError(f"nearest and second nearest need 2 different training points; got {len(y)} copies of one")
    return y if len(first) == len(y) else y[sorted(first.values())]


def nearest_two(samples: ArrayLike, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Euclidean distances of each sample to its nearest and second nearest point (§8; B25 Eq. 6).

    Exact: products only exclude blocks of points whose nearest is farther by more than rounding, and the distances
    themselves are of differences. Memory of ROWS × n/BLOCK; what rounding cannot exclude costs time, not digits.

    Args:
        samples: (rows, dim).
        points: (n, dim).

    Returns:
        The two distances, (rows,) and (rows,), in units of the data.

    Raises:
        ValueError: For fewer than 2 points, another dimension, or values that are not finite.
        RuntimeError: In float32.
    """
    require_float64()
    x, y = finite("samples", samples), finite("points", points)
    if len(y) < 2:
        raise ValueError(f"nearest and second nearest need at least 2 training points; got {len(y)}")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"samples and points must share their dimension; got {x.shape[1]} and {y.shape[1]}")
    width, d = min(BLOCK, len(y)), y.shape[1]
    count = -(-len(y) // width)
    # infinitely far points fill the last block
    blocks = np.full((count * width, d), np.inf)
    blocks[: len(y)] = y
    blocks = placed(blocks.reshape(count, width, d))
    middle = y.mean(axis=0)
    size = -(-len(x) // max(1, -(-len(x) // ROWS)))
    squares = [_nearest_in_blocks(x[lo : lo + size], blocks, middle, size) for lo in range(0, len(x), size)]
    first, second = np.sqrt(np.concatenate(squares, axis=1))
    return first, second


def finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Samples or points as float64.

    Args:
        name: Of the values, for the message.
        values: (rows, dim).

    Returns:
        (rows, dim).

    Raises:
        ValueError: For another shape, no rows, or values that are not finite.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not len(found):
        raise ValueError(f"{name} must have the shape (rows, dim), one row or more; got {found.shape}")
    bad = int(np.count_nonzero(~np.isfinite(found)))
    if bad:
        raise ValueError(f"{name} hold {bad} NaN or infinite values: a sampler diverged, or the data are broken")
    return found


def _nearest_in_blocks(x, blocks, middle, size):
    """The two least squared distances (2, rows) of at most `size` samples: of the pairs that products leave over."""
    rows = np.zeros((size, x.shape[1]))
    rows[: len(x)] = x
    kept = np.asarray(_candidates(placed(rows - middle), blocks, middle))[:, : len(x)]
    row, block = np.nonzero(kept.T)
    # filled up to a power of two, so that few programs serve all; up to PAIRS few points cost ten times as much
    chunk = max(1, min(PAIRS // blocks[0].size, 1 << (row.size - 1).bit_length()))
    pairs = np.zeros((2, -(-row.size // chunk) * chunk), dtype=np.int64)
    pairs[:, : row.size] = row, block
    found = [_two_least(rows, blocks, *pairs[:, lo : lo + chunk]) for lo in range(0, pairs.shape[1], chunk)]
    squares = np.concatenate(found, axis=1)[:, : row.size].ravel()
    row = np.tile(row, 2)
    order = np.lexsort((squares, row))
    at = np.searchsorted(row[order], np.arange(len(x)))
    return squares[order][[at, at + 1]]


@compiled
def _candidates(x, blocks, middle):
    """Which blocks (blocks, rows) may hold one of a sample's two nearest points, for samples less the middle.

    The least ‖y‖² − 2x·y of a block is off by at most (d + 4) eps (‖x‖ + ‖y‖)², centering included. Two blocks lie
    below the second least upper bound, so two points do, and a block above it holds neither of the nearest two.
    """
    xp = namespace(x, blocks)
    norms = xp.linalg.norm(x, axis=1)
    slack = (x.shape[1] + 4) * np.finfo(x.dtype).eps

    def bounds(block):
        present = xp.isfinite(block[:, :1])
        y = xp.where(present, block - middle, 0.0)
        squares = (y**2).sum(1, keepdims=True)
        least = (xp.where(present, squares, np.inf) - 2 * (y @ x.T)).min(0)
        error = slack * (norms + xp.sqrt(squares.max())) ** 2
        return least - error, least + error

    lower, upper = mapped(bounds, blocks)
    others = np.arange(len(blocks))[:, None] != upper.argmin(0)
    limit = xp.where(others, upper, np.inf).min(0)
    # where squares overflow the bounds are NaN or infinite, and nothing may be excluded
    return ~(lower > limit)


@compiled
def _two_least(x, blocks, row, block):
    """The two least squared distances (2, pairs) of samples x[row] to the points of blocks[block], by differences."""
    squares = ((x[row][:, None, :] - blocks[block]) ** 2).sum(-1)
    xp = namespace(squares)
    others = np.arange(squares.shape[1]) != squares.argmin(1)[:, None]
    return xp.stack([squares.min(1), xp.where(others, squares, np.inf).min(1)])
