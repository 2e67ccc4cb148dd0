"""Tasks for the tests of executors: importable, tiny."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple


class Noted(NamedTuple):
    """A task that notes each time it is begun: kills show what is computed again."""

    number: int
    notes: str
    seconds: float = 0.05


def square(number: int) -> int:
    return number**2


def noted_square(payload: Noted) -> int:
    with Path(payload.notes).open("a") as notes:
        notes.write(f"{payload.number} {os.getpid()}\n")
    time.sleep(payload.seconds)
    return payload.number**2


def wrong(number: int) -> int:
    if number == 1:
        raise ValueError("odd\nnumber")
    return number


def poisoned(number: int) -> int:
    """13 kills its own worker, each time."""
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number**2


def unsendable(number: int) -> Any:
    return threading.Lock() if number == 1 else number


class Unreadable:
    """Can be pickled, not read."""

    def __reduce__(self) -> Any:
        return square, ("text",)


def unreadable(number: int) -> Any:
    return Unreadable() if number == 1 else number


def busy(size: int) -> None:
    """Long, in compiled code."""
    import numpy as np

    matrix = np.random.default_rng(0).normal(size=(size, size))
    for _ in range(100):
        np.linalg.eigh(matrix + matrix.T)


def surroundings(_: Any) -> dict[str, Any]:
    """What a worker computes with, on all cores it could have."""
    import jax.numpy as jnp
    import numpy as np
    from threadpoolctl import threadpool_info

    from rfsim.computing import machine

    matrix = np.random.default_rng(0).normal(size=(400, 400))
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(5):
        np.linalg.eigh(matrix + matrix.T)
        product = jnp.linalg.eigh(jnp.asarray(matrix + matrix.T))[1] @ matrix
        product.block_until_ready()
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return {
        "dtype": str(product.dtype),
        "blas": {library["num_threads"] for library in threadpool_info()},
        "xla": sum(name.read_text().strip() == "tf_XLAEigen" for name in Path("/proc/self/task").glob("*/comm")),
        "threads": machine.threads(),
        "share": share,
    }
