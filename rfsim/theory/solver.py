"""Newton with continuation for (q, r, h) at any z (equations.md T10, T11): compiled once, parameters as arguments.

Below the spectrum, at z = floor − e^u, the solution is real and known at large e^u, where q ≈ −1/z. It is followed
down to the modulus of z − floor, then around the arc to its angle, which reaches the real axis from above.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.precision import require_float64
from rfsim.theory.equations import Point, State, differences, equations, state
from rfsim.theory.limits import Limit

FAR = 1e3  # in units of the largest possible eigenvalue: there q ≈ −1/z to a relative 1e-3
TOLERANCE = 1e-12
CHUNK = 128  # points per call: one shape, so one compiled program per number of atoms
PER_POINT = ("samples_per_dim", "features_per_dim")


class NotConverged(ArithmeticError):
    """A root that Newton did not reach, or a solution on a wrong branch; the message names the inputs."""


class Solution(NamedTuple):
    """The state at z; residual relative to the largest term; branch: whether it is the resolvent's."""

    z: Array
    state: State
    residual: Array
    branch: Array

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Where the residual is within 1e-12 and the branch right."""
        return (np.asarray(self.residual) <= TOLERANCE) & np.asarray(self.branch)


def path(radial: int = 40, arc: int = 16, shrink: float = 0.6, each: int = 3, last: int = 12) -> NDArray[np.float64]:
    """Where each Newton step stands, (steps, 2): the share of the way down in log modulus, and of the turn left to go.

    The turn shrinks geometrically, as the solution's own scale does toward the real axis.
    """
    down = np.stack([np.linspace(0, 1, radial + 1), np.ones(radial + 1)], axis=1)
    around = np.stack([np.ones(arc), shrink ** np.arange(1.0, arc + 1)], axis=1)
    stops = np.repeat(np.concatenate([down, around]), each, axis=0)
    return np.concatenate([stops, np.tile([1.0, 0.0], (last, 1))])


PATH = path()
SLOW_PATH = path(160, 70, 0.7, 6, 24)


def solve(limit: Limit, z: ArrayLike) -> Solution:
    """The resolvent's state at z (points,) complex; real z is reached from above, so that the density is Im q/π.

    Raises NotConverged where the residual exceeds 1e-12 or the branch is wrong even along a path of small steps,
    RuntimeError in float32.
    """
    return solve_above(limit, np.asarray(z, dtype=complex) - np.asarray(limit.floor))


def solve_above(limit: Limit, offset: ArrayLike) -> Solution:
    """`solve` at z = floor + offset, for points closer to the floor than z could tell."""
    found = attempt_above(limit, offset)
    require_converged(limit, found)
    return found


def attempt_above(limit: Limit, offset: ArrayLike) -> Solution:
    """`solve_above`, with points that do not converge (`Solution.converged`) in place of NotConverged.

    samples_per_dim and features_per_dim of the limit may be (points,) too: each point then is one of a problem of its
    own.
    """
    require_float64()
    points = np.asarray(offset, dtype=complex)
    shape = (-(-points.size // CHUNK), CHUNK)
    along = {name: np.resize(getattr(limit, name), shape) for name in PER_POINT if np.ndim(getattr(limit, name))}
    chunks = [
        _chunk(limit._replace(**{name: values[k] for name, values in along.items()}), chunk)
        for k, chunk in enumerate(np.resize(points, shape))
    ]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[: points.size], *chunks)


def _chunk(limit: Limit, offset: NDArray[np.complex128]) -> Solution:
    found = jax.tree.map(np.asarray, _solve(limit, offset, PATH))
    if found.converged.all():
        return found
    return jax.tree.map(np.asarray, _solve(limit, offset, SLOW_PATH))


def require_converged(limit: Limit, found: Solution) -> None:
    """Raise NotConverged, naming the worst of the points, unless every point has converged on its branch."""
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


def solve_core(limit: Limit, offset: Array, steps: ArrayLike = PATH) -> Solution:
    """`solve_above` unchecked and pure, to be compiled into larger programs or mapped over parameters."""
    lower = offset.imag < 0
    target = jnp.where(lower, offset.conj(), offset)
    # +0 and −0 imaginary parts of a negative number must not give opposite angles
    angle = jnp.abs(jnp.angle(target))
    far, near = jnp.log(FAR * limit.ceiling), jnp.log(jnp.abs(target))
    guess = jnp.broadcast_to(1 / (jnp.exp(far) - limit.floor), target.shape).astype(complex)
    x = Point(guess, guess, (limit.weights @ limit.values) * guess)

    def follow(x: Point, stop: Array) -> tuple[Point, None]:
        modulus = jnp.exp(far + stop[0] * (near - far))
        phi = angle + stop[1] * (jnp.pi - angle)
        # the target itself at the end: rounding of its modulus and angle is left out
        at = jnp.where(stop[1] > 0, modulus * jnp.exp(1j * phi), target)
        return _newton_step(limit, x, at), None

    x, _ = jax.lax.scan(follow, x, jnp.asarray(steps))
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
    """q and r are Stieltjes transforms of positive measures on λ ≥ 0: Im q, Im zq, Im r, Im zr have the sign of Im z.

    On the real axis the signs of Im q and Im r are those of the limit from above, up to rounding.
    """
    side = jnp.where(z.imag < 0, -1.0, 1.0)
    good = jnp.ones(z.shape, dtype=bool)
    for value in (x.q, x.r):
        # on the axis two solutions meet at an edge: rounding of 1e-16 in the equations is its root in them
        good &= side * value.imag >= jnp.where(z.imag == 0, -1e-7 * jnp.abs(value), 0.0)
        good &= (side * (z * value).imag >= -1e-9 * jnp.abs(z * value)) | (z.imag == 0)
    return good
