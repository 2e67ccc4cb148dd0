"""The command line: the only room that knows the terminal. `main` is the console script."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of `rfsim` (of `sys.argv` unless `argv` is given) and return its exit status."""
    from rfsim.cli import app

    return app.run(argv)
