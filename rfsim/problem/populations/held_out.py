"""Rows of one's own that play the population of other rows."""

from __future__ import annotations

import os
from typing import Any

from rfsim.checking import notes
from rfsim.disk.files.numbers import FORMS, DataError, load
from rfsim.problem.arrays import Rows, check_array
from rfsim.problem.populations.files import Samples
from rfsim.problem.populations.reading import read

NAME = "held_out"  # what rows given in Python are called


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
    if isinstance(given, str | os.PathLike):
        named = read(given)
        if not isinstance(named, Samples):
            raise DataError(f"held_out must name a file of samples ({FORMS}); got {str(named)!r}")
        found = Rows(check_array(load(named.file), str(named)), str(named))
    else:
        found = Rows(check_array(given, NAME), NAME)
    if found.values.shape[1] != data.values.shape[1]:
        raise DataError(
            f"held_out has {found.values.shape[1]} columns, {data} {data.values.shape[1]}; give rows of as many"
        )
    trained = {row.tobytes() for row in data.values + 0.0}
    if shared := sum(row.tobytes() in trained for row in found.values + 0.0):
        notes.say(f"{shared} rows of held_out are rows of {data} too; what is held out may have been trained on")
    return found
