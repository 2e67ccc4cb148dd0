"""Standard output and standard error as they may be: of any encoding, closed, full, or left by their reader.

What a name, a setting or a path brings along never commands the terminal: `plain` is for everything that is printed.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

ESCAPED = "rfsim.escaped"  # how characters are written that a stream's encoding lacks


def plain(text: str) -> str:
    r"""`text` with every character that is not printed as JSON writes it, so that JSON stays what it is.

    These are control characters, line ends among them, what turns the direction of writing, and bytes of file names
    that are no UTF-8.

    >>> plain("\x1b[31mred\u202e")
    '\\u001b[31mred\\u202e'
    """
    return text if text.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in text)


def tell(lines: Sequence[str] | str) -> None:
    """Lines on standard output: what was asked for. A reader who has had enough is no failure.

    Raises OSError, in one line, where standard output is closed or cannot take them.
    """
    try:
        print("\n".join(map(plain, [lines] if isinstance(lines, str) else lines)), flush=True)
    except OSError as error:
        if trouble := _silenced(error):
            raise OSError(trouble) from None


def trouble() -> str | None:
    """What is wrong with standard output: "" where its reader has left, None where it has taken all it was given.

    Where it has not, it takes anything from now on, so that the interpreter may end.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        return _silenced(error)
    failure = getattr(sys.stdout, "failure", None)
    return None if failure is None else _silenced(failure)


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """The streams for one command: they write what their encoding lacks in escapes; standard error, which tells how
    a run goes, never ends it; a closed standard output is an OSError for those who write there."""
    _occupy_descriptors()
    codecs.register_error(ESCAPED, _escape_unencodable)
    kept = sys.stdout, sys.stderr
    changed = {one: one.errors for one in kept if isinstance(one, io.TextIOWrapper)}
    for one in changed:
        _reconfigure(one, ESCAPED)
    sys.stdout, sys.stderr = _Output(kept[0], 1), _Patient(kept[1], 2)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept
        for one, errors in changed.items():
            _reconfigure(one, errors)


class _Stream:
    """A standard stream, or what stands in the place of one that the process was started without."""

    def __init__(self, stream: TextIO | None, descriptor: int) -> None:
        self._missing = stream is None
        self._stream: TextIO = stream or os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Output(_Stream):
    """Standard output, which knows whether it has failed: buffers forget."""

    failure: OSError | None = None

    def write(self, text: str) -> int:
        with self._noted():
            if self._missing:
                raise OSError(errno.EBADF, "it is closed")
            return self._stream.write(text)

    def flush(self) -> None:
        with self._noted():
            self._stream.flush()

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            raise


class _Patient(_Stream):
    """Standard error, whose failure is nobody's: what it cannot take is left out."""

    def write(self, text: str) -> int:
        with self._forgiven():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._forgiven():
            self._stream.flush()

    @contextlib.contextmanager
    def _forgiven(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            _silence(self._stream)


def _silenced(error: OSError) -> str:
    """Silence standard output; what is to be said of it, nothing where its reader has left."""
    _silence(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return ""
    return f"standard output cannot be written ({error.strerror or error}); direct it elsewhere"


def _silence(stream: TextIO) -> None:
    """Lead a stream nowhere, with what waits in it: the interpreter complains of what is left there."""
    with contextlib.suppress(OSError, ValueError):  # one without a descriptor holds nothing back
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _reconfigure(stream: io.TextIOWrapper, errors: str | None) -> None:
    with contextlib.suppress(OSError, ValueError):  # it is flushed first, and may be closed
        stream.reconfigure(errors=errors)


def _occupy_descriptors() -> None:
    """Keep a file from taking the place of a closed standard stream, into which libraries may write."""
    with contextlib.suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
            pass
        os.close(descriptor)


def _escaped(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[k : k + 4]}" for k in range(0, len(units), 4))


def _escape_unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _escaped(error.object[error.start : error.end]), error.end
