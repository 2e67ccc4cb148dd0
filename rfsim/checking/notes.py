"""What a library says about how it took its input: a warning of its own kind, which programs show as a line."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


class Note(UserWarning):
    """Something to know about the input that was used; the result is right for what was read."""


def say(text: str) -> None:
    """Warn with a Note."""
    warnings.warn(text, Note, stacklevel=3)


@contextlib.contextmanager
def recorded() -> Iterator[list[str]]:
    """The notes said inside, in order and each once, in place of warnings; other warnings pass."""
    heard: dict[str, None] = {}
    texts: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", Note)
        passed = warnings.showwarning

        def keep(message, category, *where, **more) -> None:
            if not issubclass(category, Note):
                passed(message, category, *where, **more)
            elif str(message) not in heard:
                heard[str(message)] = None
                texts.append(str(message))

        warnings.showwarning = keep
        yield texts
