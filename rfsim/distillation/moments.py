"""Moments of one level of distillation, averaged over noise draws in a stream (equations.md T16).

Over the same draws of x_k: U = E φ_k(x_k)φ_k(x_k)ᵀ, C = E φ_{k−1}(Φ_k(x_k)) φ_k(x_k)ᵀ, P = E Φ_k(x_k) φ_k(x_k)ᵀ and
X = E x_k φ_k(x_k)ᵀ. C and P have no closed form, for Φ_k is nonlinear. Where only rows qᵀC are wanted, or the target
c_skip,k−1 P + c_out,k−1 B̄⁻C itself, these are averaged as E yφᵀ by thin products, and C is never formed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, added, compiled, namespace, on_host, placed
from rfsim.computing.blas import add_gram
from rfsim.computing.precision import require_float64
from rfsim.distillation.networks import Function, Network, features, read_out
from rfsim.distillation.sampling import ode_map
from rfsim.problem.data import stream
from rfsim.problem.diffusion import Step, forward, ode_step
from rfsim.problem.laws import AnyLaw

CHUNK_ROWS = 2048
BLOCKS = 2  # of a symmetric product: three quarters of it; more and narrower ones lose what they save
FEWEST = 2  # draws per feature: with fewer the regression would interpolate


class LevelMoments(NamedTuple):
    """Averages over `draws` draws; p features of the student.

    second: U (p, p); own: X (dim, p); targets: E yφᵀ (targets, dim, p) of the functions y(x_k) that `level_moments` was
    given. Where asked for: carried: C (p, p) and steps: P (dim, p); difference: E δδᵀ (p, p) with
    δ = φ_k(x_k) − φ_{k−1}(Φ_k(x_k)).
    """

    draws: int
    second: Numbers
    own: Numbers
    targets: Numbers
    carried: Numbers | None
    steps: Numbers | None
    difference: Numbers | None


class StudentFeatures(NamedTuple):
    """The student's features: W (features, dim), and σ's means at the level and below it."""

    weights: Numbers
    offset: Numbers
    offset_there: Numbers


class Stage(NamedTuple):
    """What moves x_k down by one level.

    The teacher's read-outs here and at the level below (dim, features of the teacher), its W, σ's means at both, and
    the step (T15).
    """

    here: Numbers
    there: Numbers
    weights: Numbers
    offset: Numbers
    offset_there: Numbers
    step: Step

    def move(self, x: Numbers, function: Function, heun: bool) -> Numbers:
        """Φ_k(x), (rows, dim)."""

        def read(readouts: Numbers, offset: Numbers) -> Function:
            return lambda y: read_out(self.weights, y, offset, function, readouts)

        return ode_map(self.step, heun, x, read(self.here, self.offset), read(self.there, self.offset_there))

    @property
    def heun(self) -> bool:
        """Whether the step looks at the level below."""
        return self.step.half != 0


def stage(teacher: Network, level: int, solver: str) -> Stage:
    """The teacher's step from level k to k − 1."""
    (here, there), (offset, offset_there) = (
        (values[level], values[level - 1]) for values in (teacher.readouts, teacher.offsets)
    )
    step = ode_step(solver, float(teacher.times[level]), float(teacher.times[level - 1]))
    return Stage(here, there, teacher.weights, offset, offset_there, step)


class Source(Protocol):
    """Draws of a level's inputs in order, `count` of them in all."""

    count: int

    def take(self, rows: int) -> NDArray[np.float64]:
        """The next ones, (rows, dim)."""
        ...


