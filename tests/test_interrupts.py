"""Ctrl-C is never lost: not in a callback whose exceptions are dropped, at no moment, in no command that takes long."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rfsim.cli import app as commands
from rfsim.cli import main, terminal
from rfsim.computing import interrupts
from tests.commands import place  # noqa: F401

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

SMALL = ("--dim", "4", "--samples-per-dim", "2", "--features-per-dim", "2")
LONG = {  # commands whose work goes on after their first word of progress
    "train": SMALL,
    "spectrum": SMALL,
    "theory curves": (),
    "theory spectrum": (),
    "theory ridge": ("--ridges", "0.1,1"),
    "theory distill": ("--ridges", "0.1"),
    "simulate": (*SMALL, "--steps", "30"),
    "distill": (*SMALL, "--levels", "2", "--ridge", "0.1"),
}


def press_where_it_is_dropped() -> None:
    """Ctrl-C while the garbage collector calls back: Python raises nothing out of there."""

    def callback(phase, info):
        if phase == "start":
            signal.raise_signal(signal.SIGINT)

    gc.callbacks.append(callback)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(callback)


class Pressing:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def press_in_a_finalizer() -> None:
    one = Pressing()
    del one


@pytest.mark.parametrize("press", [press_where_it_is_dropped, press_in_a_finalizer])
def test_a_press_that_python_drops_is_noted(press, capsys):
    with interrupts.heard():
        press()
        assert interrupts.pressed()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert capsys.readouterr().err == ""  # no "Exception ignored in"
    assert not interrupts.pressed()
    interrupts.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_elsewhere_a_press_is_raised_at_once_and_not_again_while_it_is_handled():
    with interrupts.heard():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        try:
            interrupts.check()
        except KeyboardInterrupt:
            interrupts.check()  # such as a report of what is kept
        else:
            pytest.fail("the press is forgotten")


def test_a_deferred_press_is_raised_at_the_end_of_the_block():
    done = []

    def steps():
        with interrupts.deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("the step ends")
        done.append("nothing follows")

    with interrupts.heard(), pytest.raises(KeyboardInterrupt):
        steps()
    assert done == ["the step ends"]


def test_where_nobody_notes_presses_python_raises_them():
    assert not interrupts.pressed()
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        signal.raise_signal(signal.SIGINT)
        pytest.fail("went on")


def test_other_handlers_and_other_threads_keep_theirs():
    handler = lambda number, frame: None  # noqa: E731
    for mine in (signal.SIG_IGN, handler):
        before = signal.signal(signal.SIGINT, mine)
        try:
            with interrupts.heard():
                assert signal.getsignal(signal.SIGINT) is mine
        finally:
            signal.signal(signal.SIGINT, before)
    found = []

    def elsewhere():
        with interrupts.heard(), interrupts.deferred():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


SECOND = """
import signal
from rfsim.computing import interrupts
with interrupts.heard():
    for _ in range(2):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pass  # a cleanup that hangs
    print("went on", flush=True)
"""


def test_a_second_press_ends_the_process():
    done = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "rfsim: interrupted\n")


@pytest.mark.parametrize("command", LONG)
def test_a_press_that_is_dropped_ends_every_command(command, capsys, monkeypatch):
    said, say = [], terminal.say

    def pressing(lines, *, quiet=False):
        if lines and not interrupts.pressed():
            press_where_it_is_dropped()
        said.append(lines)
        say(lines, quiet=quiet)

    monkeypatch.setattr(terminal, "say", pressing)
    assert main([*command.split(), *LONG[command]]) == 130
    assert capsys.readouterr().err.endswith("rfsim: interrupted\n")
    if command in ("train", "simulate", "distill"):  # which report a second step: they went no further
        assert len([lines for lines in said if lines]) == 1
        assert not list(Path("rfsim-out").rglob("result.nc"))


def test_what_became_of_a_press_in_the_code_of_others_is_an_interruption(capsys, monkeypatch):
    def converted(argv):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise RuntimeError("INTERNAL: CpuCallback error: KeyboardInterrupt")

    monkeypatch.setattr(commands, "run", converted)
    assert main(["info"]) == 130
    assert capsys.readouterr().err == "rfsim: interrupted\n"


def test_a_press_in_a_chunk_keeps_the_chunk(capsys, monkeypatch):
    from rfsim.disk import checkpoints
    from rfsim.simulation import loop

    advance = loop._advance

    def pressing(training, state, stop):
        reached = advance(training, state, stop)
        if stop >= 5 and not interrupts.pressed():
            signal.raise_signal(signal.SIGINT)
        return reached

    monkeypatch.setattr(loop, "_advance", pressing)
    assert main(["simulate", *SMALL, "--steps", "100000", "--checkpoint", "c", "--out", "o"]) == 130
    err = capsys.readouterr().err
    assert err.endswith("rfsim: interrupted\n")
    (step,) = checkpoints.present(Path("c/seed-0"))
    assert step >= 5
    assert f"kept step {step} in c/seed-0" in err


@pytest.mark.slow
def test_at_whatever_moment_ctrl_c_ends_a_simulation(capsys):
    endless = ["simulate", "--dim", "4", "--samples-per-dim", "2", "--features-per-dim", "32", "--steps", "2147483647"]
    for trial, delay in enumerate(np.random.default_rng(5).uniform(0.2, 2.0, 12)):
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            started = time.monotonic()
            assert main([*endless, "--checkpoint", f"c{trial}"]) == 130
            assert time.monotonic() - started < 60  # of compilation, the first time
            assert capsys.readouterr().err.endswith("rfsim: interrupted\n")
        finally:
            timer.cancel()
