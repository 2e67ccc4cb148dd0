"""Every flag of every command with values that are none, twice, and from a settings file."""

from __future__ import annotations

import types
import typing
from pathlib import Path

import numpy as np
import pytest

from rfsim import bench, reproduce
from rfsim.checking.lists import LONGEST, numbers, times
from rfsim.cli import app, commands, options
from tests.commands import names, run
from tests.commands import place as place

FILES = {"plot": "none.nc", "show": "none.nc", "sweep": "none.toml"}
NONE = ["", " ", "text", "nan", "1e400", "-1e400", "0x10"]  # no number of any flag
ODD = ["-1", "0", "inf", "-inf", "1e300", "1e-320", "2.5", "\u221e", "x" * 5000, "a=b", "[b]", "%s", "{}"]


def flags(command: tuple[str, ...]) -> dict[str, typing.Any]:
    """Flags of a command by their type; a switch's is bool."""
    one = app.app
    for name in command:
        one = one[name]
    found = one.assemble_argument_collection()
    return {argument.names[0]: argument.hint for argument in found if argument.names[0].startswith("-")}


# flags that several commands share are read by the same code: each is tried where it comes first
OWN: dict[tuple[str, ...], dict[str, typing.Any]] = {}
for _command in sorted(names()):
    _seen = [(flag, repr(hint)) for found in OWN.values() for flag, hint in found.items()]
    OWN[_command] = {flag: hint for flag, hint in flags(_command).items() if (flag, repr(hint)) not in _seen}


def is_number(hint: typing.Any) -> bool:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) or typing.get_origin(hint) else (hint,)
    return bool({*kinds} & {int, float}) and str not in kinds


@pytest.fixture(autouse=True)
def unused(monkeypatch):
    """Commands that read their flags and stop."""

    def ask(quantity, values, *_):
        options.ask(quantity, values)
        return 0

    monkeypatch.setattr(commands, "compute", ask)

    def refuse(*_, **__):
        raise ValueError("stopped here")

    monkeypatch.setattr(bench, "run", refuse)
    monkeypatch.setattr(reproduce, "checkout", refuse)
    monkeypatch.setattr("rfsim.explorer.server.listen", refuse, raising=False)
    monkeypatch.setattr("rfsim.explorer.server.require_extra", lambda: None)


def outcome(capsys, command: tuple[str, ...], *given: str) -> int:
    """The exit status, after a look at what was said: nothing, or one line."""
    status, out, err = run(capsys, *command, *[FILES[one] for one in command if one in FILES], *given)
    told = [line for line in err.splitlines() if line.startswith("rfsim: ")]
    assert out == "", given
    assert len(told) == (status != 0), (given, err)
    assert status in (0, 2), (given, err)
    return status


@pytest.mark.parametrize(
    "command",
    [one if "--config" not in flags(one) else pytest.param(one, marks=pytest.mark.slow) for one in sorted(names())],
    ids=" ".join,
)
def test_no_value_of_a_flag_is_a_traceback(capsys, command):
    for flag, hint in OWN[command].items():
        if bool in (hint, *typing.get_args(hint)):
            assert outcome(capsys, command, f"{flag}=maybe") == 2
            outcome(capsys, command, flag, flag)
            continue
        assert outcome(capsys, command, flag) == 2
        for value in NONE:
            assert outcome(capsys, command, f"{flag}={value}") == 2 or not is_number(hint), (flag, value)
        for value in ODD:
            outcome(capsys, command, f"{flag}={value}")
        twice = outcome(capsys, command, f"{flag}=1", f"{flag}=1")
        assert twice == 2 or flag in ("--at", "--contour")


@pytest.mark.slow
@pytest.mark.parametrize("command", [one for one in sorted(names()) if "--config" in flags(one)], ids=" ".join)
def test_no_setting_of_a_file_is_a_traceback(capsys, command):
    for flag, hint in OWN[command].items():
        for value in ("true", "'text'", "nan", "inf", "-1", "[]", "[[1]]", "['a']", "{a = 1}", "1979-05-27", "''"):
            Path("a.toml").write_text(f"{flag.removeprefix('--')} = {value}\n")
            status = outcome(capsys, command, "--config", "a.toml")
            if value in ("true", "nan", "[]", "[[1]]", "['a']", "{a = 1}", "1979-05-27", "''") and is_number(hint):
                assert status == 2, (flag, value)


# --- lists of times -----------------------------------------------------------------------------------------------


def test_a_range_is_a_grid_on_a_log_axis(capsys):
    np.testing.assert_allclose(times("1:1e6:7"), 10.0 ** np.arange(7), rtol=1e-14)
    assert times("0,1:4:3,inf") == (0.0, 1.0, 2.0, 4.0, np.inf)
    for command in names():
        for flag in {"--train-times", "--distill-times", "--ridges", "--leakage-ridges"} & {*flags(command)}:
            assert outcome(capsys, command, flag, "0.1:10:3,20") == 0
            Path("a.toml").write_text(f"{flag[2:]} = '0.1:10:3,20'\n")
            assert outcome(capsys, command, "--config", "a.toml") == 0


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("1:2", "a range must be FIRST:LAST:COUNT"),
        (":::", "a range must be FIRST:LAST:COUNT"),
        ("0:1:3", "increase between positive, finite ends"),
        ("2:1:3", "increase between positive, finite ends"),
        ("1:inf:3", "increase between positive, finite ends"),
        ("1:2:1", "COUNT of a range must be a whole number from 2"),
        ("1:2:1e9", "COUNT of a range must be a whole number from 2"),
        (f"1:2:{LONGEST},3", f"at most {LONGEST} numbers"),
    ],
)
def test_ranges_that_are_none_are_refused(given, match):
    with pytest.raises(ValueError, match=match):
        numbers(given)
