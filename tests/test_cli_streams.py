"""Standard output and error of any encoding, closed, full and left; names that try to command the terminal."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import subprocess
import sys
import unicodedata
import warnings
from pathlib import Path
from typing import ClassVar

import pytest

import rfsim
from rfsim.cli import main, streams, terminal
from rfsim.disk import store
from rfsim.problem.model import Problem
from rfsim.sampled import spectrum as spectrum_door
from tests.commands import names, run
from tests.commands import place as place

COMMANDS = sorted(names())
SMALL = ["--dim", "4", "--samples", "8", "--features", "8"]
NASTY = "\x1b[2J\x1b]0;title\x07 \x9b31m\u202eevil\u2066\nrfsim: done\r\x00\udcff"


class Failing(io.RawIOBase):
    """A descriptor that takes nothing."""

    living: ClassVar[list[Failing]] = []

    def __init__(self, code: int) -> None:
        self.code = code
        self.living.append(self)

    def writable(self):
        return True

    def write(self, data):
        if self in self.living:
            raise OSError(self.code, os.strerror(self.code))
        return len(data)


@pytest.fixture(autouse=True)
def healed():
    """What still waits in a stream's buffer goes somewhere at last."""
    yield
    Failing.living.clear()


def stream(raw: io.RawIOBase | None = None, encoding: str = "utf-8", *, lines: bool = False) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(raw) if raw else io.BytesIO(), encoding, line_buffering=lines)


