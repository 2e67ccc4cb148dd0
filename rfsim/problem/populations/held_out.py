"""Rows that go with other rows: those that play their population, and noise-free inputs beside each."""

from __future__ import annotations

import os
from typing import Any

from rfsim.checking import notes
from rfsim.disk.files.numbers import FORMS, DataError, load
from rfsim.problem.arrays import Rows, check_array
from rfsim.problem.populations.files import Samples
from rfsim.problem.populations.reading import read

NAME, CONDITION = "held_out", "condition"  # what rows given in Python are called


def held_out(given: Any, data: Rows) -> Rows:
    """Checked rows that play the population of data.

    Says how many of them are rows of the data, which may be trained on.

    Args:
        given: An array (rows, dim), a file of samples, or rows that were read before.
        data: Those to train on.

    Returns:
        The rows.

    Raises:
        DataError: For what are no samples, and for other columns than the data's.
    """
    if isinstance(given, Rows):
        return given
    found = _rows(given, NAME)
    if found.values.shape[1] != data.values.shape[1]:
        raise DataError(
            f"held_out has {found.values.shape[1]} columns, {data} {data.values.shape[1]}; give rows of as many"
        )
    trained = {row.tobytes() for row in data.values + 0.0}
    if shared := sum(row.tobytes() in trained for row in found.values + 0.0):
        notes.say(f"{shared} rows of held_out are rows of {data} too; what is held out may have been trained on")
    return found


def inputs(given: Any, data: Rows) -> Rows:
    """Checked noise-free inputs beside data, a row for each of theirs (§13).

    Args:
        given: An array (rows, d_y), a file of one, or rows that were read before.
        data: The rows that they go with.

    Returns:
        The rows.

    Raises:
        DataError: For what are no samples, and for another number of rows than the data's.
    """
    found = given if isinstance(given, Rows) else _rows(given, CONDITION)
    if len(found.values) != len(data.values):
        raise DataError(f"condition has {len(found.values)} rows, {data} {len(data.values)}; give a row for each")
    return found


def _rows(given: Any, name: str) -> Rows:
    """Rows given in Python under a name, or of the file that a text names."""
    if not isinstance(given, str | os.PathLike):
        return Rows(check_array(given, name), name)
    named = read(given)
    if not isinstance(named, Samples):
        raise DataError(f"{name} must name a file of samples ({FORMS}); got {str(named)!r}")
    return Rows(check_array(load(named.file), str(named)), str(named))
