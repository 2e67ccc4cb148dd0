"""Every number that is read from a text: as it is written, and nothing that Python reads beside that."""

from __future__ import annotations

import pytest

from rfsim.checking.text import number, whole
from rfsim.cli import app
from rfsim.computing.parallel import _number
from rfsim.disk.files.numbers import DataError
from rfsim.distillation.plan import Student
from rfsim.learning import trainers
from rfsim.maps.lines import is_number
from rfsim.plotting.style import centimeters
from rfsim.problem import populations
from rfsim.sample.spectra import Method
from rfsim.simulation import optimizers
from rfsim.sweeps.expressions import expression
from tests.commands import assert_refused, place  # noqa: F401

NUMBERS = ("１２", "٣", "1_000", "0x10", "1e", "1e1_0", "nan", "1.2.3", "²")


def numeric_flags():
    """(command, flag, whether it counts) of every flag that takes a number, of every command."""
    for command in every_command():
        found = app.app
        for word in command.split():
            found = found[word]
        for argument in found.assemble_argument_collection():
            kind = str(argument.hint)
            if argument.name.startswith("--") and ("float" in kind or "int" in kind) and "Path" not in kind:
                yield command, argument.name, "float" not in kind


def every_command():
    for name in (one for one in app.app if not one.startswith("-")):
        below = [one for one in app.app[name] if not one.startswith("-")]
        yield from [f"{name} {one}" for one in below] if below else [name]


def test_flags_of_numbers_are_found():
    found = {(command, flag) for command, flag, _ in numeric_flags()}
    assert len(found) > 50
    assert {("train", "--ridge"), ("distill", "--levels"), ("explore", "--port"), ("sweep", "--workers")} <= found


@pytest.mark.parametrize("command", sorted({command for command, _, _ in numeric_flags()}))
def test_a_flag_takes_a_number_as_it_is_written_alone(capsys, command):
    words_ = command.split() + (["grid.toml"] if command == "sweep" else [])
    for _, flag, counts in (one for one in numeric_flags() if one[0] == command):
        for text in ("１２", "9" * 400 if counts else "1_000"):
            assert_refused(capsys, *words_, flag, text, match=flag)


READERS = {
    "trainer": lambda text: trainers.read(f"descent:{text}"),
    "distillation": lambda text: trainers.read(f"distillation:{text}"),
    "target": lambda text: Student(target=f"coupled:{text}"),
    "isotropic": lambda text: populations.read(f"isotropic:{text}"),
    "atoms": lambda text: populations.read(f"atoms:1@{text}"),
    "weights": lambda text: populations.read(f"atoms:{text}@1"),
    "powerlaw": lambda text: populations.read(f"powerlaw:{text}"),
    "subspace": lambda text: populations.read(f"subspace:{text}"),
    "mixture": lambda text: populations.read(f"mixture:{text}"),
    "digits": lambda text: populations.read(f"digits:{text}"),
    "moments": lambda text: Method(moments=f"montecarlo:{text}"),
    "width": centimeters,
    "expression": expression,
    "number": number,
    "whole": lambda text: whole(text, 1),
    "optimizer": lambda text: optimizers.read(f"sgd:momentum={text}"),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", NUMBERS)
def test_every_reader_of_numbers_takes_them_as_they_are_written(name, text):
    if name == "expression" and text == "nan":
        return  # a name
    with pytest.raises(ValueError, match=r"\S") as refusal:
        READERS[name](text)
    assert "\n" not in str(refusal.value)


def test_what_is_read_otherwise_is_no_number(monkeypatch):
    assert not any(is_number(text) for text in NUMBERS)
    monkeypatch.setenv("SOME_COUNT", "１２")
    with pytest.raises(ValueError, match="SOME_COUNT must be a whole number"):
        _number("SOME_COUNT")
    with pytest.raises(DataError):
        populations.read("digits:" + "1" * 5000)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12.0), (" 1.5 ", 1.5), ("-1e-3", -1e-3), (".5", 0.5), ("1.", 1.0), ("+Inf", float("inf")), ("1E3", 1e3)],
)
def test_numbers_are_read(text, value):
    assert number(text) == value
