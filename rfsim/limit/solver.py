"""Newton with continuation for (q, r, h) at any z (equations.md T10, T11): one program, parameters as arguments.

Below the spectrum, at z = floor − e^u, the solution is real and known at large e^u, where q ≈ −1/z. It is followed
down to the modulus of z − floor, then around the arc to its angle, which reaches the real axis from above.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.computing.precision import in_complex128, require_float64
from rfsim.limit.equations import Point, State, differences, equations, state
from rfsim.limit.limits import Limit, padded

FAR = 1e3  # in units of the largest possible eigenvalue: there q ≈ −1/z to a relative 1e-3
TOLERANCE = 1e-12
CHUNK = 128  # points per call: one shape, so one compiled program for each power of two of atoms
MOST = 1024  # steps down, and around, of the longest path: one shape for all of them
PER_POINT = ("samples_per_dim", "features_per_dim")


class NotConverged(ArithmeticError):
    """A root that Newton did not reach, or a solution on a wrong branch; the message names the inputs."""


class Solution(NamedTuple):
    """The solution of the d → ∞ equations at z, each (points,) (T10, T11).

    Attributes:
        z: Where, complex.
        state: q, r, h and what follows from them.
        residual: Relative to the largest term of the equations.
        branch: Whether it is the resolvent's.
    """

    z: Array
    state: State
    residual: Array
    branch: Array

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Where the residual is within 1e-12 and the branch right."""
        return (np.asarray(self.residual) <= TOLERANCE) & np.asarray(self.branch)


class Path(NamedTuple):
    """Where each Newton step stands on the way from far below the spectrum to the target (§6).

    Attributes:
        down: Share of the way down in log modulus, (MOST,), along which the solution is real.
        around: Share of the turn that is left to go, (MOST,).
        radial: Steps down; what stands after them in `down` is not used.
        turning: Steps around.
    """

    down: Any
    around: Any
    radial: Any
    turning: Any


def path(radial: int = 40, arc: int = 16, shrink: float = 0.6, each: int = 3, last: int = 12) -> Path:
    """Newton steps on the way down to the target's modulus and around to its angle (§6).

    The turn shrinks geometrically, as the solution's own scale does toward the real axis.

    Args:
        radial: Stops on the way down.
        arc: Stops on the way around.
        shrink: Ratio of what is left of the turn from stop to stop, in (0, 1).
        each: Steps at each stop.
        last: Steps at the target.

    Returns:
        The path.
    """
    down = np.repeat(np.linspace(0, 1, radial + 1), each)
    around = np.concatenate([np.repeat(shrink ** np.arange(1.0, arc + 1), each), np.zeros(last)])
    return Path(_whole(down), _whole(around), down.size, around.size)


