"""Numbers that Python code gives: real ones, whole ones and lists of them, or one line that says what is accepted."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking import lists
from rfsim.checking.text import LARGEST

LONGEST = 60  # characters of what was given, in a message
MOST_VALUES = 10**6  # of a list, such as training times: a result has as many


def real(name: str, value: object) -> float:
    """`value` as a number that may be infinite, or ValueError.

    Python's and NumPy's numbers are, fractions, decimals and arrays without a dimension too; texts and truth values,
    which are something else by mistake, are not.

    >>> real("ridge", 1), real("ridge", np.float32(0.5))
    (1.0, 0.5)
    """
    try:
        number = float(_scalar(value))  # pyright: ignore[reportArgumentType]
    except OverflowError:
        raise ValueError(f"{name} must be a number that float64 holds; got {told(value)}") from None
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number; got {told(value)}") from None
    if math.isnan(number):
        raise ValueError(f"{name} must be a number; got nan")
    return number


def plain(name: str, value: object) -> int | float:
    """`real` as Python's own number, whole ones as such."""
    number = real(name, value)
    return int(number) if isinstance(_scalar(value), (int, np.integer)) else number


def whole(name: str, value: object, least: int, most: int = LARGEST) -> int:
    """`value` as a whole number from `least` to `most`, or ValueError."""
    number = real(name, value)
    if not least <= number <= most or number != int(number):
        bound = "2^53" if most == LARGEST else f"{most}"
        raise ValueError(f"{name} must be a whole number of at least {least}, at most {bound}; got {told(value)}")
    return int(number)


def numbers(name: str, given: ArrayLike) -> NDArray[np.float64]:
    """`given` as a non-empty list of float64, (values,), or ValueError; a text is read as a flag's is.

    >>> numbers("train_times", "0,1:100:3,inf").tolist()
    [0.0, 1.0, 10.0, 100.0, inf]
    """
    if isinstance(given, str):
        try:
            given = lists.numbers(given)
        except ValueError as error:
            raise ValueError(f"{name} {error}" if str(error).startswith("must ") else f"{name}: {error}") from None
    if np.ma.is_masked(given):
        raise ValueError(f"{name} must be real numbers; got an array of which some are masked")
    try:
        found = np.asarray(given)
        mixed = isinstance(given, (list, tuple)) and any(isinstance(one, (bool, np.bool_, str)) for one in given)
        if mixed or found.dtype.kind not in "fiuO":
            raise TypeError
        values = found.astype(np.float64) if found.dtype.kind != "O" else np.vectorize(_element, otypes=[float])(found)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be real numbers; got {told(given)}") from None
    values = np.atleast_1d(values)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must be a non-empty list of numbers; got shape {values.shape}")
    if values.size > MOST_VALUES:
        raise ValueError(f"{name} must be at most {MOST_VALUES} numbers; got {values.size}")
    return values


def told(value: object) -> str:
    """What was given, as a message shows it: in one line, and not longer than one."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # a whole number of more digits than Python writes
        return "a whole number of thousands of digits"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _scalar(value: object) -> Any:
    """What float() takes, of what is a number; TypeError for anything else."""
    if np.ma.is_masked(value):
        raise TypeError
    if getattr(value, "ndim", None) == 0 and hasattr(value, "dtype"):
        value = np.asarray(value)[()]  # of NumPy's or JAX's
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, Decimal, np.integer, np.floating)):
        raise TypeError
    return value


def _element(value: object) -> float:
    return float(_scalar(value))
