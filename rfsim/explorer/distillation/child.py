"""The process that computes one result for the second tab: `python -m rfsim.explorer.distillation.child KEY PATH`.

A line that begins with "step" for each step; where it fails, the library's own message is the last line.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rfsim.computing import machine
from rfsim.explorer.distillation.kept import keep
from rfsim.explorer.distillation.systems import Request


def main(key: str, path: str) -> int:
    """Compute what a key asks for into a file, in a process of its own that gives way to others."""
    with contextlib.suppress(OSError):
        os.nice(10)
    machine.use_compilation_cache()
    try:
        keep(Request.of(key).run(_told), Path(path))
    except (ValueError, MemoryError) as error:
        print((str(error) or type(error).__name__).splitlines()[0], flush=True)
        return 1
    return 0


PARENT = os.getppid()


def _told(step: str, values: Mapping[str, Any]) -> None:
    if os.getppid() != PARENT:
        sys.exit(1)  # nobody waits any more
    print(f"step {step}", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
