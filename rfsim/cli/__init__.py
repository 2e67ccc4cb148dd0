"""The command line: the only room that knows the terminal. `main` is the console script; its value the exit status."""

from __future__ import annotations

from collections.abc import Sequence

from rfsim.cli.statuses import INTERRUPTED
from rfsim.computing import garbage, idle, interrupts


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of `rfsim` (of `sys.argv` unless `argv` is given) and return its exit status."""
    idle.sleep_at_once()
    with interrupts.heard(), garbage.rarely():
        status = None
        try:
            from rfsim.cli import app

            status = app.run(argv)
        except BaseException:  # what a Ctrl-C became on its way through somebody else's code
            if not interrupts.pressed():
                raise
        if status is None or (interrupts.pressed() and status != INTERRUPTED):
            from rfsim.cli import terminal

            terminal.complain("interrupted")
            return INTERRUPTED
        return status
