"""Ctrl-C on the command line: none is lost, wherever in the code it arrives.

Python raises KeyboardInterrupt in whatever the main thread runs. Where that is a callback of the garbage collector (JAX
has one), a `__del__` or a call from compiled code, the exception is dropped and the run goes on. So a press is noted
too: long work looks at the note, and steps that compiled code is part of are not broken into.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

STATUS = 130  # of a process that Ctrl-C ended
SHOW_CURSOR = "\x1b[?25h"  # which a progress bar hides


class _Presses:
    """Of the command that runs: whether Ctrl-C is noted, whether it was pressed, and how many blocks defer it."""

    heard = pressed = False
    deferred = 0


_presses = _Presses()


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """Note every Ctrl-C until the block ends; a second one ends the process at once, with status 130.

    For the command line: it takes Python's handler of SIGINT, in the main thread. Elsewhere, inside of another such
    block, and where somebody else handles or ignores SIGINT, it does nothing.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    hook = sys.unraisablehook
    _presses.heard, _presses.pressed, _presses.deferred = True, False, 0
    sys.unraisablehook = _quiet(hook)
    signal.signal(signal.SIGINT, _press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = hook
        _presses.heard = False


def pressed() -> bool:
    """Whether Ctrl-C was pressed in the command that runs."""
    return _presses.heard and _presses.pressed


def check() -> None:
    """Raise KeyboardInterrupt where Ctrl-C was pressed and its exception lost; not while one is being handled."""
    if pressed() and _in_main_thread() and not isinstance(sys.exc_info()[1], KeyboardInterrupt):
        raise KeyboardInterrupt


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """A block that Ctrl-C does not break into: KeyboardInterrupt is raised when it ends, where presses are noted."""
    if not _in_main_thread():
        yield
        return
    _presses.deferred += 1
    try:
        yield
    finally:
        _presses.deferred -= 1
    check()


def _press(number: int, frame: Any) -> None:
    if _presses.pressed:
        tell = SHOW_CURSOR if sys.stderr.isatty() else ""
        os.write(2, f"{tell}rfsim: interrupted\n".encode())
        os._exit(STATUS)
    _presses.pressed = True
    if not _presses.deferred:
        raise KeyboardInterrupt


def _quiet(hook: Any) -> Any:
    """The hook for exceptions that are dropped, but for a Ctrl-C, which is noted."""

    def report(unraisable: Any) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    return report


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
