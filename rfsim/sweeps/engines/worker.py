"""What a worker process does, of whichever executor: one thread, float64, one task after another.

Questions and answers travel as bytes pickled here, so that what cannot be pickled is found here too, and is one task's
failure instead of the engine's.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from rfsim.checking.notes import Note
from rfsim.checking.text import one_line
from rfsim.computing import garbage, machine
from rfsim.sweeps.engines.outcome import bug

# read by OpenMP, OpenBLAS and MKL when numpy is imported, by XLA (NPROC) when its CPU client is made
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",
}
READY, TOLD = b"ready", b"told "
_ends: list[Connection] = []  # of this process's one connection, where it is a worker


def prepare() -> None:
    """Float64 and the compilation cache, in a process that has nothing else to do."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import jax

    warnings.simplefilter("ignore", Note)  # whoever asked for the sweep heard what there is to say of its data
    jax.config.update("jax_enable_x64", True)
    machine.use_compilation_cache()


def question(task: Callable[[Any], Any], payload: Any) -> bytes:
    """What `answer` takes. What cannot be pickled makes a question that is answered with these words as a failure."""
    try:
        return pickle.dumps((task, payload), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((_refuse, f"it cannot be sent to a worker: {one_line(str(error))}"))


def _refuse(words: str) -> None:
    raise TypeError(words)


def answer(call: bytes) -> bytes:
    """The pickled (value, failure) of one task; every exception of it is a failure in one line."""
    from rfsim.computing.precision import require_float64

    try:
        require_float64()
        task, payload = pickle.loads(call)
        found = (task(payload), "")
    except Exception as error:
        found = (None, bug(error))
    machine.release_programs()
    try:
        return pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((None, f"bug: its result cannot be sent back: {one_line(str(error))}"))


def read(answered: bytes) -> tuple[Any, str]:
    """(value, failure) of `answer`."""
    try:
        return pickle.loads(answered)
    except Exception as error:
        return None, f"bug: its result cannot be read here: {one_line(str(error))}"


def tell(value: Any) -> None:
    """Send a word to whoever asked, before the answer; of a task in a worker of `Processes` alone."""
    for end in _ends:
        end.send_bytes(TOLD + pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def version() -> str:
    """Of the rfsim that computes here."""
    return machine.versions().get("rfsim", "unknown")


def remote(call: bytes, expected: str) -> bytes:
    """`answer` in a worker that others started, which must have the same rfsim; `prepare` is done where it was not."""
    if version() != expected:
        words = f"its worker has rfsim {version()}, not {expected}: install the same version for both"
        return pickle.dumps((None, words))
    prepare()
    return answer(call)


def serve() -> None:
    """The life of a spawned worker: answers on the connection whose descriptor is the first argument.

    Standard input is a pipe that the parent never writes to: it ends when the parent does, however that ends, and the
    worker with it, whatever it is doing.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    end = Connection(descriptor)
    _ends.append(end)
    with garbage.rarely():
        prepare()
        end.send_bytes(READY)
        while True:
            try:
                call = end.recv_bytes()
            except EOFError:
                return
            end.send_bytes(answer(call))


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)