def _whole(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.pad(shares, (0, MOST - shares.size))


PATH = path()
# off the real axis, where the branch tells a wrong solution; of points of contours 1 in 500 need PATH
FAST_PATH = path(20, 12, 0.6, 2, 8)
SLOW_PATH = path(160, 70, 0.7, 6, 24)


@in_complex128
def solve(limit: Limit, z: ArrayLike) -> Solution:
    """The resolvent's state at z, by Newton with continuation (T10, T11; B25 Thm 3.1, U26 Prop. C.2).

    Args:
        limit: What the equations depend on.
        z: Complex, (points,); a real z is reached from above, so that the density is Im q/π.

    Returns:
        The solution, (points,).

    Raises:
        NotConverged: Where the residual exceeds 1e-12 or the branch is wrong even along a path of small steps.
    """
    return solve_above(limit, np.asarray(z, dtype=complex) - np.asarray(limit.floor))


def solve_above(limit: Limit, offset: ArrayLike) -> Solution:
    """The resolvent's state at z = floor + offset, for points closer to the floor than z could tell (T10, T11).

    Args:
        limit: What the equations depend on.
        offset: z − floor, complex, (points,).

    Returns:
        The solution, (points,).

    Raises:
        NotConverged: As `solve`.
        RuntimeError: In float32.
    """
    found = attempt_above(limit, offset)
    require_converged(limit, found)
    return found


def attempt_above(limit: Limit, offset: ArrayLike, first: Path | None = None, together: int = CHUNK) -> Solution:
    """`solve_above`, with points that do not converge in place of NotConverged (T10, T11).

    Args:
        limit: What the equations depend on; samples_per_dim and features_per_dim may be (points,) too: each point then
            is one of a problem of its own.
        offset: z − floor, complex, (points,).
        first: The way that is tried first; by default one that serves contours, or points on the real axis.
        together: Points in one call of the program, which is compiled for each such number.

    Returns:
        The solution, (points,); `Solution.converged` says where it holds.

    Raises:
        RuntimeError: In float32.
    """
    require_float64()
    points: NDArray[np.complex128] = np.ravel(np.asarray(offset, dtype=complex))
    first = first or (PATH if np.any(points.imag == 0) else FAST_PATH)
    found = _along(limit, points, first, together)
    for steps in (PATH, SLOW_PATH):
        left = np.flatnonzero(~found.converged)
        if left.size and steps is not first:
            again = _along(_at_points(limit, left), points[left], steps)
            for values, better in zip(jax.tree.leaves(found), jax.tree.leaves(again), strict=True):
                values[left] = better
    return found


def _along(limit: Limit, points: NDArray[np.complex128], steps: Path, together: int = CHUNK) -> Solution:
    """The solutions along one path, in chunks of one shape."""
    whole = padded(limit)
    order = np.resize(np.arange(points.size), (-(-points.size // together), together))
    chunks = [jax.tree.map(np.asarray, _solve(_at_points(whole, one), points[one], steps)) for one in order]
    found = jax.tree.map(lambda *leaves: np.concatenate(leaves)[: points.size], *chunks)
    own = found.state.over_atoms[:, : len(limit.values)]
    return found._replace(state=found.state._replace(over_atoms=own))


def _at_points(limit: Limit, where: NDArray[np.intp]) -> Limit:
    """The limit of some of the points; parameters of all are given to each, for one program serves both."""
    own = {name: np.asarray(getattr(limit, name)) for name in PER_POINT}
    return limit._replace(**{name: one[where] if one.ndim else np.full(where.size, one) for name, one in own.items()})


def require_converged(limit: Limit, found: Solution) -> None:
    """Refuse a solution that does not hold everywhere (T10, T11).

    Args:
        limit: What the equations depend on.
        found: The solution.

    Raises:
        NotConverged: Naming the worst of the points, unless every point has converged on its branch.
    """
    bad = ~found.converged
    if bad.any():
        residual = np.nan_to_num(np.asarray(found.residual), nan=np.inf)
        worst = int(np.argmax(np.where(bad, residual, -1.0)))
        raise NotConverged(
            f"{bad.sum()} of {bad.size} points of the d → ∞ equations did not converge; at "
            f"z = {complex(np.asarray(found.z)[worst]):.6g} the residual is {residual[worst]:.1e}"
            f"{'' if np.asarray(found.branch)[worst] else ', on a wrong branch'} (samples_per_dim "
            f"{limit.samples_per_dim:g}, features_per_dim {limit.features_per_dim:g}, noise_copies "
            f"{limit.noise_copies:g}, noise variance {limit.noise:g})"
        )


def solve_core(limit: Limit, offset: Array, steps: Path = PATH) -> Solution:
    """`solve_above` unchecked and pure, to be compiled into larger programs or mapped over parameters (T10, T11).

    Args:
        limit: What the equations depend on.
        offset: z − floor, complex, (points,).
        steps: The way to the target.

    Returns:
        The solution, (points,).
    """
    lower = offset.imag < 0
    target = jnp.where(lower, offset.conj(), offset)
    # +0 and −0 imaginary parts of a negative number must not give opposite angles
    angle = jnp.abs(jnp.angle(target))
    far, near = jnp.log(FAR * limit.ceiling), jnp.log(jnp.abs(target))
    guess = jnp.broadcast_to(1 / (jnp.exp(far) - limit.floor), target.shape)
    variances = limit.by_class.variances
    powers = limit.weights @ (limit.values if variances is None else variances)
    x = Point(guess, guess, powers * (guess if variances is None else guess[:, None]))

    down, around = jnp.asarray(steps.down), jnp.asarray(steps.around)

    def descend(k: Array, x: Point) -> Point:
        # real numbers here: several times faster than complex ones
        return _newton_step(limit, x, -jnp.exp(far + down[k] * (near - far)))

    def turn(k: Array, x: Point) -> Point:
        # the target itself at the end: rounding of its modulus and angle is left out
        at = jnp.where(around[k] > 0, jnp.exp(near + 1j * (angle + around[k] * (jnp.pi - angle))), target)
        return _newton_step(limit, x, at)

    x = jax.lax.fori_loop(0, steps.radial, descend, x)
    x = jax.lax.fori_loop(0, steps.turning, turn, jax.tree.map(lambda value: value.astype(complex), x))
    at = state(limit, x)
    _, residual = equations(limit, at, target)
    at = jax.tree.map(lambda value: jnp.where(jnp.expand_dims(lower, range(1, value.ndim)), value.conj(), value), at)
    z = offset + limit.floor
    return Solution(z, at, residual, _on_branch(at, z))


_solve = jax.jit(solve_core)


def _newton_step(limit: Limit, x: Point, offset: Array) -> Point:
    """A Newton step in (1/q, 1/r, 1/h), nearly linear in z; from a neighboring solution it is the tangent first."""
    at = state(limit, x)
    left, _ = equations(limit, at, offset)
    change = differences(limit, at, at).solve(left)
    return Point(*(value**2 / (value + part) for value, part in zip(x, change, strict=True)))


def _on_branch(x: State, z: Array) -> Array:
    """Whether q and r are Stieltjes transforms of positive measures on λ ≥ 0.

    Im q, Im zq, Im r, Im zr have the sign of Im z then. On the real axis the signs of Im q and Im r are those of the
    limit from above, up to rounding. Off it Im h has that sign too: there are solutions with the right q and signs
    whose h, and with it r, are wrong.
    """
    side = jnp.where(z.imag < 0, -1.0, 1.0)
    good = jnp.ones(z.shape, dtype=bool)
    for value in (x.q, x.r):
        # on the axis two solutions meet at an edge: rounding of 1e-16 in the equations is its root in them
        good &= side * value.imag >= jnp.where(z.imag == 0, -1e-7 * jnp.abs(value), 0.0)
        good &= (side * (z * value).imag >= -1e-9 * jnp.abs(z * value)) | (z.imag == 0)
    along = side * x.h.imag >= 0 if x.h.ndim == z.ndim else (side[..., None] * x.h.imag >= 0).all(-1)
    return good & (along | (z.imag == 0))
