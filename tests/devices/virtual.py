"""Virtual CPU devices of one process; run as `python -m tests.devices.virtual COUNT CASE…`, prints one line of JSON.

Besides the cases' differences from one device, it prints of two programs, on one device and on COUNT where that is a
power of 2, the collectives they contain, the bytes each device holds, and the bytes derived in `expected`.
"""

from __future__ import annotations

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax

from rfsim.computing import parallel
from rfsim.computing.parallel import DeviceLayout, layout
from rfsim.sample.moments import assembly, sharded
from rfsim.simulation import loop, objective
from tests.devices import cases

COLLECTIVES = ("all-gather", "all-reduce", "collective-permute")
LARGE, ORDERS, ROWS, DIM, TILE = 1024, 2, 64, 16, 128  # p × p is most of what is held


def orders_program(where: DeviceLayout) -> jax.stages.Compiled:
    """U's blocks of one chunk of coefficients, (ORDERS, LARGE, ROWS)."""
    work = sharded.assembler(where, LARGE)
    arrays = work.zero(), where.zeros((ORDERS, LARGE, ROWS), 1), where.zeros((LARGE, DIM), 0)
    if where.mesh is None:
        return assembly.add_orders.lower(*arrays, 1.0, 0, ORDERS).compile()
    return sharded._add_orders.lower(*arrays, 1.0, 0, ORDERS, mesh=where.mesh, tile=TILE).compile()


def loop_program(where: DeviceLayout) -> jax.stages.Compiled:
    """Steps of descent on fresh minibatches of ROWS draws."""
    weights = where.zeros((DIM, LARGE), 1)
    zero, points, key = map(where.place, (np.int32(0), np.zeros((ROWS, DIM)), np.zeros(2, np.uint32)))
    state = loop.LoopState(zero, weights, weights, optax.sgd(1.0).init(weights), key)
    by = objective.Features(where.zeros((LARGE, DIM), 0), where.place(np.zeros(())), 0.5, 0.0)
    loss, source = objective.drawn(jnp.tanh, ROWS, "highest"), objective.Fresh(by, points, 0.5)
    return loop.advance.lower(state, 10, source, 1.0, 0.5, 1e6, loss=loss, optimizer=optax.sgd).compile()


PROGRAMS = {"U": orders_program, "simulation": loop_program}


def expected(count: int) -> dict[str, int]:
    """Bytes per device, p/K = b.

    U: of its own blocks K/2 + 1 of b × b; g and directions of b features, on several devices three times: its own,
    those it works with and those that arrive; four tiles.
    Simulation: of b features W, the gradient, and weights and average before and after; φ of a batch; points and six
    arrays of a batch's shape.
    """
    b = LARGE // count
    g = b * (ORDERS * ROWS + DIM)
    ring = (count // 2 + 1) * b**2 + (1 if count == 1 else sharded.HELD) * g + 4 * TILE**2
    step = b * (6 * DIM + ROWS) + 7 * ROWS * DIM
    return {"U": 8 * ring, "simulation": 8 * step}


def main(count: int, names: list[str]) -> None:
    report: dict = {"differences": cases.differences(layout(count, cases.FEATURES), names)}
    assembly.TILE = TILE
    for devices in (1, count) if LARGE % count == 0 else ():
        where = layout(devices, LARGE)
        programs = {name: program(where) for name, program in PROGRAMS.items()}
        report[devices] = {
            "held": {name: parallel.per_device_memory(program) for name, program in programs.items()},
            "expected": expected(devices),
            "collectives": {
                name: [one for one in COLLECTIVES if one in program.as_text()] for name, program in programs.items()
            },
        }
    print(json.dumps(report))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