def text(of: io.TextIOWrapper) -> str:
    of.flush()
    return of.buffer.getvalue().decode(of.encoding)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A result whose every text is out to command the terminal."""
    path = tmp_path_factory.mktemp("stored") / "result.nc"
    data = spectrum_door.spectrum(Problem(samples_per_dim=2, features_per_dim=4), dim=4)
    bad = NASTY.replace("\udcff", "").replace("\x00", "")
    data = store.label(data, "spectrum", store.settings(data) | {bad: NASTY}, wall_time=1.0)
    data["lower"].attrs |= {"long_name": bad, "units": bad}
    store.save(data, path)
    return path


def is_tame(shown: str) -> bool:
    return all(one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in shown)


# --- what is shown ------------------------------------------------------------------------------------------------


def test_plain_text_is_json_for_what_it_replaces():
    for one in map(chr, [*range(0x300), 0x2028, 0x202E, 0x2066, 0xFEFF, 0xDCFF, 0xE0001, 0x1F600]):
        assert is_tame(streams.plain(one))
        if one not in '"\\':
            assert json.loads(f'"{streams.plain(one)}"') == one


def test_stored_names_do_not_command_the_terminal(capsys, stored):
    for flags in ([], ["--json"]):
        status, out, err = run(capsys, "show", str(stored), *flags)
        assert (status, err) == (0, "")
        assert is_tame(out)
        assert "evil" in out
    assert json.loads(out)["variables"]["lower"]["units"].startswith("\x1b[2J")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_typed_is_shown_tame(capsys, command):
    nasty = NASTY.replace("\x00", "")
    for arguments in ([nasty], [f"--{nasty}"], [f"--samples={nasty}"], ["--config", nasty], [nasty, "--json"]):
        status, out, err = run(capsys, *command, *arguments)
        assert (status, out) == (2, "")
        assert err.startswith("rfsim: ")
        assert err.count("\n") == 1
        assert is_tame(err)
        assert len(err) < 320


def test_messages_keep_both_ends_and_a_bounded_length(capsys):
    terminal.complain("given " + "x" * 10**5 + " is no number; use --dim.")
    terminal.complain("given " + "x " * 10**5 + "; use --dim.")
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("rfsim: given x")
        assert line.endswith("; use --dim")
        assert len(line) <= 307
    terminal.complain("y" * 300)
    assert capsys.readouterr().err == f"rfsim: {'y' * 300}\n"


def test_a_bar_shows_names_tame_and_without_markup(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "dumb")
    with terminal.bar("[/b]{name}\x1b]0;a\x07") as report:
        report("[/c]\x1b]0;b\x07", {"done": 1, "total": 1})
    assert "\x1b]0" not in screen.getvalue()
    assert "{name}" in screen.getvalue()


# --- streams ------------------------------------------------------------------------------------------------------


def test_every_help_is_shown_where_only_ascii_is(monkeypatch):
    for command in [(), *COMMANDS]:
        monkeypatch.setattr(sys, "stdout", out := stream(encoding="ascii"))
        assert main([*command, "--help"]) == 0
        assert "Usage: rfsim" in text(out)
        assert out.errors == "strict"  # as it was


def test_answers_stay_json_in_any_encoding(monkeypatch, stored):
    found = []
    for encoding in ("ascii", "latin-1", "utf-8"):
        monkeypatch.setattr(sys, "stdout", out := stream(encoding=encoding))
        assert main(["show", str(stored), "--json"]) == 0
        found.append(json.loads(text(out)))
    assert found[0] == found[1] == found[2]


BROKEN = {
    "closed": lambda: None,
    "full": lambda: stream(Failing(errno.ENOSPC)),
    "bad": lambda: stream(Failing(errno.EIO), lines=True),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_standard_output_that_takes_nothing_is_refused(monkeypatch, capsys, stored, kind):
    for arguments in (["--help"], ["--version"], ["show", str(stored)], ["show", str(stored), "--json"], ["info"]):
        monkeypatch.setattr(sys, "stdout", BROKEN[kind]())
        assert main(arguments) == 2
        assert capsys.readouterr().err.startswith("rfsim: standard output cannot be written (")


def test_a_reader_who_has_left_is_no_failure(monkeypatch, capsys, stored):
    for arguments in (["--help"], ["show", str(stored)], ["info"]):
        monkeypatch.setattr(sys, "stdout", stream(Failing(errno.EPIPE)))
        assert main(arguments) == 0
        assert capsys.readouterr().err == ""
    # nor does it hide how the run has ended
    monkeypatch.setattr(sys, "stdout", stream(Failing(errno.EPIPE)))
    spectrum = spectrum_door.spectrum
    monkeypatch.setattr(
        spectrum_door, "spectrum", lambda *a, **k: (found := spectrum(*a, **k)).assign(residual=found.residual + 1)
    )
    assert main(["spectrum", *SMALL, "--json", "--quiet"]) == 3


def test_a_broken_pipe_of_another_kind_is_told(monkeypatch, capsys):
    def leave(*_, **__):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(spectrum_door, "spectrum", leave)
    assert run(capsys, "spectrum", *SMALL, "--json", "--quiet") == (2, "", "rfsim: [Errno 32] Broken pipe\n")


@pytest.mark.parametrize("code", [None, errno.ENOSPC, errno.EPIPE, errno.EIO])
def test_standard_error_never_ends_a_run(monkeypatch, capsys, code):
    monkeypatch.setattr(sys, "stderr", None if code is None else stream(Failing(code), lines=True))
    assert main(["spectrum", *SMALL, "--json", "--out", "here"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 1  # and nothing of the progress is in it
    assert rfsim.load("here/result.nc").sizes["feature"] == 8
    assert main(["show", "none.nc"]) == 2
    assert capsys.readouterr().out == ""


def test_a_terminal_that_goes_away_does_not_end_a_run(monkeypatch):
    class Gone(io.StringIO):
        def isatty(self):
            return True

        def write(self, text):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Gone())
    monkeypatch.setenv("TERM", "xterm")
    assert main(["spectrum", *SMALL, "--out", "here"]) == 0
    assert Path("here/result.nc").exists()


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_closed_stream(closed):
    """What a library prints to its descriptor would be written into it."""
    code = (
        "import os, pathlib; from rfsim.cli import main, streams\n"
        "with streams.prepared(): pathlib.Path('told').write_text(str(os.open('.', os.O_RDONLY)))"
    )
    subprocess.run(["bash", "-c", f'"$0" -c "$1" {closed}', sys.executable, code], check=True)
    assert int(Path("told").read_text()) > 2


def test_warnings_and_logs_of_libraries_are_lines_told_once(monkeypatch, capsys):
    monkeypatch.setattr(logging.getLogger("a.library"), "propagate", False)  # pytest listens at the root
    with terminal.libraries(), warnings.catch_warnings():
        warnings.simplefilter("always")
        for _ in range(3):
            warnings.warn("a\nb \x1b[31m", stacklevel=1)
            logging.getLogger("a.library").warning("c %d\nd", 1)
    assert capsys.readouterr().err == "rfsim: warning: a b \\u001b[31m\nrfsim: warning: c 1 d\n"
