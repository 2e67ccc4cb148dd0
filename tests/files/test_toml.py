from __future__ import annotations

import codecs

import pytest

from rfsim.cli import settings_file
from rfsim.disk.files import LONGEST_TOML, FileError, read_toml
from rfsim.sweeps import spec

READERS = [read_toml, lambda path: settings_file.read(str(path)), spec.read]
TEXT = 'command = "train"\n[axes]\nridge = [0, 1]\n'


@pytest.mark.parametrize("read", READERS, ids=["file", "settings", "sweep"])
def test_a_byte_order_mark_is_no_content(tmp_path, read):
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text(TEXT)
    marked.write_bytes(codecs.BOM_UTF8 + TEXT.encode())
    assert read(marked) == read(plain)


HOSTILE = {
    "lists": ("a = " + "[" * 10**5, "nests"),
    "tables": ("a = " + "{a = " * 30 + "1" + "}" * 30, "nests tables and lists more than 16 deep"),
    "dots": (".".join("a" * 10**5) + " = 1", "keys of more than 16 parts"),
    "quoted dots": (" . ".join(['"a\\" b"'] * 10**4) + " = 1", "keys of more than 16 parts"),
    "long": ("#" * (LONGEST_TOML + 1), f"has {LONGEST_TOML + 1} bytes; a TOML file of at most {LONGEST_TOML} is read"),
    "digits": ("a = " + "1" * 10**4, "not TOML: Exceeds the limit"),
}


@pytest.mark.parametrize("read", READERS, ids=["file", "settings", "sweep"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_toml_is_refused_in_one_line(tmp_path, name, read):
    text, match = HOSTILE[name]
    path = tmp_path / "hostile.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=match) as caught:
        read(path)
    assert "hostile.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "wide.toml"
    path.write_bytes(TEXT.encode("utf-16"))
    with pytest.raises(FileError, match="it is not TOML in UTF-8 .*; save it as UTF-8"):
        read_toml(path)


@pytest.mark.parametrize(
    ("axes", "match"),
    [
        (
            {"ridge": {"linear": [0, 1], "points": 10**7}},
            "points must be a whole number from 2 to 100000; got 10000000",
        ),
        ({"ridge": {"range": [0, 1], "step": 1e-7}}, "has 10000000 values; take at most 100000"),
        ({"ridge": list(range(100_001))}, "has 100001 values; take at most 100000"),
        (
            {name: {"range": [1, 2001]} for name in ("samples_per_dim", "features_per_dim", "seed")},
            "its axes have 8000000000 cells together; take at most 10000000",
        ),
    ],
)
def test_sweeps_beyond_all_bounds_are_refused_before_they_are_made(axes, match):
    with pytest.raises(ValueError, match=match):
        spec.read({"command": "train", "axes": axes})
