"""The students of consistency distillation in the limit (equations.md D1, D16, D17) [ours].

Read-outs of all levels by recursion, and the traces that their losses, energies and maps need. A student's read-out at
level k is B̄_k = −b_k, with f the teacher's filter and f_S, e_S the student's and what it leaves of its start:

    b_k = [w_T a WᵀU f(U)/√d + w_S b_{k−1}C_k] f_S(U) + [a Wᵀf(U)/√d] e_S(U),   w_S = 0 at the first level,

the last term where it starts from the teacher. Filters are sums of resolvents (`rational`), so that b_k is a sum over
paths through a few links of each level, and a trace of two read-outs one chain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.chains import Blocks, chain, identity
from rfsim.limit.ladders import Ladder
from rfsim.limit.leakage import Around, c_h_at
from rfsim.limit.operators import Link, Medium, Operator, operator
from rfsim.limit.rational import Nodes, Trained
from rfsim.limit.resolvents import (
    PSI,
    VARIABLES,
    F,
    at_points,
    features_link,
    filter_link,
    linear_entries,
    resolvent_link,
    resolvents_above,
    weights_tie,
)


class Losses(NamedTuple):
    """Of a student at levels 1…N, each (levels,).

    L_train and L_test of its read-out taken as a score, and (1/d)E‖f_k(x) − x‖² of its map where Σ = I, whose flow is
    the identity.
    """

    train: NDArray[np.float64]
    test: NDArray[np.float64]
    map_error: NDArray[np.float64]


class _Half(NamedTuple):
    """b_k: links, of which the first is a direction, the ties between them, and the links whose ψ it leaves by."""

    links: tuple[Link, ...]
    ties: Mapping[tuple[int, int], Operator]
    ends: tuple[int, ...]


def losses(found: Ladder, students: Sequence[Trained], *, from_teacher: bool = True) -> Losses:
    """The losses (D16) of the students of levels 1…N, trained each in its own way."""
    rows = []
    half = _Half((identity(found.space, "d"),), {}, ())
    for k in range(1, found.height + 1):
        half = _next(found, half, k, students[k - 1], from_teacher)
        rows.append(_level_losses(found, half, k))
    return Losses(*map(np.array, zip(*rows, strict=True)))


def energies(
    found: Ladder, students: Sequence[Trained], parts: Sequence[Around], *, from_teacher: bool = True
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """(1/d) Tr B̄ P U Bᵀ over the parts P of each level's spectrum, of the student and of the teacher, (parts,) each.

    parts: contours around those of levels 1…N, of angle π/4 where training ends early.
    """
    rows = []
    half = _Half((identity(found.space, "d"),), {}, ())
    for k in range(1, found.height + 1):
        rows.append(_level_energies(found, half, k, students[k - 1], parts[k - 1], from_teacher))
        half = _next(found, half, k, students[k - 1], from_teacher)
    return rows


def _next(found: Ladder, below: _Half, k: int, student: Trained, from_teacher: bool) -> _Half:
    """b_k of b_{k−1}."""
    space, one, teacher, constants = found.space, found.levels[k], found.teachers[k - 1], found.steps[k - 1]
    taught, passed = found.shares(k)
    links, ties = list(below.links), dict(below.ties)

    def add(nodes: Nodes) -> int:
        links.append(filter_link(space, one, nodes, k - 1))
        return len(links) - 1

    def start(weight: float) -> Operator:
        return operator(space, "d", VARIABLES, {(0, PSI): weight * one.a})

    unit = operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0})
    nodes, decay = teacher.filter_nodes, student.decay_nodes if from_teacher else None
    # U f(U) = Σ φ(1 + zR(z)): its constant stands in the ties past this link
    late = add(Nodes(nodes.points, nodes.weights * nodes.points)) if nodes.points.any() else None
    here = add(student.filter_nodes)
    ties[0, here] = start(taught)
    transfer = _scaled(transfer_tie(found, k, constants.c_h), passed)
    for before in below.ends:
        ties[before, here] = transfer
    if late is not None:
        ties[0, late], ties[late, here] = start(taught), unit
        for before in below.ends:
            ties[before, late] = weights_tie(space, VARIABLES, PSI, -passed * one.a * constants.a_y)
    if decay is None:
        return _Half(tuple(links), ties, (here,))
    own = add(nodes)
    left = add(decay)
    ties[0, own], ties[own, left] = start(1.0), unit
    return _Half(tuple(links), ties, (here, left))


def _level_losses(found: Ladder, half: _Half, k: int) -> tuple[float, float, float]:
    space, one = found.space, found.levels[k]
    size = len(half.links)
    back = operator(space, VARIABLES, "d", {(PSI, 0): 1.0})
    linear = _mean(
        space, chain(space, [*half.links, identity(space, "d")], {**half.ties, **{(e, size): back for e in half.ends}})
    )
    # U, and Ũ = E φφᵀ of the population, between two read-outs; G/√n stands on the features' own link
    spectrum = one.signal**2 * space.values + one.noise
    middle = _weighted(identity(space, "pnd"), np.stack([np.ones_like(spectrum), spectrum]))
    plain = features_link(space, one, k - 1)
    kept = {(PSI, 0): np.array([one.s, math.hypot(one.v, one.s)]), (PSI, 2): np.array([one.b, one.a])}
    through = operator(space, VARIABLES, "pnd", kept)
    unit = operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0})
    ties = {**half.ties, (size, size + 1): operator(space, VARIABLES, "pnd", {(F, 1): np.array([1.0, 0.0])})}
    for end in half.ends:
        ties[end, size], ties[end, size + 1] = unit, through
    links = [*half.links, plain.transpose, middle, plain, *(each.transpose for each in reversed(half.links))]
    trained, tested = _mean(space, chain(space, links, _mirrored(ties, size + 1)))
    delta, out = one.noise, found.out(k)
    growth = math.exp(one.time - found.levels[0].time) - 1
    own = 2 * math.sqrt(delta) * one.b * linear
    error = growth**2 - 2 * growth * out * one.a * linear + out**2 * tested
    return float(1 + delta * trained - own), float(1 + delta * tested - own), float(error)


def _level_energies(
    found: Ladder, below: _Half, k: int, student: Trained, parts: Around, from_teacher: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inside a contour every filter is its value at z, so that R(z) stands once, and the second C on the features."""
    space, one, teacher = found.space, found.levels[k], found.teachers[k - 1]
    at = resolvents_above(one, parts.above.points.ravel())
    z = at.z
    taught, passed = found.shares(k)
    f, f_s = teacher.filter(z), student.filter(z)
    start = f_s * taught * z * f + (student.decay(z) * f if from_teacher else 0.0)
    size = len(below.links)
    direct = operator(space, "d", VARIABLES, {(0, PSI): one.a * start})
    transfer = _scaled(transfer_tie(found, k, c_h_at(one, found.steps[k - 1], teacher, z)), passed * f_s[:, None, None])
    links = [*below.links, resolvent_link(space, one, at_points(at), k - 1)]
    links += [features_link(space, one, k - 1).transpose, *(each.transpose for each in reversed(below.links))]
    last = len(links) - 1
    ties = {**below.ties, (0, size): direct, (size, last): direct.transpose}
    ties[size, size + 1] = operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0})
    ties |= {(last - j, last - i): tie.transpose for (i, j), tie in below.ties.items()}
    for end in below.ends:
        ties[end, size], ties[size + 1, last - end] = transfer, transfer.transpose
    traces = np.broadcast_to(chain(space, links, ties).d[..., 0, 0] @ space.weights, z.shape)
    own = one.a**2 * space.features_per_dim * at.r * f**2
    return tuple(
        2 * np.real((parts.above.weights * (z * values).reshape(parts.points.shape)).sum(-1))
        for values in (traces, own)
    )  # type: ignore[return-value]


