"""Normalized traces of products of resolvents and of what stands between them (equations.md D10, D11, D12) [ours].

One linear solve for each pair of factors. Three classes of variables, p features, n samples and d directions, are
coupled by W/√d, X/√n and noises Ω_j/√n. A *link* is a square block operator over a few variables; a *tie* leads from
the rows of one link to the columns of a later one. The block (first, last) of the inverse of the whole, which is upper
triangular in the links, is the sum over all paths of ties of links' inverses in turn; its normalized traces 𝔾, one for
each class, and for each atom of ρ_Σ where the class is d, solve (Q − 𝒮[𝔾])𝔾 = 1:

    𝒮_p = ∫a_W 𝔾_d b_W dρ_Σ + Σ Γ_jk a_j 𝔾_n b_k,      𝒮_d(l) = ψ_p b_W 𝔾_p a_W + l a_X 𝔾_n b_X,
    𝒮_n = (1/ψ_n) ∫l b_X 𝔾_d a_X dρ_Σ + (ψ_p/ψ_n) Σ Γ_jk b_j 𝔾_p a_k.

The diagonal blocks are known (a resolvent's from (q, r, h)); off the diagonal the equations are linear, one after the
other. A link may stand for a weighted sum over nodes, Σ w R(z), as filters are; axes before that of nodes, of points of
contours or of ridges, broadcast over a chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from rfsim.computing.precision import Unresolved
from rfsim.limit.blocks import (
    Blocks,
    diagonal,
    first_times,
    minus,
    of_nodes,
    over_first,
    over_last,
    plus,
    scaled,
    summed,
    through,
    times_last,
    weighted_last,
)
from rfsim.limit.operators import CLASSES, Link, Medium, Operator, operator
from rfsim.limit.pairs import from_left, from_right, sandwich, solve, tied

RESIDUAL = 1e-9  # of a link's own equations


def link(medium: Medium, entries: Operator, inverse: Blocks, weights: ArrayLike = (1.0,)) -> Link:
    """A link whose inverse's traces are known; fixed entries and traces with an axis of nodes before the last ones.

    Raises Unresolved where the traces do not solve the link's own equations (Q − 𝒮[𝔾])𝔾 = 1 within 1e-9.
    """
    found = Link(entries, inverse, np.asarray(weights))
    pair = Blocks(*(diagonal(one, kind == "d") for kind, one in zip(CLASSES, inverse, strict=True)))
    own = sandwich(medium, from_left(entries), pair, from_right(entries))
    left = minus(
        _constant(medium, entries),
        Blocks(*(of_nodes(one, kind == "d") for kind, one in zip(CLASSES, own, strict=True))),
    )
    products = [a @ b for a, b in zip(left, inverse, strict=True)]
    residual = max(float(np.abs(one - np.eye(one.shape[-1])).max(initial=0.0)) for one in products)
    if not residual <= RESIDUAL:
        raise Unresolved(
            f"the traces of a link's inverse leave {residual:.1e} of its own equations, more than {RESIDUAL:g}",
            "take smaller diffusion times",  # memorized parts lie within v² ~ e^(−6t) of null
        )
    return found


def identity(medium: Medium, variables: str) -> Link:
    """The identity of some variables: where chains begin and end, or pass from one class to the next."""
    unit = operator(medium, variables, variables, {(k, k): 1.0 for k in range(len(variables))})
    p, n, d = (np.eye(variables.count(kind))[None] for kind in CLASSES)
    atoms = np.broadcast_to(d[:, None], (1, medium.values.size, *d.shape[1:]))
    return Link(unit._replace(fixed=unit.fixed[None]), Blocks(p, n, atoms), np.ones(1))


def chain(medium: Medium, links: Sequence[Link], ties: Mapping[tuple[int, int], Operator]) -> Blocks:
    """Normalized traces of the block (first, last) of a chain's inverse (D10).

    The sum over paths of H_first^{−1} B H^{−1} B … H_last^{−1}, weighted by nodes, where B are the ties by (row link,
    column link), first < second. Shapes (..., rows, columns).

    Raises ValueError for ties that do not fit.
    """
    last = len(links) - 1
    for (i, j), tie in ties.items():
        if not 0 <= i < j <= last or (tie.rows, tie.columns) != (links[i].variables, links[j].variables):
            raise ValueError(f"a tie from {tie.rows!r} to {tie.columns!r} does not lead from link {i} to link {j}")
    pencil = _Pencil(medium, links, ties)
    for apart in range(1, last + 1):
        for i in range(last + 1 - apart):
            pencil.fill(i, i + apart)
    weights = [links[0].weights[:, None], links[last].weights] if last else []
    return summed(pencil.traces[0, last], weights[0] * np.ones(links[last].weights.size)) if last else links[0].inverse


class _Pencil:
    """The pencil −B above and H on the diagonal, and the traces of its inverse as they are found."""

    def __init__(self, medium: Medium, links: Sequence[Link], ties: Mapping[tuple[int, int], Operator]) -> None:
        self.medium, self.links = medium, links
        self.ties = {place: tie._replace(fixed=-tie.fixed, noise=-tie.noise) for place, tie in ties.items()}
        self.traces: dict[tuple[int, int], Blocks] = {
            (i, i): Blocks(*(diagonal(one, kind == "d") for kind, one in zip(CLASSES, each.inverse, strict=True)))
            for i, each in enumerate(links)
        }
        self.left: dict[tuple[int, int], Blocks] = {}  # Q − 𝒮

    def fill(self, i: int, j: int) -> None:
        """The traces of one pair, those of all closer pairs given."""
        first, last = self.links[i], self.links[j]
        known = self._known(i, j)
        right = times_last(known, last.inverse)
        for k in range(i + 1, j):
            right = plus(right, through(self.left[i, k], self.traces[k, j]))
        found = solve(self.medium, first, last, scaled(first_times(first.inverse, right), -1.0))
        self.traces[i, j] = found
        self.left[i, j] = minus(
            known, sandwich(self.medium, from_left(first.operator), found, from_right(last.operator))
        )

    def _known(self, i: int, j: int) -> Blocks:
        """The equation of 𝔾_ij without the term that holds 𝔾_ij itself, (Q − 𝒮)_ij.

        (..., nodes, nodes, …), or 1 where nodes do not matter.
        """
        first, last = self.links[i], self.links[j]
        found = _zeros(self.medium, first.variables, last.variables)
        if (i, j) in self.ties:
            constant = _constant(self.medium, self.ties[i, j])
            entering = last.weights[:, None, None]
            found = Blocks(
                entering * constant.p[..., None, None, :, :],
                entering * constant.n[..., None, None, :, :],
                entering[..., None] * constant.d[..., None, None, :, :, :],
            )
        for a in range(i, j + 1):
            near = from_left(first.operator) if a == i else tied(self.ties.get((i, a)))
            for b in range(a, j + 1):
                far = from_right(last.operator) if b == j else tied(self.ties.get((b, j)))
                if near is None or far is None or (a, b) == (i, j):
                    continue
                inside = self.traces[a, b]
                # a path that enters a link has the weight of its node, and is summed over nodes
                if a != i:
                    inside = over_first(inside, self.links[a].weights)
                if b != j:
                    inside = over_last(inside)
                term = sandwich(self.medium, near, inside, far)
                if b != j:
                    term = weighted_last(term, last.weights)
                found = minus(found, term)
        return found


def _constant(medium: Medium, of: Operator) -> Blocks:
    d = of.part("d", "d")[..., None, :, :]
    atoms = np.broadcast_to(d, (*d.shape[:-3], medium.values.size, *d.shape[-2:]))
    return Blocks(of.part("p", "p"), of.part("n", "n"), atoms)


def _zeros(medium: Medium, rows: str, columns: str) -> Blocks:
    p, n, d = (np.zeros((1, 1, rows.count(kind), columns.count(kind))) for kind in CLASSES)
    return Blocks(p, n, np.broadcast_to(d[:, :, None], (1, 1, medium.values.size, *d.shape[2:])))
