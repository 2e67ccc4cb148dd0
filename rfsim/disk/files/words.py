"""Words written as text, one a line, as labels are.

Lines that begin with # are skipped, and so are those that are empty at the end; an empty line before is a word that is
missing. Quotes around a word are no part of it. Text is UTF-8, or UTF-16 with a byte-order mark.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rfsim.checking.text import shown
from rfsim.disk.files import text

LONGEST = 64  # characters of a word
SEPARATORS = "\t;,"


def load(path: Path, *, zipped: bool = False) -> NDArray[np.str_]:
    """The words of a text, (lines,), of one that gzip has compressed where `zipped`.

    Raises ValueError, in one line that says where, for what is no word; MemoryError as `text.load`.
    """
    whole = text.read(path, zipped=zipped).replace("\r\n", "\n").replace("\r", "\n")
    found = [_word(k, line) for k, line in enumerate(whole.split("\n"), 1) if not line.lstrip().startswith("#")]
    while found and not found[-1]:
        found.pop()
    if not found:
        raise ValueError("it is empty")
    return np.array(found)


def _word(number: int, line: str) -> str:
    """The one word of a line; ValueError for several, and for one that is too long."""
    separator = next((one for one in SEPARATORS if one in line), ",")
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)) or [""]
    except csv.Error as error:
        raise ValueError(f"line {number}: {shown(line.strip())} is no word ({error})") from None
    if len(cells) > 1:
        raise ValueError(
            f"line {number} has {len(cells)} columns, {shown(line.strip())}; give one a line (pandas: "
            "to_csv(index=False))"
        )
    word = cells[0].strip()
    if len(word) > LONGEST:
        raise ValueError(f"line {number} has {len(word)} characters; at most {LONGEST} are taken")
    return word
