"""`rfsim simulate`: stochastic training of a sampled problem, on the flags of `rfsim train`."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from rfsim.cli.compute import Views, compute
from rfsim.cli.flags import (
    FigureFlags,
    OutputFlags,
    ProblemFlags,
    folder_flag,
    from_one,
    number,
    read_as,
    switch,
    text_flag,
)

Noise = Literal["fresh", "frozen"]
Precision = Literal["float64", "float32"]
Products = Literal["highest", "high", "default"]


def _batch(text: str) -> int | str:
    try:
        return text if text == "full" else from_one(text)
    except ValueError as error:
        raise ValueError(f"{error}, or full") from None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SimulateFlags:
    """Optimizer, noise and machine; names are those of `rfsim.simulate`."""

    optimizer: Annotated[
        str, text_flag("An optax optimizer: sgd, adam, …; its settings after a colon, sgd:momentum=0.9.")
    ] = "sgd"
    rate: Annotated[float | None, read_as(number, "Rate η; half of the largest stable one of sgd unless given.")] = None
    batch: Annotated[int | str, read_as(_batch, "Draws per step, with replacement, or full: every one once.")] = "full"
    noise: Annotated[
        Noise | None, text_flag("fresh at every step, or frozen: --noise-copies of it; what these imply unless given.")
    ] = None
    steps: Annotated[int, read_as(from_one, "Steps of the optimizer.")] = 1000
    ema: Annotated[float, read_as(number, "Decay per step of a moving average of the weights; 0 for none.")] = 0.0
    precision: Annotated[Precision, text_flag("Of weights, features and products in the loop.")] = "float64"
    products: Annotated[Products, text_flag("JAX's precision of products, where float32 has several.")] = "highest"
    devices: Annotated[
        int | None, read_as(from_one, "Devices that the features are divided over; 1, or all with --distributed.")
    ] = None
    distributed: Annotated[
        bool, switch("Run as one of several processes: those of Slurm, Open MPI or a TPU pod, or by JAX's variables.")
    ] = False
    no_exact: Annotated[bool, switch("Leave out the filter's losses, and with them the eigenvalues of U.")] = False
    checkpoint: Annotated[Path | None, folder_flag("Folder for the state of the run.")] = None
    resume: Annotated[bool, switch("Go on from the newest checkpoint in that folder.")] = False
    checkpoint_minutes: Annotated[float, read_as(number, "Minutes from one checkpoint to the next.")] = 10.0


PROBLEM, SIMULATE, OUTPUT, FIGURE = ProblemFlags(), SimulateFlags(), OutputFlags(), FigureFlags()


def simulate(
    *,
    problem: ProblemFlags = PROBLEM,
    simulation: SimulateFlags = SIMULATE,
    output: OutputFlags = OUTPUT,
    figure: FigureFlags = FIGURE,
) -> int:
    """Stochastic training, beside the filter that describes its mean."""
    from rfsim import parallel
    from rfsim import simulation as room
    from rfsim.cli import simulate_answers as answers

    with contextlib.ExitStack() as around:
        around.enter_context(_warnings())
        if simulation.distributed:
            around.enter_context(_own_stdout())
            parallel.join()
            if not parallel.leads():
                output = dataclasses.replace(output, quiet=True)
        options = dataclasses.asdict(simulation)
        options["exact"] = not options.pop("no_exact")
        options["devices"] = room.number_of_devices(options["devices"])
        del options["distributed"]
        return compute(
            "simulate",
            partial(room.simulate, **options),
            Views(answers.answer, answers.lines, answers.failed_parts),
            (problem, output, figure),
        )


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
