"""Moments of one level of distillation, averaged over noise draws in a stream (equations.md T16).

Over the same draws of x_k: U = E φ_k(x_k)φ_k(x_k)ᵀ, C = E φ_{k−1}(Φ_k(x_k)) φ_k(x_k)ᵀ, P = E Φ_k(x_k) φ_k(x_k)ᵀ and
X = E x_k φ_k(x_k)ᵀ. C and P have no closed form, for Φ_k is nonlinear. Where only rows qᵀC are wanted, or the target
c_skip,k−1 P + c_out,k−1 B̄⁻C itself, these are averaged as E yφᵀ by thin products, and C is never formed.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Generator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh, PartitionSpec
from numpy.typing import NDArray

from rfsim.computing.parallel import AXIS, DeviceLayout
from rfsim.computing.precision import require_float64
from rfsim.distillation.sampling import Function, Network, features, ode_map
from rfsim.problem.data import stream
from rfsim.problem.diffusion import Law, Step, forward, ode_step

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
    second: Array
    own: Array
    targets: Array
    carried: Array | None
    steps: Array | None
    difference: Array | None


class StudentFeatures(NamedTuple):
    """The student's features: W (features, dim), and σ's means at the level and below it."""

    weights: Array
    offset: Array
    offset_there: Array


class Stage(NamedTuple):
    """What moves x_k down by one level.

    The teacher's read-outs here and at the level below (dim, features of the teacher), its W, σ's means at both, and
    the step (T15).
    """

    here: Array
    there: Array
    weights: Array
    offset: Array
    offset_there: Array
    step: Step

    def move(self, x: Array, function: Function, heun: bool) -> Array:
        """Φ_k(x), (rows, dim)."""

        def read(readouts: Array, offset: Array) -> Function:
            return lambda y: features(self.weights, y, offset, function) @ readouts.T

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


def level_moments(
    stage: Stage,
    pupil: StudentFeatures,
    noisy: Noisy,
    function: Function,
    targets: Callable[[Array], Array],
    *,
    shares: int = 2,
    carried: bool = False,
    difference: bool = False,
    layout: DeviceLayout | None = None,
) -> Generator[LevelMoments]:
    """The moments of one level after each of `shares` equal shares of the draws; the last ones are over all of them.

    targets: x_k (rows, dim) to y (rows, targets, dim); carried: also C and P; difference: also E δδᵀ.
    layout: of the devices over which the columns of all of these, the student's features, are divided: for moments
    that no one device holds. Each keeps its columns of a chunk's features and sees all of them, (CHUNK_ROWS, p); none
    ever holds p × p. U is then symmetric to rounding. What decomposes U needs it whole.
    """
    require_float64()
    layout = DeviceLayout() if layout is None else layout
    p, dim = pupil.weights.shape
    edges = np.ceil(noisy.count * np.arange(shares + 1) / shares).astype(int)
    # equal chunks, so that one compiled program serves all of them
    rows = -(-int(edges[1]) // -(-int(edges[1]) // CHUNK_ROWS))
    sums, heun = None, stage.heun
    if layout.mesh is not None:
        stage, pupil = jax.tree.map(layout.place, stage), layout.place_like(pupil, (p, dim), 0)
    for lo, hi in itertools.pairwise(edges.tolist()):
        for start in range(lo, hi, rows):
            count = min(rows, hi - start)
            x = jnp.asarray(np.pad(noisy.take(count), ((0, rows - count), (0, 0))))
            kept = jnp.asarray((np.arange(rows) < count).astype(np.float64))
            y = targets(x)
            sums = _Sums.zero(layout, p, dim, y.shape[1], carried, difference) if sums is None else sums
            x, kept, y = map(layout.place, (x, kept, y))
            sums = _add(sums, x, kept, y, stage, pupil, heun=heun, function=function, mesh=layout.mesh)
        assert sums is not None  # a share holds draws
        found = sums.average(hi, mirrored=layout.mesh is None)
        sums = None if hi == noisy.count else sums  # of the last share its averages are all that is held
        yield found
        del found


class Noisy:
    """Draws of x_k = e^{−t}x + √Δ ξ in order: clean points of a law in turn, with its own variance, and fresh noise."""

    def __init__(self, law: Law, diffusion_time: float, seed: int, use: str, count: int) -> None:
        """`use` names the streams: the same seed and use draw the same values."""
        self._law, self._time, self.count = law, diffusion_time, count
        self._noise, self._clean = stream(seed, f"{use}/noise"), stream(seed, f"{use}/clean")
        self._taken = 0

    def take(self, rows: int) -> NDArray[np.float64]:
        """The next `rows` of them, (rows, dim)."""
        numbers = np.arange(self._taken, self._taken + rows)
        self._taken += rows
        clean = self._law.centers[numbers % len(self._law.centers)]
        if self._law.variances.any():
            clean = clean + self._clean.standard_normal(clean.shape) * np.sqrt(self._law.variances)
        return forward(clean, self._noise.standard_normal(clean.shape), self._time)


class _Sums(NamedTuple):
    """Sums over draws, as in `LevelMoments`; absent ones have no rows.

    On one device symmetric ones have their upper blocks alone.
    """

    second: Array
    own: Array
    targets: Array
    carried: Array
    steps: Array
    difference: Array

    @classmethod
    def zero(cls, layout: DeviceLayout, p: int, dim: int, targets: int, carried: bool, difference: bool) -> _Sums:
        shapes = (p, p), (dim, p), (targets, dim, p), (p * carried, p), (dim * carried, p), (p * difference, p)
        return cls(*(layout.zeros(shape, -1) for shape in shapes))

    def average(self, count: int, mirrored: bool) -> LevelMoments:
        whole = len(self.carried) > 0
        square = _mirrored if mirrored else operator.truediv
        return LevelMoments(
            count,
            square(self.second, count),
            self.own / count,
            self.targets / count,
            self.carried / count if whole else None,
            self.steps / count if whole else None,
            square(self.difference, count) if len(self.difference) else None,
        )


@partial(jax.jit, static_argnames=("heun", "function", "mesh"), donate_argnums=0)
def _add(
    sums: _Sums,
    x: Array,
    kept: Array,
    y: Array,
    stage: Stage,
    pupil: StudentFeatures,
    *,
    heun: bool,
    function: Function,
    mesh: Mesh | None,
) -> _Sums:
    """The sums with a chunk of draws more: x (rows, dim), kept (rows,) of 0 and 1, y (rows, targets, dim)."""
    if mesh is None:
        return _added(sums, x, kept, y, stage, pupil, heun=heun, function=function)
    gather = partial(lax.all_gather, axis_name=AXIS, axis=1, tiled=True)
    added = partial(_added, heun=heun, function=function, gather=gather)
    found = jax.tree.map(lambda leaf: PartitionSpec(*[None] * (leaf.ndim - 1), AXIS), sums)
    own = jax.tree.map(lambda leaf: PartitionSpec(AXIS, None) if leaf.ndim else PartitionSpec(), pupil)
    given = found, *[PartitionSpec()] * 4, own
    shared = jax.shard_map(added, mesh=mesh, in_specs=given, out_specs=found)
    return shared(sums, x, kept, y, stage, pupil)


def _added(
    sums: _Sums,
    x: Array,
    kept: Array,
    y: Array,
    stage: Stage,
    pupil: StudentFeatures,
    *,
    heun: bool,
    function: Function,
    gather: Callable[[Array], Array] | None = None,
) -> _Sums:
    """Of the pupil's features, all of them or one device's; `gather` makes (rows, p) of every device's columns."""

    def all_of(values: Array) -> Array:
        return values if gather is None else gather(values)

    def add_square(total: Array, values: Array) -> Array:
        return _add_square(total, values) if gather is None else total + gather(values).T @ values

    phi = features(pupil.weights, x, pupil.offset, function) * kept[:, None]
    sums = sums._replace(
        second=add_square(sums.second, phi),
        own=sums.own + x.T @ phi,
        targets=sums.targets + (y.reshape(len(x), -1).T @ phi).reshape(sums.targets.shape),
    )
    if not (len(sums.carried) or len(sums.difference)):
        return sums
    arrived = stage.move(x, function, heun)
    there = features(pupil.weights, arrived, pupil.offset_there, function) * kept[:, None]
    if len(sums.carried):
        sums = sums._replace(carried=sums.carried + all_of(there).T @ phi, steps=sums.steps + arrived.T @ phi)
    if len(sums.difference):
        sums = sums._replace(difference=add_square(sums.difference, phi - there))
    return sums


def _add_square(total: Array, values: Array) -> Array:
    """Add valuesᵀ·values to a total, blocks above and on the diagonal only."""
    edges = np.linspace(0, len(total), BLOCKS + 1).astype(int)
    for lo, hi in itertools.pairwise(edges):
        total = total.at[lo:hi, lo:].add(values[:, lo:hi].T @ values[:, lo:])
    return total


@jax.jit
def _mirrored(total: Array, count: int) -> Array:
    upper = jnp.triu(total)
    return (upper + jnp.triu(total, 1).T) / count
