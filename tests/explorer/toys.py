"""Tabs that worker processes can be given: importable, and slow or fatal where a test wants it."""

from __future__ import annotations

import math
import os
import signal
import time
from pathlib import Path

import jax.monitoring

from rfsim.explorer.parts import Control, Pending, Picture, Refused, Table, TabView, Value

SECONDS = 60  # that a slow drawing waits at most
COMPILED: list[str] = []


class Toy:
    """A tab that shows the number in its one control."""

    name, title, moving = "toy", "Toy: one number", "ratio"
    controls = (Control("ratio", "a ratio", "1", steps=("1", "2")),)

    def read(self, texts):
        if texts["ratio"] == "unread":
            raise TypeError("no such text")
        return texts["ratio"]

    def gather(self, choice):
        if choice == "later":
            raise Pending({"": "being computed"})
        return choice

    gather_film = gather

    def view(self, choice, layout):
        do, _, place = choice.partition(":")
        if do == "bug":
            raise TypeError("no such thing")
        if do == "bad":
            raise Refused({"ratio": "ratio must be a number; got 'bad'"})
        if do == "slow":  # begun, and ended as soon as a file is there
            Path(place).write_text("begun")
            wait_for(Path(place + ".go"))
            choice = "1"
        if do == "die" and not Path(place).exists():
            Path(place).write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "end":
            os._exit(3)
        if do in ("die", "who"):
            choice = str(os.getpid())
        cells = (Value(choice, float(choice)), Value("∞", math.inf), Value("—"))
        table = Table("numbers", "Numbers", ("what", "is", "never", "none"), ("is", "never", "none"), {"ratio": cells})
        return TabView((Picture("one", "image/svg+xml", b"<svg/>", layout),), (table,), f"rfsim toy --ratio {choice}")

    def animation(self, choice, kind, tell):
        if choice == "bad":
            raise Refused({"": "no such animation"})
        if choice == "bug":
            raise TypeError("no such film")
        for done in range(3):
            tell(done, 3)
        return f"{kind} of {choice} by {os.getpid()}".encode()

    def prepare(self, tell):
        tell(1, 1)
        return [("1", "wide"), ("2", "wide")]


def wait_for(path: Path) -> None:
    """Until a file is there."""
    end = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < end, f"nothing at {path}"
        time.sleep(0.005)


def count_compilations(_: None) -> int:
    """How many programs this process has compiled since it was asked first."""
    if not COMPILED:
        COMPILED.append("")
        jax.monitoring.register_event_duration_secs_listener(
            lambda event, seconds, **_: COMPILED.append(event) if "backend_compile" in event else None
        )
    return len(COMPILED) - 1
