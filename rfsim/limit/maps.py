"""Losses of the flow over many (ψ_n, ψ_p) at once: what `dynamics` does for one point, compiled for chunks of cells.

A cell is a point of the map. Its tables live only inside the program, on a flatter contour and along a path of fewer
Newton steps than one point affords; cells that this does not serve are solved again, with more nodes or more steps.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.computing.machine import threads
from rfsim.computing.precision import in_complex128, require_float64
from rfsim.learning import losses
from rfsim.learning.filters import flow, learning_rate_constant
from rfsim.limit.contours import ellipse
from rfsim.limit.equations import State
from rfsim.limit.limits import Limit, padded
from rfsim.limit.solver import TOLERANCE, NotConverged, attempt_above, path
from rfsim.limit.tables import eigenvalue_bounds, tables

NODES = (48, 96, 192, 384, 768)
HALF_HEIGHT = 0.8  # half of the way to π/2, where e^{−κτz} grows: nodes resolve the bulks and the filter equally well
SHORT_PATH = path(12, 6, 0.6, 1, 4)
PAIRS = 64 * 24**2  # of nodes, in all cells of one call: what a core's cache holds
POINTS = 384  # solved in one call: a share of those of all cells of one call
TIMES = 8  # of training for which one compiled program serves; more have one for each power of two
FIRST, LAST, GRID, HALVINGS = 1e-3, 40.0, 160, 36  # times looked at for half of L_gen's rise, in units of 1/(κ·rate)
MOVED = 100  # times the tolerance: by how much that time may change at the last doubling
SMALL = 1e-3  # an L_gen below this, of losses of order 1, is resolved to tolerance × SMALL

STATUS = ("converged", "no-contour", "newton", "nodes")

Progress = Callable[[str, int, int], None]  # what is done, cells done, of how many


class Map(NamedTuple):
    """Losses of the flow over many cells of a map (T13, T14).

    Attributes:
        train: L_train, (cells, times); NaN in cells that have not converged.
        test: L_test, likewise.
        cross: cross(f), likewise.
        error: Largest change of any loss at the last doubling of the nodes, (cells,).
        residual: Of the equations, relative, the largest over the contour, (cells,).
        nodes: Of the whole contour, (cells,).
        status: Index into STATUS, (cells,). "no-contour": eigenvalues reach down to 0 and there is no ridge; "newton":
            no solution on the resolvent's branch; "nodes": NODES are too few.
        mem_time: First train_time with L_gen at half of its τ → ∞ value, (cells,); NaN where it was not asked for,
            where there is none, and where the nodes do not resolve it.
    """

    train: NDArray[np.float64]
    test: NDArray[np.float64]
    cross: NDArray[np.float64]
    error: NDArray[np.float64]
    residual: NDArray[np.float64]
    nodes: NDArray[np.int64]
    status: NDArray[np.int64]
    mem_time: NDArray[np.float64]


def flow_map(
    limit: Limit,
    samples_per_dim: ArrayLike,
    features_per_dim: ArrayLike,
    train_times: ArrayLike,
    ridge: float = 0.0,
    *,
    tolerance: float = 1e-4,
    mem_time: bool = False,
    progress: Progress | None = None,
) -> Map:
    """Losses of the flow in cells of the (ψ_n, ψ_p) plane (T13, T14).

    A cell has converged where the losses change by at most tolerance × max(|L_gen|, SMALL) at every time when the nodes
    are doubled.

    Args:
        limit: What the equations depend on, but for ψ_n and ψ_p.
        samples_per_dim: ψ_n, (cells,).
        features_per_dim: ψ_p, (cells,).
        train_times: τ, (times,), ≥ 0; may hold inf.
        ridge: γ, in units of the eigenvalues of U.
        tolerance: Relative to L_gen.
        mem_time: Whether to find also when L_gen has half risen.
        progress: Hears what is done, the cells done, and of how many.

    Returns:
        The losses of every cell.

    Raises:
        RuntimeError: In float32.
    """
    require_float64()
    psi_n, psi_p = np.asarray(samples_per_dim, dtype=float), np.asarray(features_per_dim, dtype=float)
    tau = np.asarray(train_times, dtype=float)
    tell = progress or (lambda step, done, total: None)
    bounds = _bounds(limit, psi_n, psi_p, ridge, tell)
    status = np.where(np.isnan(bounds[0]), STATUS.index("no-contour"), STATUS.index("nodes"))
    values = np.full((3, psi_n.size, tau.size), np.nan)  # L_train, L_test, cross
    half_risen, moved = np.full((2, psi_n.size), np.nan)  # and by how much at the last doubling, relative
    error, residual, nodes = np.full((3, psi_n.size), np.nan)

    def tell_nodes(count: int, total: int, done: int) -> None:
        tell(f"{count} nodes", done, total)

    def at(todo: NDArray[np.intp], count: int) -> NDArray[np.float64]:
        """`values` of some cells (3, todo, times); cells that Newton does not solve leave the map."""
        contour = ellipse(count, bounds[:, todo, None], ridge, half_height=HALF_HEIGHT)
        cells = _Cells(psi_n[todo], psi_p[todo], bounds[0, todo], bounds[1, todo], contour.points, contour.weights)
        tell_done = partial(tell_nodes, count, todo.size)
        found, worst, times = _mapped(limit, cells, tau, ridge, mem_time, tell_done)
        moved[todo] = np.abs(times / half_risen[todo] - 1)
        half_risen[todo] = times
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
    lost = status != STATUS.index("converged")
    values[:, lost] = np.nan
    half_risen[lost | ~(moved <= MOVED * tolerance)] = np.nan
    train, test, cross = values
    return Map(train, test, cross, error, residual, np.nan_to_num(nodes).astype(int), status, half_risen)


class _Cells(NamedTuple):
    """Cells of a map with a contour each, arrays of NumPy or of a program.

    ψ_n, ψ_p and bounds on the eigenvalues (cells,); points and weights (cells, nodes/2).
    """

    samples_per_dim: Any
    features_per_dim: Any
    lower: Any
    upper: Any
    points: Any
    weights: Any


def _mapped(
    limit: Limit, cells: _Cells, tau: NDArray[np.float64], ridge: float, mem_time: bool, done: Callable[[int], None]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """All cells in chunks of one shape, on threads: a program alone uses one core, and one waits while another runs.

    Returns `values` (3, cells, times), residuals (cells,), infinite where Newton fails, and times of memorization
    (cells,).
    """
    total, nodes = cells.points.shape
    whole = padded(limit)
    size = max(1, PAIRS // nodes**2)
    times = np.pad(tau, (0, max(TIMES, 1 << (tau.size - 1).bit_length()) - tau.size), mode="edge")

    @in_complex128  # JAX's precision is a setting of each thread
    def chunk(start: int) -> list[NDArray[np.float64]]:
        part = jax.tree.map(lambda v: np.resize(v[start : start + size], (size, *v.shape[1:])), cells)
        states, residual = _states(whole, part)
        values, half_risen = _losses(whole, part, states, times, ridge, mem_time=mem_time)
        return [np.asarray(values), residual, np.asarray(half_risen)]

    found = [chunk(0)]  # compiled once, before the threads need it
    with ThreadPoolExecutor(2 * threads()) as pool:
        for part in pool.map(chunk, range(size, total, size)):
            found.append(part)
            done(min(size * len(found), total))
    values, residual, half_risen = (np.concatenate(parts)[:total] for parts in zip(*found, strict=True))
    return np.moveaxis(values, 1, 0)[..., : tau.size], residual, half_risen


def _states(limit: Limit, cells: _Cells) -> tuple[State, NDArray[np.float64]]:
    """The states at the nodes of every cell, (cells, nodes), and its largest residual, (cells,)."""
    shape = cells.points.shape
    psi_n, psi_p = (np.repeat(one, shape[1]) for one in (cells.samples_per_dim, cells.features_per_dim))
    here = limit._replace(samples_per_dim=psi_n, features_per_dim=psi_p)
    found = attempt_above(here, cells.points - np.asarray(limit.floor), SHORT_PATH, POINTS)
    residual = np.where(found.branch, np.nan_to_num(found.residual, nan=np.inf), np.inf)
    return State(*(one.reshape(*shape, *one.shape[1:]) for one in found.state)), residual.reshape(shape).max(-1)


@partial(jax.jit, static_argnames="mem_time")
def _losses(
    limit: Limit, cells: _Cells, states: State, tau: Array, ridge: float, *, mem_time: bool
) -> tuple[Array, Array]:
    """(cells, 3, times) and (cells,)."""

    def one(cell: _Cells, x: State) -> tuple[Array, Array]:
        psi_n, psi_p, lower, upper, z, weights = cell
        here = limit._replace(samples_per_dim=psi_n, features_per_dim=psi_p)
        spectrum, target = tables(here, z, weights, x)
        kappa = learning_rate_constant(here.noise, psi_p)

        def both(tau: Array) -> tuple[Array, Array]:
            f = flow(tau, kappa, ridge)
            return losses.train_loss(spectrum, [f]), losses.target_loss(spectrum, target, [f])

        def gen(tau: Array) -> Array:
            train, test = both(tau)
            return test - train

        values = jnp.stack([*both(tau), target.cross(flow(tau, kappa, ridge)(z))])
        ends = jnp.log(jnp.stack([FIRST / (upper + ridge), LAST / (lower + ridge)]) / kappa)
        return values, jnp.asarray(_half_risen(gen, *ends) if mem_time else jnp.nan)

    return jax.vmap(one)(cells, states)


def _half_risen(gen: Callable[[Array], Array], first: Array, last: Array) -> Array:
    """The first train_time at which L_gen reaches half of its τ → ∞ value, between logarithms of times.

    It is what `timescales.mem_time_of_curve` finds, but on a grid of GRID times and by halving.
    """
    start, final = gen(jnp.array([0.0, jnp.inf]))
    grid = jnp.linspace(first, last, GRID)
    above = gen(jnp.exp(grid)) >= final / 2
    here = jnp.argmax(above)

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        middle = (ends[0] + ends[1]) / 2
        over = gen(jnp.exp(middle)[None])[0] >= final / 2
        return jnp.where(over, ends[0], middle), jnp.where(over, middle, ends[1])

    low, high = jax.lax.fori_loop(0, HALVINGS, halve, (grid[jnp.maximum(here - 1, 0)], grid[here]))
    rises = final > jnp.maximum(start, 0.0) + SMALL * SMALL
    found = jnp.where(above.any() & rises, jnp.exp((low + high) / 2), jnp.nan)
    return jnp.where(rises & (start >= final / 2), 0.0, found)


def _bounds(
    limit: Limit, psi_n: NDArray[np.float64], psi_p: NDArray[np.float64], ridge: float, tell: Progress
) -> NDArray[np.float64]:
    """`eigenvalue_bounds` of every cell, (2, cells); NaN where eigenvalues reach down to 0 and there is no ridge."""
    lower, upper = (np.array(side) for side in _outer_bounds(padded(limit), psi_n, psi_p))
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
