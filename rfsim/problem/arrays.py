"""Arrays of samples, checked once and carried with the name of the data that they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking import notes
from rfsim.disk.files.numbers import DataError
from rfsim.problem.covariances import is_symmetric

ARRAY = "array"  # what data given in Python are called
SHOWN = 3  # places of values that are not finite


@dataclass(frozen=True)
class Rows:
    """A checked array of samples, (rows, dim) finite, and the data that it is: a file, `digits`, or "array"."""

    values: NDArray[np.float64]
    name: str

    def __str__(self) -> str:
        return "the array" if self.name == ARRAY else f"data {self.name!r}"


def rows(array: ArrayLike | Rows, name: str = ARRAY) -> Rows:
    """An array as checked samples, or DataError: rank, type, size, masked and non-finite values.

    Says where the array is symmetric, as a covariance is, where it has more columns than rows, and where rows are there
    more than once.
    """
    if isinstance(array, Rows):
        return array
    values = check_array(array, name)
    found = Rows(values, name)
    if is_symmetric(values):
        matrix = name if name != ARRAY else "FILE"
        notes.say(
            f"{found} is a symmetric matrix, taken for {len(values)} samples of {len(values)} dimensions; a covariance "
            f"is given as data covariance:{matrix}"
        )
    if turned := transposed(values.shape):
        notes.say(f"{found} has {turned}")
    # a row and its copy may fall into different halves: what is held out has then been trained on
    if copies := len(values) - len({row.tobytes() for row in values + 0.0}):
        notes.say(f"{found} has {copies} rows that are copies of others; the held-out half may hold training points")
    return found


def transposed(shape: tuple[int, int]) -> str:
    """What to say of an array that has more columns than rows, so that it may stand the other way; "" of others."""
    rows, columns = shape
    if columns <= rows:
        return ""
    return (
        f"{rows} rows, which are taken for samples, and {columns} columns, for dimensions; if it is the other way, "
        "transpose it: array.T, or numpy.save(FILE, numpy.load(FILE).T)"
    )


def check_array(array: ArrayLike, name: str = ARRAY) -> NDArray[np.float64]:
    """The array as float64 of shape (samples, dim), or DataError: rank, type, size, masked and non-finite values."""
    called = str(Rows(np.empty(0), name))
    columns = getattr(array, "columns", None)
    array = _unframed(array, called)
    if isinstance(array, np.ma.MaskedArray) and (masked := np.ma.count_masked(array)):
        raise DataError(f"{called} has {masked} masked values; fill or remove them first, as array.filled does")
    try:
        array = np.asarray(array)
    except ValueError:
        raise DataError(f"{called} has rows of different lengths; give every sample as many numbers") from None
    if array.dtype.kind not in "fiub":
        hint = "; name a file in Problem(data=FILE)" if array.ndim == 0 and array.dtype.kind == "U" else ""
        raise DataError(f"{called} holds {array.dtype} values; real numbers are needed{hint}")
    if array.ndim != 2:
        raise DataError(f"{called} has shape {array.shape}; (samples, dimensions) is needed")
    if len(array) < 2 or array.shape[1] < 1:
        raise DataError(f"{called} has shape {array.shape}; at least 2 samples and 1 dimension are needed")
    values = array.astype(np.float64)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        listed = ", ".join(_place(row, column, columns) for row, column in bad[:SHOWN]) + ", …" * (len(bad) > SHOWN)
        raise DataError(
            f"{called} has {len(bad)} NaN or infinite values, counted from 0 at {listed}; remove or fill them first"
        )
    return values


def _place(row: int, column: int, columns: Any) -> str:
    """Where a value stands, with the name of its column in a table that has names."""
    return f"row {row}, column {column}" + ("" if columns is None else f" ({columns[column]})")


def _unframed(array: Any, called: str) -> Any:
    """The numbers of a table whose columns have names and types of their own (pandas'); anything else as it is."""
    types: Any = getattr(array, "dtypes", None)
    if not (hasattr(types, "items") and hasattr(array, "to_numpy")):
        return array
    bad = [str(column) for column, one in types.items() if getattr(one, "kind", "O") not in "fiub"]
    if bad:
        listed = ", ".join(bad[:8]) + ", …" * (len(bad) > 8)
        raise DataError(f"{called} has columns that are no real numbers: {listed}; drop or convert them first")
    return array.to_numpy(dtype=np.float64, na_value=np.nan)
