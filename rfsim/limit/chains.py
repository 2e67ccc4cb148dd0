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

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

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

CLASSES = "pnd"
RESIDUAL = 1e-9  # of a link's own equations


class Medium(NamedTuple):
    """What all links of a chain share.

    ψ_p, ψ_n, ρ_Σ as values l and weights (atoms,), and E Ω_jΩ_k (noises, noises).
    """

    features_per_dim: float
    samples_per_dim: float
    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    noises: NDArray[np.float64]


class Operator(NamedTuple):
    """Entries between variables, whose classes are texts over "pnd", in this order.

    fixed (..., rows, columns): constants within a class, coefficients of W/√d between p and d and of X/√n between d and
    n; noise (noises, ..., rows, columns): coefficients of Ω_j/√n between p and n. Where rows and columns are the other
    way round their transposes stand there.
    """

    rows: str
    columns: str
    fixed: NDArray
    noise: NDArray

    @property
    def transpose(self) -> Operator:
        """The operator from the other side."""
        return Operator(self.columns, self.rows, self.fixed.swapaxes(-1, -2), self.noise.swapaxes(-1, -2))

    def part(self, rows: str, columns: str) -> NDArray:
        """The constants, or coefficients, between two classes: (..., rows, columns)."""
        return self.fixed[..., _span(self.rows, rows), _span(self.columns, columns)]

    def noises(self, rows: str, columns: str) -> NDArray:
        """The coefficients of each Ω_j/√n: (noises, ..., rows, columns)."""
        return self.noise[..., _span(self.rows, rows), _span(self.columns, columns)]


class Link(NamedTuple):
    """Σ weights × an operator's inverse over nodes, weights (nodes,).

    The operator at each node, fixed (..., nodes, rows, columns), and the normalized traces of its inverse there.
    """

    operator: Operator
    inverse: Blocks
    weights: NDArray

    @property
    def variables(self) -> str:
        """Those of its rows, one letter each for its class."""
        return self.operator.rows

    @property
    def transpose(self) -> Link:
        """The link from the other side."""
        turned = Blocks(*(one.swapaxes(-1, -2) for one in self.inverse))
        return Link(self.operator.transpose, turned, self.weights)


def operator(
    medium: Medium,
    rows: str,
    columns: str,
    fixed: Mapping[tuple[int, int], ArrayLike] | None = None,
    noise: Mapping[tuple[int, int], Mapping[int, float]] | None = None,
) -> Operator:
    """An operator of its entries by (row, column); of noises by number.

    Raises ValueError for variables out of order, and for an entry where its kind does not stand.
    """
    for text in (rows, columns):
        if list(text) != sorted(text, key=CLASSES.index):
            raise ValueError(f"variables must come in the order p, n, d; got {text!r}")
    given = {place: np.asarray(value) for place, value in (fixed or {}).items()}
    kind = np.result_type(float, *given.values())
    whole = np.zeros((*np.broadcast_shapes(*(one.shape for one in given.values())), len(rows), len(columns)), kind)
    noises = np.zeros((len(medium.noises), len(rows), len(columns)))
    for (row, column), value in given.items():
        if {rows[row], columns[column]} == {"p", "n"}:
            raise ValueError(f"between p and n only noises stand; got a constant at {row, column}")
        whole[..., row, column] = value
    for (row, column), by in (noise or {}).items():
        if {rows[row], columns[column]} != {"p", "n"}:
            raise ValueError(f"noises stand between p and n; got one at {row, column}")
        for number, value in by.items():
            noises[number, row, column] = value
    return Operator(rows, columns, whole, noises)


def link(medium: Medium, entries: Operator, inverse: Blocks, weights: ArrayLike = (1.0,)) -> Link:
    """A link whose inverse's traces are known; fixed entries and traces with an axis of nodes before the last ones.

    Raises Unresolved where the traces do not solve the link's own equations (Q − 𝒮[𝔾])𝔾 = 1 within 1e-9.
    """
    found = Link(entries, inverse, np.asarray(weights))
    pair = Blocks(*(diagonal(one, kind == "d") for kind, one in zip(CLASSES, inverse, strict=True)))
    own = _sandwich(medium, _rows(entries), pair, _columns(entries))
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


