"""Membership: the denoising loss of single points, and how well it tells training points from fresh ones (§8)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, mapped, namespace, placed
from rfsim.distillation.consistency import Consistency
from rfsim.distillation.networks import Function, Network, features
from rfsim.problem.data import draw, stream
from rfsim.problem.diffusion import Step, forward, noise_variance
from rfsim.problem.laws import AnyLaw

COPIES = 4  # noise draws per point and level
AT_ONCE = 256  # columns of read-outs that read φ together
MOST = 512  # training points looked at, and as many fresh ones at least


class Points(NamedTuple):
    """Training points, the first of all, and fresh ones: (training + fresh, dim), clean."""

    clean: NDArray[np.float64]
    training: int


class MembershipProbe(NamedTuple):
    """Noisy copies of the points at one level: x, ξ (copies·points, dim), φ(x) (copies·points, features), √Δ."""

    x: Numbers
    noise: Numbers
    phi: Numbers
    scale: float


def points(training: NDArray[np.float64], law: AnyLaw, seed: int) -> Points:
    """Training points and fresh ones of a law, at most MOST and exactly MOST."""
    used = training[:MOST]
    return Points(np.concatenate([used, draw(law, MOST, seed, "membership")]), len(used))


def probe(
    of: Points, diffusion_time: float, seed: int, use: str, network: Network, k: int, function: Function
) -> MembershipProbe:
    """The points with COPIES draws of the noise each, seen by a network's features at index k; `use` names draws."""
    noise = stream(seed, use).standard_normal((COPIES * len(of.clean), of.clean.shape[1]))
    x = placed(forward(np.tile(of.clean, (COPIES, 1)), noise, diffusion_time))
    phi = _features(network.weights, x, network.offsets[k], function=function)
    return MembershipProbe(x, placed(noise), phi, float(np.sqrt(noise_variance(diffusion_time))))


def losses(of: MembershipProbe, weights: Numbers, along: float = 0.0, factor: float = 1.0) -> NDArray[np.float64]:
    """‖√Δ s(x) + ξ‖²/d of the score s(x) = along·x + factor·Mφ(x), averaged over the copies of each point.

    weights: M (..., dim, features). Returns (..., points).
    """
    flat = weights.reshape(-1, *weights.shape[-2:])
    return np.asarray(_losses(of, flat, along, factor)).reshape(*weights.shape[:-2], -1)


def losses_of_score(
    of: MembershipProbe, score: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The same for a score that is a function of x, (points,)."""
    found = (of.scale * score(np.asarray(of.x)) + np.asarray(of.noise)) ** 2
    return found.mean(1).reshape(COPIES, -1).mean(0)


def as_score(form: Consistency, level: int, jump: Step) -> tuple[float, float]:
    """`along` and `factor` of the score for which f_k is one DDIM jump; 0 and 1 for parameterization ddim."""
    return float((form.skip[level] - jump.x) / jump.score), float(form.out[level] / jump.score)


@compiled
def _losses(of: MembershipProbe, weights: Numbers, along: float, factor: float) -> Numbers:
    def losses(answers: Numbers) -> Numbers:
        score = along * of.x + factor * answers
        return ((of.scale * score + of.noise) ** 2).mean(-1).reshape(-1, COPIES, of.x.shape[0] // COPIES).mean(1)

    if namespace(weights, of.phi) is not np:
        return mapped(lambda readout: losses(of.phi @ readout.T)[0], weights)
    many = max(AT_ONCE // weights.shape[1], 1)
    groups = (weights[lo : lo + many] for lo in range(0, len(weights), many))
    answers = (of.phi @ group.reshape(-1, group.shape[2]).T for group in groups)  # φ is read once for each
    several = (one.reshape(len(one), -1, weights.shape[1]).swapaxes(0, 1) for one in answers)
    return np.concatenate([losses(one) for one in several])


@partial(compiled, static=("function",))
def _features(weights, x, offset, *, function: Function):
    return features(weights, x, offset, function)
