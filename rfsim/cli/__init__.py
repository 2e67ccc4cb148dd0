"""The command line: the only room that knows the terminal. `main` is the console script; its value the exit status."""

from __future__ import annotations

from collections.abc import Sequence

DONE, REFUSED, UNCONVERGED, INTERRUPTED = 0, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of `rfsim` (of `sys.argv` unless `argv` is given) and return its exit status."""
    from rfsim.cli import app

    return app.run(argv)
