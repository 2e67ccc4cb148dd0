"""Labels of the rows of data, which make classes of them (equations.md §12)."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfsim.checking import notes
from rfsim.checking.text import shown
from rfsim.disk.files import words
from rfsim.disk.files.numbers import FORMS, DataError, load, names_file
from rfsim.problem.arrays import SHOWN, Rows

NAME = "labels"  # what labels given in Python are called
MOST = 256  # classes: each has two p × p matrices of its own, one after the other
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
MISSING = ("", "nan", "<na>", "nat")


@dataclass(frozen=True)
class Labels:
    """The class of each row of data.

    Attributes:
        codes: Of each row, a number of `names`, (rows,).
        names: Of the classes: whole numbers ascending, or texts by the alphabet.
        name: What the labels are called: their file, or "labels".
    """

    codes: NDArray[np.int64]
    names: tuple[str, ...]
    name: str


def labels(given: Any, data: Rows) -> Labels:
    """Checked labels of data, one for each row (§12).

    Labels that are all whole numbers are read as such, 3 as "3.0" too; all others are texts. A first line of a file
    that stands nowhere else in it, where there is a line more than rows, is a header, and that is said.

    Args:
        given: Whole numbers or short texts (rows,), or a file of them: an array, or a text of one label a line.
        data: The rows that they are of.

    Returns:
        The labels.

    Raises:
        DataError: For what are no labels, with the first row that has none, and for another number than the data's.

    >>> from rfsim.problem.arrays import rows
    >>> labels(["b", "a", "b"], rows([[0.0], [1.0], [3.0]])).codes.tolist()
    [1, 0, 1]
    """
    if isinstance(given, Labels):
        return given
    found, name = _read(given)
    if len(found) == len(data.values) + 1 and name != NAME and found.count(found[0]) == 1 and _no_number(found):
        notes.say(f"labels {name}: the first line is a header ({shown(str(found[0]))}) and no label")
        found = found[1:]
    if len(found) != len(data.values):
        raise DataError(f"labels has {len(found)} rows, {data} {len(data.values)}; give a label for each")
    texts = [_text(one, row) for row, one in enumerate(found)]
    if missing := [row for row, one in enumerate(texts) if one.lower() in MISSING]:
        listed = ", ".join(f"row {row}" for row in missing[:SHOWN]) + ", …" * (len(missing) > SHOWN)
        raise DataError(
            f"labels has {len(missing)} missing labels, counted from 0 at {listed}; give them one, or leave these rows "
            "out of labels and data"
        )
    texts, numbered = _whole(texts)
    names = sorted(set(texts), key=int if numbered else str)
    if len(names) > MOST:
        raise DataError(f"labels has {len(names)} classes in {len(texts)} rows; at most {MOST} are taken")
    places = {one: k for k, one in enumerate(names)}
    return Labels(np.array([places[one] for one in texts], dtype=np.int64), tuple(names), name)


def _read(given: Any) -> tuple[list[Any], str]:
    """Labels as a list of what was given or lies in a file, and what they are called."""
    name = NAME
    if isinstance(given, str | os.PathLike):
        name = os.fspath(given)
        if not names_file(name):
            raise DataError(f"labels must name a file of labels ({FORMS}); got {name!r}")
        given = load(name, table=words.load, called="labels")
    if isinstance(given, np.ma.MaskedArray):
        given = np.ma.filled(given.astype(object), "")
    try:
        values = np.asarray(given)
    except ValueError:
        raise DataError("labels holds rows of different lengths; one label for each row is needed") from None
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"labels has shape {values.shape}; one label for each row, (rows,), is needed")
    if values.dtype.kind == "U" and not isinstance(given, np.ndarray):  # numbers beside texts became texts
        values = np.asarray(given, dtype=object)
    if values.dtype.kind not in "biufUSO":
        raise DataError(f"labels holds {values.dtype} values; whole numbers or short texts are needed")
    return values.ravel().tolist(), name


def _text(label: Any, row: int) -> str:
    """One label as a text, "" of a missing one; DataError for what is none."""
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(label, bytes):
        label = label.decode("utf-8", "replace")
    if isinstance(label, str):
        text = label.strip()
        if len(text) > words.LONGEST or not text.isprintable() or "�" in text:
            raise DataError(
                f"labels has {shown(text)} in row {row}; a label is a printable text of at most {words.LONGEST} "
                "characters"
            )
        return text
    if isinstance(label, bool | int | np.bool_ | np.integer):
        return str(label)
    if isinstance(label, float | np.floating):
        return "" if math.isnan(label) else repr(float(label))
    raise DataError(f"labels has a {type(label).__name__} in row {row}; whole numbers or short texts are needed")


def _whole(texts: list[str]) -> tuple[list[str], bool]:
    """Labels that are all numbers as whole ones, and whether they are; DataError for numbers that are not whole."""
    if not all(NUMBER.fullmatch(one) or one in ("inf", "-inf") for one in texts):
        return texts, False
    for row, one in enumerate(texts):
        if not float(one).is_integer():
            raise DataError(
                f"labels has {one} in row {row}; a label is a whole number or a text: round values to classes first"
            )
    return [str(int(one) if one.lstrip("+-").isdigit() else int(float(one))) for one in texts], True


def _no_number(found: list[Any]) -> bool:
    """Whether the first label may be a name: it is no number."""
    return isinstance(found[0], str) and not NUMBER.fullmatch(found[0])
