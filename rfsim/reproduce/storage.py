"""What is stored of an experiment's cells, and what is left to compute."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from rfsim.disk import store
from rfsim.disk.headers import header
from rfsim.reproduce import costs
from rfsim.reproduce.cells import Cell, code_digest
from rfsim.reproduce.listing import Experiment


def cell_path(root: Path, experiment: Experiment, size: str, cell: Cell) -> Path:
    """Where a cell's result lies: beside its experiment.

    Args:
        root: Of the checkout.
        experiment: The experiment.
        size: "quick" or "paper".
        cell: The cell.

    Returns:
        The file.
    """
    return root / "experiments" / "out" / f"{cell.home or experiment.name}-{size}" / f"{cell.label}.nc"


def pictures(root: Path) -> Path:
    """Where figures are drawn.

    Args:
        root: Of the checkout.

    Returns:
        The folder.
    """
    return root / "figures" / "out"


def kept(path: Path, cell: Cell) -> xr.Dataset | None:
    """The stored result of a cell if its settings and schema match, whatever code computed it.

    Args:
        path: Where it lies.
        cell: The cell.

    Returns:
        The result, or None.
    """
    if not path.exists():
        return None
    try:
        data = store.load(path)
    except store.StoreError:
        return None  # unreadable or of another schema: computed anew
    return data if data.attrs.get("cell") == cell.key() else None


def current(data: xr.Dataset, cell: Cell) -> bool:
    """Whether the code behind the cell's quantity is still the one that computed a result.

    Args:
        data: The result.
        cell: The cell.

    Returns:
        Whether it is.
    """
    return data.attrs.get("code_digest") == code_digest(cell)


def stored(path: Path, cell: Cell) -> xr.Dataset | None:
    """The stored result of a cell if its settings, schema and code match.

    Args:
        path: Where it lies.
        cell: The cell.

    Returns:
        The result, or None.
    """
    data = kept(path, cell)
    return data if data is not None and current(data, cell) else None


def missing(root: Path, experiment: Experiment, size: str) -> list[Cell]:
    """The cells that are not stored.

    Taken from what results say of themselves: one whose numbers are damaged counts as stored until it is read.

    Args:
        root: Of the checkout.
        experiment: The experiment.
        size: "quick" or "paper".

    Returns:
        The cells, in their order.
    """
    found = []
    for cell in experiment.cells(size):
        told = header(cell_path(root, experiment, size, cell))
        if (told.get("cell"), told.get("code_digest")) != (cell.key(), code_digest(cell)):
            found.append(cell)
    return found


def remaining_seconds(root: Path, experiment: Experiment, size: str) -> float:
    """Estimated seconds left: the share of a size's measured time that its missing cells have (`costs.shares`).

    Args:
        root: Of the checkout.
        experiment: The experiment.
        size: "quick" or "paper".

    Returns:
        The seconds.
    """
    shares = costs.shares(experiment.cells(size))
    return experiment.seconds(size) * sum(shares[cell.label] for cell in missing(root, experiment, size))
