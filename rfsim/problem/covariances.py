"""Covariances that lie in files: as their eigenvalues, or as matrices."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.disk.files.numbers import DataError, load, place


def read(kind: str, spec: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct eigenvalues of Σ and their shares, each (atoms,).

    Of `eigenvalues`, one per entry of a file, or of a `covariance`, a symmetric matrix. Only the eigenvalues matter:
    random features see no direction before another.

    Raises DataError, in one line, for what no covariance is.
    """
    path = place(spec).path
    try:
        found = path.stat()
        stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
    except (OSError, ValueError):
        stamp = None  # not there: said by who reads it
    return _read(kind, spec, str(path.absolute()), stamp)


def is_symmetric(matrix: ArrayLike) -> bool:
    """Whether an array is a square matrix of more than one row that equals its transpose, but for rounding."""
    a = np.asarray(matrix)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or len(a) < 2:
        return False
    return bool(np.abs(a - a.T).max() <= _rounding(a) * np.abs(a).max())


def distinct(eigenvalues: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct eigenvalues of a covariance, ascending, and their shares; what rounding leaves below zero is zero.

    Raises DataError where no covariance has them.
    """
    given = np.asarray(eigenvalues).ravel()
    values = given.astype(np.float64)
    if not np.all(np.isfinite(values)) or not np.any(values > 0):
        raise DataError("the eigenvalues of Σ must be finite and not negative, and one of them positive")
    if values.min() < -_rounding(given) * values.max():
        raise DataError(
            "the eigenvalues of Σ must be finite and not negative, and one of them positive; got "
            f"{values.min():.3g} beside {values.max():.3g}"
        )
    values, counts = np.unique(np.maximum(values, 0.0), return_counts=True)
    return values, counts / counts.sum()


@lru_cache(maxsize=8)
def _read(kind: str, spec: str, path: str, stamp: object) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By what the file is: a sample asks several times for its population, and a matrix takes its cube."""
    values, name = load(Path(spec)), f"data file {spec}"
    if values.dtype.kind not in "fiub":
        raise DataError(f"{name} must hold real numbers; it holds {values.dtype} values")
    if not np.all(np.isfinite(values)):
        raise DataError(f"{name} has NaN or infinite values; no covariance has them")
    found = _of_matrix(values, name) if kind == "covariance" else _of_list(values, name)
    for one in found:
        one.flags.writeable = False
    return found


def _of_list(values: NDArray, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if values.size == 0 or max(values.shape, default=1) != values.size:
        square = values.ndim == 2 and values.shape[0] == values.shape[1]
        hint = f"; a covariance matrix is given as covariance:{name.removeprefix('data file ')}" if square else ""
        raise DataError(f"{name} must hold one real eigenvalue per entry; it has shape {values.shape}{hint}")
    return _named(values, name)


def _of_matrix(matrix: NDArray, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        spec = name.removeprefix("data file ")
        hint = f"; samples are given as {spec}, eigenvalues as eigenvalues:{spec}"
        raise DataError(f"{name} must hold a square covariance matrix; it has shape {matrix.shape}{hint}")
    a = matrix.astype(np.float64)
    if len(a) > 1 and not is_symmetric(matrix):
        apart = np.abs(a - a.T).max()
        raise DataError(
            f"{name} must hold a symmetric matrix; an entry differs from its mirror by {apart:.3g}, and the largest is "
            f"{np.abs(a).max():.3g}: for rounding, save (A + A.T)/2"
        )
    values = np.linalg.eigvalsh((a + a.T) / 2)
    # of a matrix every eigenvalue is known to rounding alone, and zero is where it may be zero
    small = np.abs(values) <= _rounding(matrix) * np.abs(values).max()
    return _named(np.where(small, 0.0, values), name)


def _named(values: NDArray, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        return distinct(values)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def _rounding(values: NDArray) -> float:
    """What rounding leaves of a sum over rows, relative to the largest value, in the precision of the values."""
    precise = values.dtype.kind != "f" or values.dtype.itemsize >= 8
    return max(len(values), 8) * float(np.finfo(np.float64 if precise else values.dtype).eps)
