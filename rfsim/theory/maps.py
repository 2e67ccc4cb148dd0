"""Losses of the flow over many (ψ_n, ψ_p) at once: what `dynamics` does for one point, compiled for chunks of cells.

A cell is a point of the map. Its tables live only inside the program, on a flatter contour and along a path of fewer
Newton steps than one point affords; cells that this does not serve are solved again, with more nodes or more steps.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.filters import flow, learning_rate_constant
from rfsim.machine import threads
from rfsim.precision import in_float64, require_float64
from rfsim.theory.contours import ellipse
from rfsim.theory.limits import Limit
from rfsim.theory.solver import PATH, TOLERANCE, NotConverged, Path, path, solve_core
from rfsim.theory.tables import eigenvalue_bounds, tables
from rfsim.training import losses

NODES = (48, 96, 192, 384, 768)
HALF_HEIGHT = 0.8  # half of the way to π/2, where e^{−κτz} grows: nodes resolve the bulks and the filter equally well
SHORT_PATH = path(12, 6, 0.6, 1, 4)
PAIRS = 64 * 24**2  # of nodes, in all cells of one call: what a core's cache holds
SMALL = 1e-3  # an L_gen below this, of losses of order 1, is resolved to tolerance × SMALL

STATUS = ("converged", "no-contour", "newton", "nodes")

Progress = Callable[[str, int, int], None]  # what is done, cells done, of how many


class Map(NamedTuple):
    """L_train, L_test and cross(f) (cells, times), NaN in cells that have not converged; the rest (cells,).

    error: largest change of any loss at the last doubling of the nodes; residual: of the equations, relative, the
    largest over the contour; nodes: of the whole contour; status: index into STATUS. "no-contour": eigenvalues reach
    down to 0 and there is no ridge; "newton": no solution on the resolvent's branch; "nodes": NODES are too few.
    """

    train: NDArray[np.float64]
    test: NDArray[np.float64]
    cross: NDArray[np.float64]
    error: NDArray[np.float64]
    residual: NDArray[np.float64]
    nodes: NDArray[np.int64]
    status: NDArray[np.int64]


def flow_map(
    limit: Limit,
    samples_per_dim: ArrayLike,
    features_per_dim: ArrayLike,
    train_times: ArrayLike,
    ridge: float = 0.0,
    *,
    tolerance: float = 1e-4,
    progress: Progress | None = None,
) -> Map:
    """The flow's losses at train_times (times,) in cells (ψ_n, ψ_p), both (cells,); the rest is `limit`'s.

    A cell has converged where the losses change by at most tolerance × max(|L_gen|, SMALL) at every time when the
    nodes are doubled. RuntimeError in float32.
    """
    require_float64()
    psi_n, psi_p = np.asarray(samples_per_dim, dtype=float), np.asarray(features_per_dim, dtype=float)
    tau = np.asarray(train_times, dtype=float)
    tell = progress or (lambda step, done, total: None)
    bounds = _bounds(limit, psi_n, psi_p, ridge, tell)
    status = np.where(np.isnan(bounds[0]), STATUS.index("no-contour"), STATUS.index("nodes"))
    values = np.full((3, psi_n.size, tau.size), np.nan)  # L_train, L_test, cross
    error, residual, nodes = np.full((3, psi_n.size), np.nan)

    def at(todo: NDArray[np.intp], count: int) -> NDArray[np.float64]:
        """`values` of some cells (3, todo, times); cells that Newton does not solve leave the map."""
        contour = ellipse(count, bounds[:, todo, None], ridge, half_height=HALF_HEIGHT)
        cells = _Cells(psi_n[todo], psi_p[todo], *contour)
        found, worst = _solved(limit, cells, tau, ridge, lambda done: tell(f"{count} nodes", done, todo.size))
        residual[todo] = np.fmax(residual[todo], worst)
        nodes[todo] = count
        status[todo[worst > TOLERANCE]] = STATUS.index("newton")
        return found

    for count in NODES:
        todo = np.flatnonzero(status == STATUS.index("nodes"))
        if todo.size == 0:
            break
        found = at(todo, count)
        change = np.abs(found - values[:, todo])[:2].max(0)  # NaN at the first count
        values[:, todo] = found
        error[todo] = change.max(-1)
        near = np.all(change <= tolerance * np.maximum(np.abs(found[1] - found[0]), SMALL), axis=-1)
        status[todo[near & (status[todo] == STATUS.index("nodes"))]] = STATUS.index("converged")
    values[:, status != STATUS.index("converged")] = np.nan
    return Map(values[0], values[1], values[2], error, residual, np.nan_to_num(nodes).astype(int), status)


class _Cells(NamedTuple):
    """ψ_n, ψ_p (cells,), and a contour each: points and weights (cells, nodes/2); arrays of NumPy or of a program."""

    samples_per_dim: Any
    features_per_dim: Any
    points: Any
    weights: Any


def _solved(
    limit: Limit, cells: _Cells, tau: NDArray[np.float64], ridge: float, done: Callable[[int], None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`values` (3, cells, times) and residuals (cells,), infinite on a wrong branch, by the short path or the long."""
    found, residual = _mapped(limit, cells, tau, ridge, SHORT_PATH, done)
    bad = np.flatnonzero(~(residual <= TOLERANCE))
    if bad.size:
        again = jax.tree.map(lambda values: values[bad], cells)
        found[:, bad], residual[bad] = _mapped(limit, again, tau, ridge, PATH, done)
    return found, residual


