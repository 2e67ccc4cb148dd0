"""Every way in which programs write a table of numbers: read right, or refused by name with what to do."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest

from rfsim.checking.notes import recorded
from rfsim.disk.files import numbers
from rfsim.disk.files.numbers import DataError

VALUES = np.random.default_rng(0).standard_normal((6, 3)).round(3) * [1, 1, 100]
WHOLES = np.arange(24).reshape(6, 4) * 7 % 5


def frame(values=VALUES, **how):
    return pd.DataFrame(values).to_csv(**how)


def written(delimiter=",", decimal=".", quoting=csv.QUOTE_MINIMAL, values=VALUES):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(
        [[repr(float(one)).replace(".", decimal) for one in row] for row in values]
    )
    return out.getvalue()


NAMED = pd.DataFrame(VALUES, columns=["höhe", "x; y", "z"])
# text → what is said of it, None where it is a plain table
READ = {
    "plain": (written(), None),
    "numpy": ("\n".join(" , ".join(f"{one:.18e}" for one in row) for row in VALUES), None),
    "savetxt": ("\n".join(" ".join(f"{one:.18e}" for one in row) for row in VALUES), None),
    "spaces, names": ("a b c\n" + "\n".join("  ".join(map(repr, row)) for row in VALUES.tolist()), "header (a, b, c)"),
    "old line ends": (written().replace("\r\n", "\r"), None),
    "empty lines": ("\n\n" + written().replace("\n", "\n\n"), None),
    "comments": ("# made today\n" + written().replace("\r\n", "  # a sample\n"), None),
    "byte-order mark": ("\ufeff" + written(), None),
    "semicolons": (written(";"), None),
    "tabs": (written("\t"), None),
    "decimal commas": (written(";", ","), None),
    "decimal commas, tabs": (written("\t", ","), None),
    "decimal commas in quotes": (written(",", ","), None),
    "quotes": (written(quoting=csv.QUOTE_ALL), None),
    "pandas without header": (frame(index=False, header=False), None),
    "pandas": (frame(index=False), "the first row is a header (0, 1, 2) and no sample"),
    "pandas with its index": (frame(), "header (0, 1, 2) and no sample; the column without a name is its index"),
    "pandas, European": (frame(index=False, sep=";", decimal=","), "header (0, 1, 2)"),
    "pandas, two columns": (frame(VALUES[:, :2], index=False), "header (0, 1)"),
    "pandas, names": (NAMED.to_csv(index=False), "header (höhe, x; y, z)"),
    "pandas, names and days": (
        NAMED.set_axis(pd.date_range("2020-01-01", periods=6)).to_csv(),
        "the column without a name is its index",
    ),
    "pandas, quotes": (NAMED.to_csv(index=False, quoting=csv.QUOTE_ALL), "header (höhe, x; y, z)"),
    "R": (NAMED.set_axis(range(1, 7)).to_csv(quoting=csv.QUOTE_NONNUMERIC), "its index and no data"),
    "whole numbers": (frame(WHOLES, index=False), "header (0, 1, 2, 3)"),
    "counted rows": (frame(header=False), "the first column counts the rows from 0: it is taken as data"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("suffix", [".csv", ".CSV", ".tsv", ".txt", ".csv.gz"])
@pytest.mark.parametrize("name", READ)
def test_tables_are_read_as_they_were_meant(tmp_path, name, suffix, encoding):
    text, said = READ[name]
    path = tmp_path / f"table{suffix}"
    raw = text.encode(encoding)
    path.write_bytes(gzip.compress(raw) if suffix.endswith("gz") else raw)
    with recorded() as notes:
        found = numbers.load(path)
    wanted = {"pandas, two columns": VALUES[:, :2], "whole numbers": WHOLES}.get(name, VALUES)
    if name == "counted rows":
        wanted = np.column_stack([np.arange(6), VALUES])
    np.testing.assert_array_equal(found, wanted)
    assert len(notes) == (said is not None)
    if said is not None:
        assert said in notes[0]
        assert str(path) in notes[0]


REFUSED = {
    "ragged": ("1,2\n3\n", "line 2 has 1 values, line 1 has 2; give every row as many.*decimal"),
    "decimal commas between commas": ("x,y\n1,5,2,5\n", "header has 2 names and line 2 4 values. Where commas are dec"),
    "thousands": ("1,234.5;2\n3;4\n", "'1,234.5' and others mix points and commas, or separate thousands"),
    "thousands or decimals": ("1,234;2\n3;4\n", "'1,234' may be 1.234 or 1234"),
    "thousands in quotes": ('"1,234,567",2\n3,4\n', "'1,234,567' and others mix"),
    "points and commas": ("1,5;2.5\n3;4\n", "mix points and commas"),
    "spaces of thousands": ("1 234;2\n3;4\n", "line 1, column 1: '1 234' is no number"),
    "ragged between spaces": ("1 2\n3 4\n5\n", "line 3 has 1 values, line 1 has 2"),
    "prose": ("hello world\nthis is it\n", "no number|names and line"),
    "missing": ("1,2\n3,\n5,6\n", "line 2, column 2 is empty; fill or remove missing values first"),
    "words for missing": ("1,2\n3,NA\n", "line 2, column 2: 'NA' is no number"),
    "numbers and names": ("1,x\n3,4\n", "line 1, column 2: 'x' is no number.*a header holds names alone"),
    "a second header": ("x,y\n1,2\nx,y\n", "line 3, column 1: 'x' is no number"),
    "a small header of whole numbers": ("0,1\n1,0\n1,1\n", "first row 0,1 may be pandas' header or a sample"),
    "underscores": ("1_000,2\n3,4\n", "'1_000' is no number"),
    "wide digits": ("１２,2\n3,4\n", "'１２' is no number"),
    "complex": ("1+2j,2\n3,4\n", r"'1\+2j' is no number"),
    "open quotes": ('"1,2\n3,4\n', "quotes"),
    "other text": ("größe,x\n1,2\n3,4\n".encode("latin-1"), "line 1 is not text in UTF-8; save it as UTF-8"),
    "unmarked UTF-16": ("1,2\n3,4\n".encode("utf-16-le"), "UTF-16 without a byte-order mark"),
    "empty": ("", "it is empty"),
    "comments alone": ("# 1,2\n\n", "it is empty"),
    "not zipped": ("1,2\n3,4\n", "cannot be read as numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_by_name(tmp_path, name):
    text, match = REFUSED[name]
    path = tmp_path / ("table.csv.gz" if name == "not zipped" else "table.csv")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=match) as caught:
        numbers.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_that_begins_with_zero_is_one_of_values_and_that_is_said(tmp_path):
    path = tmp_path / "values.csv"
    path.write_text("0\n0.5\n1.5\n")
    with recorded() as notes:
        assert numbers.load(path).ravel().tolist() == [0.0, 0.5, 1.5]
    assert "the first row is 0: it is taken as a value" in notes[0]
    path.write_text("0,1,2\n")
    assert numbers.load(path).tolist() == [[0.0, 1.0, 2.0]]


def test_one_array_of_several_is_named_by_its_key(tmp_path):
    path = tmp_path / "two.NPZ"
    with path.open("wb") as file:
        np.savez(file, a=VALUES, b=2 * VALUES)
    np.testing.assert_array_equal(numbers.load(f"{path}:b"), 2 * VALUES)
    assert numbers.names_file(f"{path.name}:b")
    for spec, match in (
        (path, "it holds a, b: give one of them as .*two.NPZ:KEY"),
        (f"{path}:c", "no array 'c'; it h"),
    ):
        with pytest.raises(DataError, match=match):
            numbers.load(spec)
