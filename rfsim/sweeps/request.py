"""A sweep that may be run: read and planned, with what it imports and where its data are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.disk.files.numbers import DataError
from rfsim.problem.arrays import rows
from rfsim.problem.model import Problem
from rfsim.problem.origins import source
from rfsim.sweeps import imports, paths
from rfsim.sweeps.imports import DIGEST, Imports
from rfsim.sweeps.plan import SweepPlan, plan
from rfsim.sweeps.spec import read


class SweepRequest(NamedTuple):
    """A sweep that may be run.

    Attributes:
        plan: Its groups of cells.
        settings: What its store is identified by.
        array: Its data, if any, (samples, dim).
        imports: The activations that it imports.
        paths: Whole ones of the files of data that it names.
        unread: Data that cannot be read now, and why not: a store that lacks nothing does without.
    """

    plan: SweepPlan
    settings: Mapping[str, Any]
    array: NDArray | None
    imports: Imports = Imports()
    paths: Mapping[str, str] = {}
    unread: Mapping[str, ValueError] = {}

    def require_read(self) -> None:
        """Raise what is wrong with data that cannot be read."""
        for error in self.unread.values():
            raise error


def prepare(
    spec: str | Path | Mapping[str, Any],
    array: ArrayLike | None = None,
    *,
    allow_import: bool = False,
    read_only: bool = False,
) -> SweepRequest:
    """Read and plan a sweep; nothing is computed, and nothing is written.

    Args:
        spec: As in `sweep`.
        array: As in `sweep`.
        allow_import: As in `sweep`.
        read_only: For `summary` alone; nothing is imported, whatever the activations are.

    Returns:
        The sweep.

    Raises:
        ValueError: In one line, with all that is wrong.
    """
    found = read(spec, allow_import=allow_import or read_only)
    values = None if array is None else rows(array).values
    if values is not None and "dim" in found.quantity.swept:
        found = found._replace(fixed={"dim": values.shape[1], **found.fixed})
    beside = None if isinstance(spec, Mapping) else Path(spec).parent
    brought = imports.find(activations(plan(found)), beside, read_only=read_only)
    if values is not None:
        digest = source(Problem(), array=values).settings["data_digest"]
        return SweepRequest(plan(found), {**found.settings, **brought.settings, "array": digest}, values, brought)
    found = paths.located(found, beside or Path())
    digests, unread = {}, {}
    for name, place in (paths.named(found) or {Problem.data: Problem.data}).items():
        try:
            digest = source(Problem(data=place), conditions=True).settings.get("data_digest")
        except DataError as error:
            unread[name] = error
        else:
            digests |= {f"{DIGEST}{name}": digest} if digest is not None else {}
    whole = {name: path for path, name in found.written.items()}
    settings = {**found.settings, **brought.settings, **digests}
    return SweepRequest(plan(found), settings, None, brought, whole, unread)


def activations(planned: SweepPlan) -> list[str]:
    """Those of all cells, as texts."""
    return [str(one) for one in np.ravel(planned.parameters().get("activation", Problem.activation)).tolist()]