def _mapped(
    limit: Limit,
    cells: _Cells,
    tau: NDArray[np.float64],
    ridge: float,
    steps: Path,
    done: Callable[[int], None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All cells in chunks of one shape, on as many threads as there are cores: a program alone uses one."""
    total, nodes = cells.points.shape
    size = max(1, PAIRS // nodes**2)

    @in_float64  # JAX's precision is a setting of each thread
    def chunk(start: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        part = jax.tree.map(lambda v: np.resize(v[start : start + size], (size, *v.shape[1:])), cells)
        values, residual = _losses(limit, part, tau, ridge, steps)
        return np.asarray(values), np.asarray(residual)

    found = [chunk(0)]  # compiled once, before the threads need it
    with ThreadPoolExecutor(threads()) as pool:
        for part in pool.map(chunk, range(size, total, size)):
            found.append(part)
            done(min(size * len(found), total))
    values, residual = (np.concatenate(parts)[:total] for parts in zip(*found, strict=True))
    return np.moveaxis(values, 1, 0), residual


@jax.jit
def _losses(limit: Limit, cells: _Cells, tau: Array, ridge: float, steps: Path) -> tuple[Array, Array]:
    """(cells, 3, times) and (cells,)."""

    def one(cell: _Cells) -> tuple[Array, Array]:
        psi_n, psi_p, z, weights = cell
        here = limit._replace(samples_per_dim=psi_n, features_per_dim=psi_p)
        found = solve_core(here, z - here.floor, steps)
        spectrum, target = tables(here, z, weights, found.state)
        f = flow(tau, learning_rate_constant(here.noise, psi_p), ridge)
        values = jnp.stack(
            [losses.train_loss(spectrum, [f]), losses.target_loss(spectrum, target, [f]), target.cross(f(z))]
        )
        residual = jnp.where(found.branch, found.residual, jnp.inf)
        return values, jnp.where(jnp.isnan(residual), jnp.inf, residual).max()

    return jax.vmap(one)(cells)


def _bounds(
    limit: Limit, psi_n: NDArray[np.float64], psi_p: NDArray[np.float64], ridge: float, tell: Progress
) -> NDArray[np.float64]:
    """`eigenvalue_bounds` of every cell, (2, cells); NaN where eigenvalues reach down to 0 and there is no ridge."""
    lower, upper = (np.array(side) for side in _outer_bounds(limit, psi_n, psi_p))
    if float(limit.floor) + ridge <= 0:
        for k in range(psi_n.size):
            here = limit._replace(samples_per_dim=float(psi_n[k]), features_per_dim=float(psi_p[k]))
            try:
                lower[k] = eigenvalue_bounds(here)[0]
            except (ValueError, NotConverged):
                lower[k] = np.nan
            tell("edges", k + 1, psi_n.size)
    return np.stack([lower, upper])


@jax.jit
def _outer_bounds(limit: Limit, psi_n: Array, psi_p: Array) -> tuple[Array, Array]:
    def one(psi_n: Array, psi_p: Array) -> tuple[Array, Array]:
        here = limit._replace(samples_per_dim=psi_n, features_per_dim=psi_p)
        return here.floor, here.ceiling

    return jax.vmap(one)(psi_n, psi_p)
