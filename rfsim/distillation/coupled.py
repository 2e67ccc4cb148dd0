"""All levels at once, each following a moving average of the level below (equations.md T16, coupled flow).

dB̄_k/dτ_S = −κ_k [B̄_k(U_k + γ) − R_k] with R_k made from B̄⁻_{k−1}, and dB̄⁻_k/dτ_S = (B̄_k − B̄⁻_k)/τ_ema from
B̄⁻_k(0) = B̄_k(0). The system is linear and block lower-triangular in the level, so its Laplace transform is known level
by level, one product with C_k for each node s; its singularities −κ_k(λ + γ), −1/τ_ema and 0 lie on one half line. It
is inverted on a cotangent contour around that line (Talbot's as modified by Weideman, SIAM J. Numer. Anal. 44, 2006),
scaled by the distill_time. Only what the target's motion adds is inverted: with targets that stay where they begin the
flow is (T17), in closed form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike

from rfsim.computing.arrays import Numbers, compiled, mapped, namespace, placed
from rfsim.computing.precision import complex128, in_complex128
from rfsim.distillation.flow import System, sequential

NODES = 32
COTANGENT = (0.529, 0.565, 0.665, 0.392)


class CoupledContour(NamedTuple):
    """Half a contour: g(τ) ≈ Re Σ_j weights_j ĝ(nodes_j/τ)/τ for real g with singularities of ĝ on (−∞, 0].

    nodes: z = sτ, weights: complex, (nodes/2,) each; the other half is their conjugate.
    """

    nodes: Numbers
    weights: Numbers


class Transform(NamedTuple):
    """A level as the target of the next one: B̄⁻(0) and the Laplace transform of what B̄⁻ has moved by.

    start: B̄(0) (dim, features); moved: ŝ(z/τ)/τ of B̄⁻ − B̄(0), complex (times, nodes/2, dim, features).
    """

    start: Numbers
    moved: Numbers


@in_complex128
def contour(nodes: int = NODES) -> CoupledContour:
    """z(θ) = N(a θ cot(bθ) − c + idθ), θ = (2j + 1)π/N: the midpoint rule on `nodes` = N points, an even number.

    Weideman's constants (0.5017, 0.6407, 0.6122, 0.2645) serve simple poles best: 3e-14 at 24 nodes. But a chain of 20
    levels of one rate is a pole of order 20, where they err by 7e-6, and of nearly 40 with a moving average as slow
    (2e-2). COTANGENT opens wider: at 32 nodes its error is below 5e-12 of the largest value for every order up to 40,
    and 1e-8 at 60. Beyond 40 nodes rounding takes it back, the weights being e^{Re z}.
    """
    if nodes < 2 or nodes % 2:
        raise ValueError(f"nodes must be an even number of at least 2; got {nodes}")
    a, b, c, d = COTANGENT
    angle = (2 * np.arange(nodes // 2) + 1) * np.pi / nodes
    z = nodes * (a * angle / np.tan(b * angle) - c + 1j * d * angle)
    slope = nodes * (a / np.tan(b * angle) - a * b * angle / np.sin(b * angle) ** 2 + 1j * d)
    return CoupledContour(placed(z), placed(-2j / nodes * np.exp(z) * slope))


def coupled(
    system: System, below: Transform | None, distill_times: ArrayLike, ema_time: float, path: CoupledContour
) -> tuple[Numbers, Transform]:
    """Weights of level k (times, dim, features) where all levels learn at once, and its transform for level k + 1.

    below: transform of level k − 1 at the same distill_times, ema_time and contour, None at k = 1, whose target does
    not move: there the weights are those of `sequential`. distill_times (times,) may hold 0 and inf; ema_time τ_ema is
    in units of distill_time, 0 for targets without delay.
    Cost: 2·times·nodes·dim·p² multiplications and p³; memory: two transforms of times·nodes·dim·p doubles, the one
    below and the one returned. Times do not mix: a caller with less memory takes fewer of them through all levels.
    Raises ValueError for an ema_time that is negative or not finite.
    """
    if not 0 <= ema_time < np.inf:
        raise ValueError(f"ema_time must be finite and not negative; got {ema_time:g}")
    tau = placed(np.asarray(distill_times, dtype=float))
    shape = system.start.shape[0], system.carried.shape[0]
    origin = placed(np.zeros(shape)) if below is None else below.start
    frozen = sequential(system, origin[None], tau)
    moved = None if below is None else below.moved
    with complex128():
        added, own = _moving(system, origin, moved, tau, ema_time, path)
    return frozen + added, Transform(system.start, own)


@compiled
def _moving(
    system: System, origin: Numbers, moved: Numbers | None, tau: Numbers, ema_time: float, path: CoupledContour
) -> tuple[Numbers, Numbers]:
    """What the motion of the target adds to the weights, and the transform of B̄⁻ − B̄(0)."""
    lam, basis = system.points, system.basis
    u, z = lam + system.ridge, path.nodes[:, None, None]
    target = (system.fixed + system.gain * origin @ system.carried) @ basis
    xp = namespace(lam)
    slope = xp.where(lam == 0, 0.0, target) - (system.start @ basis) * u  # dB̄/dτ at 0 over κ, in U's basis
    only = xp.concatenate([path.nodes[:1], 0 * path.nodes[1:]])
    onward = xp.where(lam == 0, 0.0, system.gain * system.carried @ basis)

    def at(time: Numbers, arriving: Numbers | None = None) -> tuple[Numbers, Numbers]:
        answer = _response(u, z, system.kappa * time)
        driven = xp.zeros_like(answer) if arriving is None else _product(arriving, onward) * answer
        delay = xp.where(time > 0, ema_time / xp.where(time > 0, time, 1.0), 0.0)
        followed = (slope / z * answer + driven) / (1 + z * delay)
        # at inf every transform is its final value over z, which one node tells without the contour's error
        weights = xp.where(xp.isfinite(time), path.weights, only)
        return (weights[:, None, None] * driven).real.sum(0), _product(followed, basis.T)

    added, own = mapped(at, tau) if moved is None else mapped(at, tau, moved)
    return added @ basis.T, own


def _response(u: Numbers, z: Numbers, time: Numbers) -> Numbers:
    """κτ/(z + κτu) for time = κτ from 0 to inf: its limit 1/u at inf, and 0 there in directions that do not move."""
    late = time > 1
    where = namespace(u, z, time).where
    early = where(late, 0.0, time)
    rest = z * (1 / where(late, time, 1.0)) + u
    return where(late, where(rest == 0, 0.0, 1 / where(rest == 0, 1.0, rest)), early / (z + early * u))


def _product(left: Numbers, right: Numbers) -> Numbers:
    """Product left @ right of complex left (nodes, dim, features) and real right, as one real product."""
    xp = namespace(left, right)
    real, imaginary = xp.split(xp.concatenate([left.real, left.imag]) @ right, 2)
    return real + 1j * imaginary
