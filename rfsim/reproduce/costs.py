"""What cells cost, by what the catalog declares of their quantities: memory, and time relative to one another."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rfsim.quantities.catalog import QUANTITIES, Quantity, resolve
from rfsim.reproduce.cells import Cell
from rfsim.sampled import distill_memory
from rfsim.sampled.generated import generated
from rfsim.sweeps import costs, quantities
from rfsim.sweeps.checks import cell_bytes
from rfsim.sweeps.plan import SweepPlan, plan
from rfsim.sweeps.spec import read

# p³ a second in a decomposition with its products, seconds of each beside that, and of a cell beside both; in the limit
# most of it compiles. Only the ratios between the cells of an experiment count
RATE, EACH, LEAST, LIMIT = 1e9, 0.1, 1.0, 6.0


def needed_bytes(cell: Cell) -> float:
    """Bytes of memory at a cell's peak, beside what its process holds anyway.

    Args:
        cell: The cell.

    Returns:
        The estimate that sweeps make of the same quantity; inf where nothing tells.
    """
    if cell.problem is None:
        return float(cell_bytes(_planned(cell)).max(initial=0.0))
    if _limit(cell):
        return 0.0  # it holds no large matrices
    if cell.quantity == generated.__name__:
        return _generated_bytes(cell)
    if cell.quantity not in QUANTITIES:
        return math.inf
    quantity, values = _asked(cell)
    return float(np.nan_to_num(resolve(quantity.cells.needed_bytes)(values, 1)).max())


def shares(cells: Sequence[Cell]) -> dict[str, float]:
    """Which share of an experiment's time each of its cells takes.

    Args:
        cells: All of them.

    Returns:
        Shares that add to 1, by label.
    """
    weights = {cell.label: LIMIT if _limit(cell) else LEAST + _work(cell) for cell in cells}
    return {label: weight / sum(weights.values()) for label, weight in weights.items()}


def _work(cell: Cell) -> float:
    """Seconds of all decompositions of U."""
    if cell.problem is not None:
        return _spent(*_asked(cell)) if cell.quantity in QUANTITIES else 0.0
    planned = _planned(cell)
    known = dict(planned.quantity.defaults)
    found = planned.evaluate(lambda fixed: round(1e3 * _spent(planned.quantity, known | dict(fixed))))
    return 1e-3 * float(found.mean()) * planned.groups


def _spent(quantity: Quantity, values: Mapping[str, Any]) -> float:
    count = quantities.decompositions(quantity, values)
    return count * (EACH + float(costs.sizes(values).features) ** 3 / RATE) if count else 0.0


def _limit(cell: Cell) -> bool:
    return cell.quantity.startswith("theory.")


def _generated_bytes(cell: Cell) -> float:
    """As `rfsim.generated` asks for them, which is no quantity of sweeps."""
    given = {name: one.default for name, one in inspect.signature(generated).parameters.items()}
    given |= {} if cell.problem is None else cell.problem.settings
    given |= cell.options
    dim, _, features, _ = costs.sizes(given)
    path, levels, rows = (given[name] for name in ("path", "levels", "generated"))
    levels = levels if path is None else len(path) - 1
    models = len(np.atleast_1d(given["train_times"]))
    return float(distill_memory.needed_bytes(dim, features, features, levels=levels, models=models, generated=rows))


def _asked(cell: Cell) -> tuple[Quantity, dict[str, Any]]:
    quantity = QUANTITIES[cell.quantity]
    problem = {} if cell.problem is None else cell.problem.settings
    return quantity, dict(quantity.defaults) | dict(problem) | dict(cell.options)


def _planned(cell: Cell) -> SweepPlan:
    return plan(read(cell.options["spec"], allow_import=True))
