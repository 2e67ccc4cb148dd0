"""How far a sweep is, and what a run of it will do, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rfsim.checking.text import counted
from rfsim.disk import locks
from rfsim.disk.files.numbers import DataError
from rfsim.sweeps import opening, quantities, scratch, storage
from rfsim.sweeps.plan import SweepPlan
from rfsim.sweeps.request import SweepRequest


def summary(path: Path, request: SweepRequest) -> dict[str, Any]:
    """How far a sweep is.

    Args:
        path: Its store, which need not exist.
        request: The sweep.

    Returns:
        Cells by status, groups, decompositions announced and done, seconds of work, and the holder; damaged, in words,
        where something is not what was written.

    Raises:
        StoreError: For a store of other settings, or one that cannot be read.
    """
    planned = request.plan
    if not path.exists() and scratch.left(path.resolve()):
        with locks.held(path.resolve()):
            scratch.tidy(path.resolve())
    if path.exists():
        found = opening.look(path, planned, request.settings, [*request.unread, *request.imports.unread])
    else:
        request.require_read()
        found = opening.StoreStatus(np.zeros(planned.shape, dtype=np.int8), 0, 0.0)
    counts = np.bincount(found.status.ravel(), minlength=len(storage.STATUS))
    return {
        "store": str(path),
        "cells": planned.cells,
        **dict(zip(storage.STATUS, counts.tolist(), strict=True)),
        "groups": {"total": planned.groups, "waiting": found.waiting(planned)},
        "decompositions": {"announced": _announced(request, found.decompositions), "done": found.decompositions},
        "seconds": found.seconds,
        "holder": locks.holder(path.resolve()),
        **({"damaged": damaged(found.broken, found.lost)} if found.broken or found.lost else {}),
    }


def damaged(broken: int, lost: Sequence[str] = ()) -> str:
    """What of a store does not hold what was written to it, in words.

    Args:
        broken: Number of cells whose values do not.
        lost: Further words.

    Returns:
        The words.
    """
    words = [f"values of {counted(broken, 'cell')}"] if broken else []
    return f"{' and '.join([*words, *lost])} did not hold what was written"


def decompositions(planned: SweepPlan) -> int:
    """Number of decompositions of U that all groups of a plan need.

    Args:
        planned: The plan.

    Returns:
        The number.
    """
    each = planned.evaluate(partial(quantities.decompositions, planned.quantity))
    return int(np.broadcast_to(each, planned.counts).sum()) if planned.counts else int(each)


def announcement(planned: SweepPlan, todo: int, words: str) -> str:
    """What a run will do, in one line.

    Args:
        planned: The plan.
        todo: Number of groups to do.
        words: How, at the end.

    Returns:
        The line.
    """
    announced = counted(decompositions(planned), "decomposition")
    total = f"{counted(planned.cells, 'cell')} in {counted(planned.groups, 'group')}, {announced} of U"
    return f"{total}; {counted(todo, 'group')} to do {words}"


def _announced(request: SweepRequest, done: int) -> int:
    """Decompositions that the plan needs; those done where its data, whose size tells them, cannot be read."""
    try:
        return decompositions(request.plan)
    except DataError:
        return done
