"""How often Python looks for cycles of objects that nobody holds."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

RARELY = 50_000  # more objects than before, at which Python looks at the youngest ones


@contextlib.contextmanager
def rarely() -> Iterator[None]:
    """Look for garbage less often inside; programs call this alone.

    Loading modules and tracing programs make objects that stay: an eighth of a first answer's time went into finding no
    garbage among them.
    """
    youngest, *older = gc.get_threshold()
    if youngest:  # none where it is switched off
        gc.set_threshold(max(youngest, RARELY), *older)
    try:
        yield
    finally:
        gc.set_threshold(youngest, *older)