def transfer_tie(found: Ladder, k: int, c_h: ArrayLike) -> Operator:
    """C_k (D8) from ψ of a link of level k − 1, with the ladder's noises."""
    constants = found.steps[k - 1]
    return operator(
        found.space,
        VARIABLES,
        VARIABLES,
        {(PSI, PSI): constants.c_psi} | linear_entries(found.levels[k], PSI, c_h, constants.c_k),
        {(PSI, F): {k - 1: constants.w1, found.height + k - 1: constants.rho_new}},
    )


def _mirrored(ties: Mapping[tuple[int, int], Operator], center: int) -> dict[tuple[int, int], Operator]:
    """Ties up to a link, and the same on the other side of it."""
    return {**ties, **{(2 * center - j, 2 * center - i): tie.transpose for (i, j), tie in ties.items()}}


def _scaled(one: Operator, factor: ArrayLike) -> Operator:
    noise = np.stack([factor * each for each in one.noise])
    return one._replace(fixed=factor * one.fixed, noise=noise)


def _weighted(one: Link, power: NDArray[np.float64]) -> Link:
    """An identity whose directions have weights (..., atoms)."""
    return one._replace(inverse=one.inverse._replace(d=one.inverse.d * power[..., None, :, None, None]))


def _mean(space: Medium, blocks: Blocks) -> NDArray[np.float64]:
    """(1/d) Tr of the one direction's block."""
    return np.real(blocks.d[..., 0, 0] @ space.weights)