def averages(
    network: Network, level: int, source: Source, function: Function, targets: Callable[[Numbers], Numbers], count: int
) -> Numbers:
    """E yφᵀ (targets, dim, features) alone, over the first `count` draws of a source (M0).

    network: W and σ's means; targets: x (rows, dim) to y (rows, targets, dim).
    """
    weights, offset, total = network.weights, network.offsets[level], None
    rows = -(-count // -(-count // CHUNK_ROWS))
    for start in range(0, count, rows):
        x, kept = _chunk(source, min(rows, count - start), rows)
        y = targets(x)
        total = placed(np.zeros((*y.shape[1:], len(weights)))) if total is None else total
        total = _add_targets(total, x, kept, y, weights, offset, function=function)
    assert total is not None  # there are draws
    return total / count


def level_moments(
    stage: Stage,
    student_features: StudentFeatures,
    source: Source,
    function: Function,
    targets: Callable[[Numbers], Numbers],
    *,
    shares: int = 2,
    carried: bool = False,
    difference: bool = False,
) -> Generator[LevelMoments]:
    """The moments of one level after each of `shares` equal shares of the draws; the last ones are over all of them.

    targets: x_k (rows, dim) to y (rows, targets, dim); carried: also C and P; difference: also E δδᵀ.
    """
    require_float64()
    p, dim = student_features.weights.shape
    edges = np.ceil(source.count * np.arange(shares + 1) / shares).astype(int)
    # equal chunks, so that one compiled program serves all of them
    rows = -(-int(edges[1]) // -(-int(edges[1]) // CHUNK_ROWS))
    sums, heun = None, stage.heun
    for lo, hi in itertools.pairwise(edges.tolist()):
        for start in range(lo, hi, rows):
            count = min(rows, hi - start)
            x, kept = _chunk(source, count, rows)
            y = targets(x)
            sums = _Sums.zero(p, dim, y.shape[1], carried, difference) if sums is None else sums
            sums = _add(sums, x, kept, y, stage, student_features, heun=heun, function=function)
        assert sums is not None  # a share holds draws
        found = sums.average(hi)
        sums = None if hi == source.count else sums  # of the last share its averages are all that is held
        yield found
        del found


class Noisy:
    """Draws of x_k = e^{−t}x + √Δ ξ in order: clean points of a law in turn, with its own variance, and fresh noise."""

    def __init__(self, law: AnyLaw, diffusion_time: float, seed: int, use: str, count: int) -> None:
        """`use` names the streams: the same seed and use draw the same values."""
        self._law, self._time, self.count = law, diffusion_time, count
        self._noise, self._clean = stream(seed, f"{use}/noise"), stream(seed, f"{use}/clean")
        self._taken = 0

    def take(self, rows: int) -> NDArray[np.float64]:
        """The next `rows` of them, (rows, dim)."""
        components, shape = self._law.in_turn(self._taken, rows), (rows, self._law.variances.shape[-1])
        self._taken += rows
        # points without variance take nothing from the stream
        normal = self._clean.standard_normal(shape) if self._law.variances.any() else np.zeros(shape)
        return forward(self._law.points(components, normal), self._noise.standard_normal(shape), self._time)


class _Sums(NamedTuple):
    """Sums over draws, as in `LevelMoments`; absent ones have no rows, symmetric ones their upper blocks alone."""

    second: Numbers
    own: Numbers
    targets: Numbers
    carried: Numbers
    steps: Numbers
    difference: Numbers

    @classmethod
    def zero(cls, p: int, dim: int, targets: int, carried: bool, difference: bool) -> _Sums:
        shapes = (p, p), (dim, p), (targets, dim, p), (p * carried, p), (dim * carried, p), (p * difference, p)
        return cls(*(placed(np.zeros(shape)) for shape in shapes))

    def average(self, count: int) -> LevelMoments:
        whole = len(self.carried) > 0
        return LevelMoments(
            count,
            mirrored(self.second, count),
            self.own / count,
            self.targets / count,
            self.carried / count if whole else None,
            self.steps / count if whole else None,
            mirrored(self.difference, count) if len(self.difference) else None,
        )


@partial(compiled, static=("heun", "function"), donated=(0,))
def _add(
    sums: _Sums,
    x: Numbers,
    kept: Numbers | None,
    y: Numbers,
    stage: Stage,
    student_features: StudentFeatures,
    *,
    heun: bool,
    function: Function,
) -> _Sums:
    """The sums with a chunk of draws more: x (rows, dim), kept as `drawn` takes it, y (rows, targets, dim)."""
    phi = drawn(features(student_features.weights, x, student_features.offset, function), kept)
    sums = sums._replace(
        second=add_square(sums.second, phi),
        own=added(sums.own, ..., x.T @ phi),
        targets=added(sums.targets, ..., (y.reshape(len(x), -1).T @ phi).reshape(sums.targets.shape)),
    )
    if not (len(sums.carried) or len(sums.difference)):
        return sums
    arrived = stage.move(x, function, heun)
    there = drawn(features(student_features.weights, arrived, student_features.offset_there, function), kept)
    if len(sums.carried):
        sums = sums._replace(
            carried=added(sums.carried, ..., there.T @ phi), steps=added(sums.steps, ..., arrived.T @ phi)
        )
    if len(sums.difference):
        sums = sums._replace(difference=add_square(sums.difference, phi - there))
    return sums


def drawn(phi: Numbers, kept: Numbers | None) -> Numbers:
    """Features of those rows alone that are draws, zero elsewhere; kept: (rows,) of 0 and 1, None where all are."""
    return phi if kept is None else phi * kept[:, None]


def _chunk(source: Source, count: int, rows: int) -> tuple[Numbers, Numbers | None]:
    """The next `count` draws, filled up to `rows` with zeros, and 1 where there is one, where JAX computes."""
    if on_host():
        return source.take(count), None
    x = placed(np.pad(source.take(count), ((0, rows - count), (0, 0))))
    return x, placed((np.arange(rows) < count).astype(np.float64))


@partial(compiled, static=("function",), donated=(0,))
def _add_targets(
    total: Numbers,
    x: Numbers,
    kept: Numbers | None,
    y: Numbers,
    weights: Numbers,
    offset: Numbers,
    *,
    function: Function,
) -> Numbers:
    phi = drawn(features(weights, x, offset, function), kept)
    return added(total, ..., (y.reshape(len(x), -1).T @ phi).reshape(total.shape))


def add_square(total: Numbers, values: Numbers) -> Numbers:
    """Add valuesᵀ·values to a total, on and above the diagonal, and what else a block on it holds."""
    if namespace(total) is np:
        return add_gram(total, values)
    edges = np.linspace(0, len(total), BLOCKS + 1).astype(int)
    for lo, hi in itertools.pairwise(edges):
        total = added(total, (slice(lo, hi), slice(lo, None)), values[:, lo:hi].T @ values[:, lo:])
    return total


@compiled
def mirrored(total: Numbers, count: int) -> Numbers:
    """The mean over `count` draws of a symmetric sum that holds its upper blocks alone."""
    triu = namespace(total).triu
    whole = added(triu(total), ..., triu(total, 1).T)
    whole /= count
    return whole