class _Entries(NamedTuple):
    """An operator's entries, and how they are shaped beside traces of pairs of nodes."""

    operator: Operator
    shaped: Callable[[NDArray], NDArray]

    def part(self, rows: str, columns: str) -> NDArray:
        return self.shaped(self.operator.part(rows, columns))

    def noises(self, rows: str, columns: str) -> NDArray:
        """A link's own are those of all of its nodes."""
        return self.operator.noises(rows, columns)[..., None, None, :, :]


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
        found = _solve(self.medium, first, last, scaled(first_times(first.inverse, right), -1.0))
        self.traces[i, j] = found
        self.left[i, j] = minus(known, _sandwich(self.medium, _rows(first.operator), found, _columns(last.operator)))

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
            near = _rows(first.operator) if a == i else _both(self.ties.get((i, a)))
            for b in range(a, j + 1):
                far = _columns(last.operator) if b == j else _both(self.ties.get((b, j)))
                if near is None or far is None or (a, b) == (i, j):
                    continue
                inside = self.traces[a, b]
                # a path that enters a link has the weight of its node, and is summed over nodes
                if a != i:
                    inside = over_first(inside, self.links[a].weights)
                if b != j:
                    inside = over_last(inside)
                term = _sandwich(self.medium, near, inside, far)
                if b != j:
                    term = weighted_last(term, last.weights)
                found = minus(found, term)
        return found


def _rows(one: Operator) -> _Entries:
    """A link's own entries to the left of traces (..., nodes, nodes, rows, columns)."""
    return _Entries(one, lambda values: values[..., :, None, :, :])


def _columns(one: Operator) -> _Entries:
    return _Entries(one, lambda values: values[..., None, :, :, :])


def _both(one: Operator | None) -> _Entries | None:
    return None if one is None else _Entries(one, lambda values: values[..., None, None, :, :])


def _sandwich(medium: Medium, left: _Entries, inside: Blocks, right: _Entries) -> Blocks:
    """𝒮 of traces between two operators."""
    psi_p, psi_n, values, weights, noises = medium
    frozen = np.tensordot(noises, right.noises("n", "p"), axes=1)
    p = _over_atoms(weights, left.part("p", "d"), inside.d, right.part("d", "p"))
    p = p + _noisy(left.noises("p", "n"), inside.n, frozen)
    frozen = np.tensordot(noises, right.noises("p", "n"), axes=1)
    n = _over_atoms(weights * values, left.part("n", "d"), inside.d, right.part("d", "n")) / psi_n
    n = n + psi_p / psi_n * _noisy(left.noises("n", "p"), inside.p, frozen)
    weighted = psi_p * (left.part("d", "p") @ inside.p @ right.part("p", "d"))
    sampled = left.part("d", "n") @ inside.n @ right.part("n", "d")
    return Blocks(p, n, weighted[..., None, :, :] + values[:, None, None] * sampled[..., None, :, :])


def _over_atoms(weights: NDArray, left: NDArray, inside: NDArray, right: NDArray) -> NDArray:
    mean = weights[0] * inside[..., 0, :, :] if weights.size == 1 else np.einsum("...ajk,a->...jk", inside, weights)
    return left @ mean @ right


def _noisy(left: NDArray, inside: NDArray, right: NDArray) -> NDArray:
    zero = np.zeros((left.shape[-2], right.shape[-1]))
    return sum((a @ inside @ b for a, b in zip(left, right, strict=True) if a.any() and b.any()), zero)


def _solve(medium: Medium, first: Link, last: Link, right: Blocks) -> Blocks:
    """𝔾 of 𝔾 − 𝔾_first 𝒮(H_first, 𝔾, H_last) 𝔾_last = right.

    Directions couple to features and samples alone, so that what is solved for are the unknowns of these two, each
    entry of whose matrix is a product of what belongs to one node of the first link and of what belongs to one of the
    last.
    """
    shapes = [one.shape[-2:] for one in right[:2]]
    sizes = [rows * columns for rows, columns in shapes]
    near, far = _rows(first.operator), _columns(last.operator)
    matrix = _coupling(medium, first, last)
    if matrix is None or not sum(sizes):
        return _with_directions(medium, first, last, right, right)
    hidden = Blocks(np.zeros(shapes[0]), np.zeros(shapes[1]), right.d)
    image = first_times(first.inverse, times_last(_sandwich(medium, near, hidden, far), last.inverse))
    target = [a + b for a, b in zip(right[:2], image[:2], strict=True)]
    target = [one.reshape(*one.shape[:-2], -1) for one in target]
    batch = np.broadcast_shapes(matrix.shape[:-2], *(one.shape[:-1] for one in target))
    whole = np.concatenate([np.broadcast_to(one, (*batch, one.shape[-1])) for one in target], axis=-1)
    found = _linear(np.eye(sum(sizes)) - matrix, whole)
    pieces = np.split(found, [sizes[0]], axis=-1)
    p, n = (one.reshape(*batch, *shape) for one, shape in zip(pieces, shapes, strict=True))
    return _with_directions(medium, first, last, Blocks(p, n, right.d), right)


