"""Tables of numbers written as text, by rules that are stated: nothing is guessed, and what is left out is said.

Values are separated by tabs, semicolons or commas, as the first row below a header has them, or by spaces where it has
none of these, as numpy.savetxt writes them; a comma is decimal only where it does not separate. Lines that are empty
and what follows a # are skipped. A first row of names alone is a header, and so is pandas' of 0, 1, 2, …; a column
without a name under one is its index. Text is UTF-8, or UTF-16 with a byte-order mark.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.checking import notes
from rfsim.checking.text import shown
from rfsim.computing.machine import GIB, memory_limit, require_memory

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
CHUNK = 2**24  # bytes of compressed text read at once
LINE = 200  # bytes that a line takes beside its characters
NUMBER = re.compile(r"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
WHOLE = re.compile(r"[+-]?\d+")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
FEW = 3  # columns: so many whole numbers 0, 1, 2 may well be a sample of whole numbers
UNNAMED = ("", "unnamed: 0")  # pandas' names of an index


class TextRows(NamedTuple):
    """The lines of a table, their numbers in the file, and what separates their values."""

    lines: list[str]
    numbers: list[int]
    delimiter: str


def load(path: Path, *, zipped: bool = False) -> NDArray[np.float64]:
    """The numbers (rows, columns) of a text, of one that gzip has compressed where `zipped`.

    Raises ValueError, in one line that says where and what to do, for what is no table of numbers; MemoryError where
    the text is larger than this process may hold.
    """
    rows = _rows(read(path, zipped=zipped))
    if not rows.lines:
        raise ValueError("it is empty")
    rows = _unquoted(rows)
    rows, told = _without_header(rows)
    _require_rectangle(rows)
    values = _parsed(_decimal_points(rows))
    if told is None and values.shape[1] > 1 and len(values) > 2 and _counts(values[:, 0]):
        first = int(values[0, 0])
        told = (
            f"the first column counts the rows from {first}: it is taken as data; if it is an index, leave it out of "
            "the file (pandas: to_csv(index=False))"
        )
    if told is not None:
        notes.say(f"data file {path}: {told}")
    return values


def read(path: Path, *, zipped: bool = False) -> str:
    """A text as it is; ValueError where it is none in UTF-8 or UTF-16, MemoryError as `load`."""
    raw = _unzipped(path) if zipped else path.read_bytes()
    require_memory(6 * len(raw) + LINE * raw.count(b"\n"), f"data file {path}", "save the numbers as .npy", each=0)
    return _decoded(raw)


def _unzipped(path: Path) -> bytes:
    limit, found = memory_limit() // 8, bytearray()
    with gzip.open(path) as file:
        while chunk := file.read(CHUNK):
            found += chunk
            if len(found) > limit:
                raise MemoryError(
                    f"data file {path} holds more than {limit / GIB:.3g} GiB of text, and this process may use "
                    f"{memory_limit() / GIB:.3g} GiB; save the numbers as .npy"
                )
    return bytes(found)


def _decoded(raw: bytes) -> str:
    encoding = next((one for mark, one in MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} is not text in UTF-8; save it as UTF-8") from None
    if "\0" in text:
        raise ValueError("it is not text in UTF-8, or it is UTF-16 without a byte-order mark; save it as UTF-8")
    return text.removeprefix("\ufeff")


def _rows(text: str) -> TextRows:
    found = [
        (number, line)
        for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1)
        if (line := raw.partition("#")[0]).strip()
    ]
    lines, numbers = [line for _, line in found], [number for number, _ in found]
    # names in a header may hold anything: what separates is seen below it
    look = re.sub('"[^"]*"', "", lines[min(1, len(lines) - 1)]) if lines else ""
    delimiter = next((one for one in "\t;," if one in look), None)
    if delimiter is None and len(look.split()) > 1:
        return TextRows(["\t".join(line.split()) for line in lines], numbers, "\t")
    return TextRows(lines, numbers, delimiter or ",")


def _unquoted(rows: TextRows) -> TextRows:
    """The same rows with tabs between the values, where one of them is quoted."""
    if not any('"' in line for line in rows.lines):
        return rows
    try:
        cells = list(csv.reader(rows.lines, delimiter=rows.delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ValueError(f"its quotes do not close ({error}); write numbers without quotes") from None
    if len(cells) != len(rows.lines):
        raise ValueError("a name in quotes reaches over several lines; write it in one")
    return TextRows(["\t".join(" ".join(cell.split()) for cell in row) for row in cells], rows.numbers, "\t")


def _without_header(rows: TextRows) -> tuple[TextRows, str | None]:
    """The rows of numbers alone, and what was left out; ValueError where the first row may be either."""
    cells = [cell.strip() for cell in rows.lines[0].split(rows.delimiter)]
    indexed = len(cells) > 1 and cells[0].lower() in UNNAMED
    names = cells[1:] if indexed else cells
    if len(rows.lines) == 1:
        return rows, None
    counting = names == [str(k) for k in range(len(names))]
    named = any(names) and not any(NUMBER.fullmatch(name) for name in names)
    if not (counting or named):
        return rows, None
    if counting and not indexed:
        if len(names) == 1:
            return rows, (
                "the first row is 0: it is taken as a value; if it is pandas' header, leave it out of the file "
                "(to_csv(header=False))"
            )
        whole = all(WHOLE.fullmatch(cell.strip()) for line in rows.lines[1:] for cell in line.split(rows.delimiter))
        if whole and len(names) <= FEW:
            raise ValueError(
                f"its first row {','.join(names)} may be pandas' header or a sample; leave a header out "
                "(to_csv(header=False)), or write a sample with points, 0.0"
            )
    told = f"the first row is a header ({', '.join(names[:4])}{', …' if len(names) > 4 else ''}) and no sample"
    lines = rows.lines[1:]
    if indexed:
        told += "; the column without a name is its index and no data"
        lines = [line.partition(rows.delimiter)[2] for line in lines]
    kept = TextRows(lines, rows.numbers[1:], rows.delimiter)
    if lines[0].count(rows.delimiter) != len(names) - 1:
        raise ValueError(
            f"its header has {len(names)} names and line {kept.numbers[0]} {lines[0].count(rows.delimiter) + 1} values"
            f"{_comma(rows)}"
        )
    return kept, told


def _require_rectangle(rows: TextRows) -> None:
    width = rows.lines[0].count(rows.delimiter)
    for line, number in zip(rows.lines, rows.numbers, strict=True):
        if line.count(rows.delimiter) != width:
            raise ValueError(
                f"line {number} has {line.count(rows.delimiter) + 1} values, line {rows.numbers[0]} has {width + 1}; "
                f"give every row as many{_comma(rows)}"
            )


def _comma(rows: TextRows) -> str:
    return ". Where commas are decimal, separate values by semicolons or tabs" if rows.delimiter == "," else ""


def _decimal_points(rows: TextRows) -> TextRows:
    """Decimal commas as points; ValueError where a comma may separate thousands."""
    if rows.delimiter == "," or not any("," in line for line in rows.lines):
        return rows
    cells = [cell.strip() for line in rows.lines for cell in line.split(rows.delimiter)]
    commas = [cell for cell in cells if "," in cell]
    mixed = next((cell for cell in commas if "." in cell or cell.count(",") > 1), None)
    if mixed is not None or any("." in cell for cell in cells):
        raise ValueError(
            f"{shown(mixed or commas[0])} and others mix points and commas, or separate thousands; write numbers as "
            "-1234.5"
        )
    if all(THOUSANDS.fullmatch(cell) for cell in commas):
        raise ValueError(
            f"{shown(commas[0])} may be {commas[0].replace(',', '.')} or {commas[0].replace(',', '')}; write numbers "
            "as -1234.5, without separators of thousands"
        )
    return rows._replace(lines=[line.replace(",", ".") for line in rows.lines])


def _parsed(rows: TextRows) -> NDArray[np.float64]:
    try:
        return np.loadtxt(rows.lines, delimiter=rows.delimiter, comments=None, ndmin=2)
    except ValueError:
        for number, column, cell in _cells(rows):
            if not cell:
                raise ValueError(
                    f"line {number}, column {column} is empty; fill or remove missing values first"
                ) from None
            if not PLAIN.fullmatch(cell):
                raise ValueError(
                    f"line {number}, column {column}: {shown(cell)} is no number; numbers are written as -1234.5e-6, "
                    "and a header holds names alone"
                ) from None
        raise


def _cells(rows: TextRows) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of every value."""
    for line, number in zip(rows.lines, rows.numbers, strict=True):
        for column, cell in enumerate(line.split(rows.delimiter), 1):
            yield number, column, cell.strip()


def _counts(column: Sequence[float] | NDArray[np.float64]) -> bool:
    """Whether a column counts: 0, 1, 2, … or 1, 2, 3 and so on."""
    return bool(np.array_equal(column, np.arange(len(column)) + column[0]) and column[0] in (0, 1))
