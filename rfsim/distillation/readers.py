"""Functions whose averages E yφᵀ over draws the targets of students are, read draw by draw (equations.md T16)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, namespace, placed
from rfsim.distillation.moments import Stage, StudentFeatures, stage
from rfsim.distillation.networks import Function, Network, features, read_out
from rfsim.distillation.sampling import generate, path


class Readers(NamedTuple):
    """Functions skip·y + out·Bφ_{k−1}(y) of where a draw arrives.

    weights: B (count, dim, features); skip, out: (count,).
    """

    weights: Numbers
    skip: NDArray[np.float64]
    out: NDArray[np.float64]


class Arriving(NamedTuple):
    """Functions of where a teacher's step takes a draw."""

    teacher: Network
    readers: Readers


class Endpoint(NamedTuple):
    """Where a teacher takes draws of x_T in all of its steps."""

    teacher: Network
    solver: str

    def of(self, x: Numbers, function: Function) -> Numbers:
        """Its endpoints, (rows, 1, dim)."""
        levels = len(self.teacher.times) - 1
        return placed(generate(self.teacher, x, path(levels, levels), function, self.solver))[:, None]


Applied: TypeAlias = Callable[[Numbers], Numbers]  # x (rows, dim) to y (rows, count, dim)
Ask: TypeAlias = Arriving | Endpoint | Applied


def together(several: Sequence[Readers]) -> Readers:
    """All of them as one."""
    weights, skip, out = zip(*several, strict=True)
    return Readers(namespace(weights).concatenate(weights), np.concatenate(skip), np.concatenate(out))


def rows_alone(rows: Numbers, dim: int) -> Readers:
    """Coefficient rows q (count, features) that read qᵀφ alone, in as many groups of `dim` as hold them."""
    padded = namespace(rows).pad(rows, ((0, -len(rows) % dim), (0, 0))).reshape(-1, dim, rows.shape[1])
    return Readers(padded, np.zeros(len(padded)), np.ones(len(padded)))


def read(readers: Readers, step: Stage, student_features: StudentFeatures, function: Function, x: Numbers) -> Numbers:
    """The functions at Φ_k(x), (rows, count, dim), for x (rows, dim)."""
    return _read(readers, step, student_features, x, heun=step.heun, function=function)


@partial(compiled, static=("heun", "function"))
def _read(
    readers: Readers, step: Stage, student_features: StudentFeatures, x: Numbers, *, heun: bool, function: Function
) -> Numbers:
    arrived = step.move(x, function, heun)
    return _there(readers, student_features.weights, student_features.offset_there, arrived, function)


@partial(compiled, static=("function",))
def read_there(readers: Readers, weights: Numbers, offset: Numbers, arrived: Numbers, *, function: Function) -> Numbers:
    """The functions where draws have arrived, (rows, count, dim), for (rows, dim)."""
    return _there(readers, weights, offset, arrived, function)


def _there(readers, weights, offset, arrived, function):
    count, dim, p = readers.weights.shape
    answers = read_out(weights, arrived, offset, function, readers.weights.reshape(-1, p))
    answers = answers.reshape(len(arrived), count, dim)
    return readers.skip[:, None] * arrived[:, None] + readers.out[:, None] * answers


@partial(compiled, static=("function",))
def jumped(weights: Numbers, offset: Numbers, readouts: Numbers, skip: float, out: float, x: Numbers, *, function):
    """skip·x + out·Bφ(x) by each of several read-outs B (count, dim, features), (rows, count, dim).

    x: (rows, dim), the same for all, or (rows, count, dim), one for each.
    """
    count, dim, p = readouts.shape
    if x.ndim == 2:
        answers = read_out(weights, x, offset, function, readouts.reshape(-1, p))
        return skip * x[:, None] + out * answers.reshape(len(x), count, dim)
    phi = features(weights, x.reshape(-1, dim), offset, function).reshape(len(x), count, p)
    swapped = namespace(phi).swapaxes
    return skip * x + out * swapped(swapped(phi, 0, 1) @ swapped(readouts, 1, 2), 0, 1)


@partial(compiled, static=("heun", "function"))
def moved(step: Stage, x: Numbers, *, heun: bool, function: Function) -> Numbers:
    """A teacher's step of (rows, count, dim)."""
    return step.move(x.reshape(-1, x.shape[-1]), function, heun).reshape(x.shape)


class Questions:
    """What several ask of the same draws, as one function of them: what is common is computed once."""

    def __init__(self, asks: Sequence[Ask], network: Network, level: int, solver: str, function: Function) -> None:
        """network: the students' W and σ's means."""
        offset, there = (network.offsets[k] for k in (level, level - 1))
        self._asks, self._function, self._dim = list(asks), function, network.weights.shape[1]
        self._features = StudentFeatures(network.weights, offset, there)
        self._stages: dict[int, Stage] = {}
        self._readers: dict[int, Readers] = {}
        for ask in self._asks:
            if isinstance(ask, Arriving):
                key = id(ask.teacher)
                before = [self._readers[key]] if key in self._readers else []
                self._stages.setdefault(key, stage(ask.teacher, level, solver))
                self._readers[key] = together([*before, ask.readers])
        self._places: list[slice] = []

    def __call__(self, x: Numbers) -> Numbers:
        """All values, (rows, count, dim)."""
        found = {
            key: read(of, self._stages[key], self._features, self._function, x) for key, of in self._readers.items()
        }
        blocks, taken, ends = [], dict.fromkeys(found, 0), {}
        for ask in self._asks:
            if isinstance(ask, Arriving):
                key, count = id(ask.teacher), len(ask.readers.weights)
                blocks.append(found[key][:, taken[key] : taken[key] + count])
                taken[key] += count
            elif isinstance(ask, Endpoint):
                key = id(ask.teacher)
                ends[key] = ends[key] if key in ends else ask.of(x, self._function)
                blocks.append(ends[key])
            else:
                blocks.append(ask(x))
        edges = np.cumsum([0, *(block.shape[1] for block in blocks)]).tolist()
        self._places = [slice(*edge) for edge in itertools.pairwise(edges)]
        xp = namespace(x)
        return xp.concatenate(blocks, axis=1) if blocks else xp.zeros((len(x), 0, self._dim))

    def answers(self, averaged: Numbers) -> list[Numbers]:
        """E yφᵀ (count, dim, features) of each ask, from those of all."""
        return [averaged[place] for place in self._places]