def _with_directions(medium: Medium, first: Link, last: Link, found: Blocks, right: Blocks) -> Blocks:
    """The traces of directions that go with those of features and samples."""
    alone = found._replace(d=np.zeros(found.d.shape[-3:]))
    image = _sandwich(medium, _rows(first.operator), alone, _columns(last.operator)).d
    near, far = first.inverse.d[..., :, None, :, :, :], last.inverse.d[..., None, :, :, :, :]
    return found._replace(d=right.d + near @ image @ far)


def _coupling(medium: Medium, first: Link, last: Link) -> NDArray | None:
    """How unknowns of features and samples enter their own equations, directly and by directions; None where none do.

    (..., nodes, nodes, unknowns, unknowns).
    """
    psi_p, psi_n, values, weights, noises = medium
    one, two = first.operator, last.operator
    if not all(each.fixed.any() for each in (_mixed(one), _mixed(two))) and not (one.noise.any() and two.noise.any()):
        return None
    into = {"p": weights, "n": weights * values / psi_n}
    from_ = {"p": np.full_like(values, psi_p), "n": values}
    rows = []
    for to in "pn":
        near = getattr(first.inverse, to)[..., None, :, :] @ one.part(to, "d")[..., None, :, :] @ first.inverse.d
        far = last.inverse.d @ two.part("d", to)[..., None, :, :] @ getattr(last.inverse, to)[..., None, :, :]
        row = []
        for of in "pn":
            left, right = near @ one.part("d", of)[..., None, :, :], two.part(of, "d")[..., None, :, :] @ far
            entry = _outer(left, right, into[to] * from_[of])
            if to != of:
                a = getattr(first.inverse, to)[..., None, :, :] @ _by_noise(one.noises(to, of))
                b = _by_noise(two.noises(of, to)) @ getattr(last.inverse, to)[..., None, :, :]
                frozen = np.einsum("jk,...kab->...jab", noises, b)
                entry = entry + _outer(a, frozen, np.full(len(noises), 1.0 if to == "p" else psi_p / psi_n))
            row.append(entry)
        rows.append(row)
    batch = np.broadcast_shapes(*(entry.shape[:-2] for row in rows for entry in row))
    return np.concatenate(
        [np.concatenate([np.broadcast_to(e, (*batch, *e.shape[-2:])) for e in row], axis=-1) for row in rows], axis=-2
    )


def _mixed(one: Operator) -> Operator:
    """An operator's coefficients between directions and the other classes."""
    rows, columns = (np.array([kind == "d" for kind in text], dtype=bool) for text in (one.rows, one.columns))
    return one._replace(fixed=np.where(rows[:, None] != columns, one.fixed, 0.0))


def _by_noise(values: NDArray) -> NDArray:
    """(noises, ..., rows, columns) with noises next to the entries."""
    return np.moveaxis(values, 0, -3)


def _outer(left: NDArray, right: NDArray, factor: NDArray) -> NDArray:
    """Σ_l factor_l left_l ⊗ right_l over nodes of both: left (..., nodes, l, a, e), right (..., nodes, l, f, b).

    (..., nodes, nodes, a·b, e·f).
    """
    found = np.einsum("...mlae,...klfb,l->...mkabef", left, right, factor)
    *batch, a, b, e, f = found.shape
    return found.reshape(*batch, a * b, e * f)


def _linear(matrix: NDArray, right: NDArray) -> NDArray:
    """Solutions of small systems; of two unknowns in closed form, for all nodes at once."""
    if matrix.shape[-1] == 1:
        return right / matrix[..., 0]
    if matrix.shape[-1] == 2:
        (a, b), (c, d) = np.moveaxis(matrix, (-2, -1), (0, 1))
        x, y = np.moveaxis(right, -1, 0)
        return np.stack([d * x - b * y, a * y - c * x], axis=-1) / (a * d - b * c)[..., None]
    return np.linalg.solve(matrix, right[..., None])[..., 0]


def _constant(medium: Medium, of: Operator) -> Blocks:
    d = of.part("d", "d")[..., None, :, :]
    atoms = np.broadcast_to(d, (*d.shape[:-3], medium.values.size, *d.shape[-2:]))
    return Blocks(of.part("p", "p"), of.part("n", "n"), atoms)


def _zeros(medium: Medium, rows: str, columns: str) -> Blocks:
    p, n, d = (np.zeros((1, 1, rows.count(kind), columns.count(kind))) for kind in CLASSES)
    return Blocks(p, n, np.broadcast_to(d[:, :, None], (1, 1, medium.values.size, *d.shape[2:])))


def _span(variables: str, kind: str) -> slice:
    first = variables.find(kind)
    return slice(first, first + variables.count(kind)) if first >= 0 else slice(0, 0)
