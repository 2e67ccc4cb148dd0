"""What an exception is to a user: an exit status and one line; a bug is neither, and passes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cyclopts import CycloptsError
from cyclopts.exceptions import RepeatArgumentError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from rfsim.checking.text import nearest, shown
from rfsim.cli import streams, terminal
from rfsim.cli.statuses import DONE, INTERRUPTED, REFUSED, UNCONVERGED
from rfsim.quantities.meant import hint


def status(command: Callable[[], Any]) -> int:
    """The exit status of a command, whose errors are told in one line; a bug's exception passes."""
    try:
        found = command()
        if trouble := streams.trouble():
            raise OSError(trouble)
    except KeyboardInterrupt:
        terminal.complain("interrupted")
        return INTERRUPTED
    except CycloptsError as error:
        terminal.complain(_explained(error))
        return REFUSED
    except (ValueError, MemoryError, OSError, ArithmeticError, RuntimeError, AssertionError) as error:
        if (known := _known(error)) is None:
            raise
        if known[1]:
            terminal.complain(known[1])
        return known[0]
    return found if isinstance(found, int) else DONE


def _known(error: Exception) -> tuple[int, object] | None:
    """Status and message of an error that is no bug."""
    if isinstance(error, OverflowError):
        return REFUSED, f"a size or setting is too large to compute with ({error})"
    if isinstance(error, OSError):
        return _of_a_file(error)
    if isinstance(error, (ValueError, MemoryError)):
        return REFUSED, error if str(error) else f"out of memory ({type(error).__name__})"
    if isinstance(error, ArithmeticError):
        from rfsim.theory import NotConverged

        return (UNCONVERGED, error) if isinstance(error, NotConverged) else None
    if "RESOURCE_EXHAUSTED" in str(error):  # XLA's own out-of-memory is a RuntimeError
        return REFUSED, f"out of memory: {error}"
    if (missing := _without_device()) is not None:
        return REFUSED, missing
    from rfsim.sweeps.engines.outcome import Lost

    return (UNCONVERGED, error) if isinstance(error, Lost) else None


def _of_a_file(error: OSError) -> tuple[int, object]:
    if (trouble := streams.trouble()) is not None:
        return (REFUSED, trouble) if trouble else (DONE, "")
    if isinstance(error, FileNotFoundError) and not _somewhere():
        return REFUSED, "the current folder does not exist any more; change to another"
    return REFUSED, error if str(error) else type(error).__name__


def _somewhere() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _without_device() -> str | None:
    """That JAX has nothing to compute on, where this is so and something has asked it to."""
    if "jax" not in sys.modules:
        return None
    from rfsim.computing import machine

    try:
        machine.devices()
    except machine.NoDevice as missing:
        return str(missing)
    return None


def _explained(error: CycloptsError) -> str:
    """cyclopts's message, or a better one where it names no remedy."""
    tokens = error.unused_tokens or []
    if isinstance(error, UnusedCliTokensError):
        return f"unexpected {' '.join(tokens)!r}; settings are given as --flag VALUE"
    if isinstance(error, UnknownOptionError):
        return _unknown_flag(error)
    if isinstance(error, RepeatArgumentError):
        return f"{error.token.keyword} is given more than once; where it takes several values, separate them by commas"
    if isinstance(error, UnknownCommandError) and tokens and tokens[0].startswith("-"):
        found = nearest(tokens[0], ["--help", "--version"]) or "; flags follow a command; see rfsim --help"
        return f"unknown flag {tokens[0]}{found}"
    if isinstance(error, UnknownCommandError) and tokens:
        known = [name for name in error.app or () if not name.startswith("-")]
        typed = " ".join(["rfsim", *(error.command_chain or ())])
        return f"unknown command {tokens[0]!r} of {typed}{nearest(tokens[0], known)}; there are {', '.join(known)}"
    return str(error)


def _unknown_flag(error: UnknownOptionError) -> str:
    """That there is no such flag: what the symbol in it stands for, or the nearest, or where all are told."""
    given = (error.token.keyword or error.token.value).partition("=")[0]
    command = " ".join(error.command_chain or ())
    flags = [name for argument in error.argument_collection for name in argument.names if name.startswith("--")]
    told = hint(given, flags, of=command) or f"; rfsim {command} --help tells the flags"
    return f"unknown flag {shown(given)}{told}"
