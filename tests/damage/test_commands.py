"""All computing commands: twice, beside each other, killed, on a full disk, with what others put in their folder."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest

from rfsim import plotting
from rfsim.cli import folder
from rfsim.disk import locks, store
from tests.commands import assert_refused, snapshot
from tests.commands import place as place
from tests.damage.doors import DOORS, FAST, ask, computed, computing
from tests.damage.doors import kept as kept
from tests.damage.harm import FOREIGN

COMMANDS = list(computing())
slow = pytest.mark.slow
each = pytest.mark.parametrize("command", [pytest.param(one, marks=() if one in FAST else slow) for one in COMMANDS])
SAVE = plotting.save  # before it is replaced


@pytest.fixture(autouse=True)
def quick(place, monkeypatch):
    """Figures are drawn in no time, and written as real ones are."""

    def save(figure, stem, *, style):
        paths = folder.figures(stem)
        for path in paths:
            store.write(path, f"{figure} {style}".encode())
        return paths

    monkeypatch.setattr(plotting, "save", save)


class Reached(Exception):
    """The folder was accepted: nothing is computed for a second time."""


def test_every_computing_command_is_known_here():
    assert set(COMMANDS) == set(DOORS)


@pytest.fixture
def checking(monkeypatch):
    """A run goes as far as its folder is accepted: nothing is computed for a second time."""
    reserved = folder.reserved

    def stop(*given, **named):
        with reserved(*given, **named):
            raise Reached

    monkeypatch.setattr(folder, "reserved", stop)


@each
def test_the_same_command_twice_is_no_change_of_settings(capsys, checking, command):
    store.save(computed(command), "t/result.nc")
    with pytest.raises(Reached):
        ask(capsys, command, "--out", "t")


@slow
@pytest.mark.parametrize(("command", "flags"), [(one, flags) for one in DOORS for flags in DOORS[one][2]])
def test_the_same_flags_twice_are_no_change_of_settings(capsys, command, flags, request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "illustrate", lambda *_, **__: [])
        assert ask(capsys, command, *flags.split(), "--out", "t")[::2] == (0, "")
    request.getfixturevalue("checking")
    with pytest.raises(Reached):
        ask(capsys, command, *flags.split(), "--out", "t")


def names(folder: str) -> list[str]:
    return sorted(one.name for one in Path(folder).iterdir())


@each
def test_other_settings_are_refused_with_what_differs(capsys, kept, command):
    assert ask(capsys, command, "--out", "t")[0] == 0
    path = Path("t/result.nc")
    store.save(store.load(path).assign_attrs(settings='{"ridge": 7}'), path)
    told = r"other settings; use --force to replace it or another --out \(.* is not given there and "
    flags = DOORS[command][1].split()
    assert_refused(capsys, *command.split(), *flags, "--quiet", "--out", "t", match=told)
    assert ask(capsys, command, "--out", "t", "--force")[0] == 0


@each
def test_a_second_run_into_a_folder_is_refused_by_name_of_the_first(capsys, kept, command):
    with locks.held(Path("t/result.nc")):
        status, out, err = ask(capsys, command, "--out", "t")
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"t/result.nc is being written by process {os.getpid()} on" in err
        assert not Path("t/result.nc").exists()
    assert not Path("t").exists()
    assert ask(capsys, command, "--out", "t")[0] == 0


@each
def test_a_run_killed_before_its_figures_needs_no_force(capsys, kept, command, monkeypatch):
    def kill(*_, **__):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(folder, "illustrate", kill)
        ask(capsys, command, "--out", "t")
    left = Path("t/.figure-0123456789abcdef.rfsim.pdf"), Path("t/.result-0123456789abcdef.rfsim.nc")
    mine = Path("t/.figure-mine.pdf")
    for path in (*left, mine):
        path.write_bytes(FOREIGN)
    assert ask(capsys, command, "--out", "t")[::2] == (0, "")
    assert names("t") == [".figure-mine.pdf", "figure.pdf", "figure.png", "result.nc"]


@each
@pytest.mark.parametrize("room", [0, 4096, 16384])
def test_a_full_disk_is_one_line_and_leaves_nothing(capsys, kept, command, room):
    """As where a disk is full after that many bytes: no file may be longer."""
    before = snapshot()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        status, out, err = ask(capsys, command, "--out", "t")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    if status:
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert "t/result.nc: " in err or "t/.result.nc.lock: " in err
        assert "cannot write " in err
        assert snapshot() == before
    else:
        assert Path("t/result.nc").stat().st_size <= room


@each
@pytest.mark.parametrize("stage", [2, 3])
def test_a_disk_that_fills_while_figures_are_drawn_keeps_the_result(capsys, kept, command, monkeypatch, stage):
    fsync, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) == stage:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    status, out, err = ask(capsys, command, "--out", "t")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "t/result.nc is written, but not its figures: cannot write t/figure.p" in err
    assert "No space left on device; nothing there was changed; draw them with rfsim plot t/result.nc" in err
    assert names("t") == ["figure.pdf", "result.nc"][stage == 2 :]
    assert ask(capsys, command, "--out", "t")[::2] == (0, "")  # without --force


@each
def test_what_keeps_matplotlib_from_drawing_does_not_lose_the_result(capsys, kept, command, monkeypatch):
    def broken(*_, **__):
        raise ValueError("Key backend: 'module://nowhere' is not a valid value")

    monkeypatch.setattr(plotting, "plot", broken)
    status, out, err = ask(capsys, command, "--out", "t", "--json")
    assert (status, out.count("\n"), err.count("\n")) == (2, 1, 1)
    assert "t/result.nc is written, but not its figures: Key backend" in err
    assert store.load("t/result.nc").identical(kept)


@each
@pytest.mark.parametrize("name", ["result.nc", "figure.pdf", "figure.png", ".result.nc.lock"])
@pytest.mark.parametrize("kind", ["a folder", "a link", "a dangling link", "a pipe", "a file"])
def test_what_others_put_in_the_folder_is_never_overwritten(capsys, kept, command, name, kind):
    path, foreign = Path("t", name), Path("foreign")
    path.parent.mkdir()
    foreign.write_bytes(FOREIGN)
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a file":
        path.write_bytes(FOREIGN)
    else:
        path.symlink_to("../foreign" if kind == "a link" else "nowhere")
    status, out, err = ask(capsys, command, "--out", "t")
    assert foreign.read_bytes() == FOREIGN
    assert not Path("t/nowhere").exists()
    if kind == "a dangling link" and not name.startswith("."):  # a link to nothing holds nothing
        assert status == 0
        return
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert f"t/{name} " in err
    assert names("t") == [name]


def test_a_real_figure_on_a_full_disk_is_refused_whole(tmp_path):
    figure, _ = plotting.canvas()
    for room in (0, 1000):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with pytest.raises(store.StoreError, match=r"cannot write .*figure\.pdf: File too large"):
                SAVE(figure, tmp_path / "new" / "figure")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert not list((tmp_path / "new").iterdir())
