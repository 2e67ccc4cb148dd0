"""Running the experiments of a checkout: cells computed once, stored as they end, reused while their code stands.

An experiment `experiments/NN_name.py` defines FIGURES {figure name: source}, SECONDS {size: measured seconds on two
cores}, cells(size) and CLAIMS, and CORE = True where it is run when no figure is named; `figures/NN_name.py` defines
DRAW {figure name: results → Figure}. Cells are calls of public functions, so everything that shapes a stored result is
the cell and the code behind its quantity.
"""

from rfsim.reproduce.cells import Cell, code_digest, sweep_cell, with_limits
from rfsim.reproduce.listing import SIZES, Experiment, checkout, describe, experiments, select
from rfsim.reproduce.running import ExperimentOutcome, draw, drawn_from
from rfsim.reproduce.storage import cell_path, current, kept, pictures, remaining_seconds, stored

__all__ = [
    "SIZES",
    "Cell",
    "Experiment",
    "ExperimentOutcome",
    "cell_path",
    "checkout",
    "code_digest",
    "current",
    "describe",
    "draw",
    "drawn_from",
    "experiments",
    "kept",
    "pictures",
    "remaining_seconds",
    "select",
    "stored",
    "sweep_cell",
    "with_limits",
]
