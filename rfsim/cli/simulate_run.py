"""What `rfsim simulate` does around its run: several processes, a standard output of its own, every warning."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rfsim.cli.flags import OutputFlags


@contextmanager
def around(values: dict[str, Any], output: OutputFlags) -> Iterator[tuple[dict[str, Any], OutputFlags]]:
    """Join the other processes where there are any, of which one answers; the devices there then are."""
    from rfsim.computing import parallel
    from rfsim.sampled.simulate import number_of_devices

    with contextlib.ExitStack() as entered:
        entered.enter_context(_warnings())
        if values["distributed"]:
            entered.enter_context(_own_stdout())
            parallel.join()
            if not parallel.leads():
                output = dataclasses.replace(output, quiet=True)
        yield values | {"devices": number_of_devices(values["devices"])}, output


@contextmanager
def _warnings() -> Iterator[None]:
    """Each warning of ours is told, however often."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        yield


@contextmanager
def _own_stdout() -> Iterator[None]:
    """Standard output for Python alone: what carries data between JAX's processes prints on its descriptor."""
    kept, plain = os.dup(sys.stdout.fileno()), sys.stdout
    os.dup2(sys.stderr.fileno(), plain.fileno())
    sys.stdout = os.fdopen(kept, "w", encoding=plain.encoding, errors=plain.errors)
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout, own = plain, sys.stdout
        os.dup2(own.fileno(), plain.fileno())
        own.close()
