"""What distillation hands from one part of the spectrum to another in the limit (equations.md D13, D14) [ours].

Also which directions are unstable there, with the closed forms of wide and long samples (D18 to D20).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.numerics import zero_between
from rfsim.limit.bulks import LimitPart, edges_above, parts
from rfsim.limit.chains import chain, identity
from rfsim.limit.contours import Contour, rings
from rfsim.limit.operators import Medium, Operator, operator
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import (
    PSI,
    VARIABLES,
    F,
    Level,
    Resolvent,
    at_points,
    features_link,
    filter_link,
    linear_entries,
    medium,
    resolvent_link,
    resolvents_above,
    weights_tie,
)
from rfsim.limit.steps import Fields, TeacherStep

DIGITS = 12.0  # of contours
ATOM = 0.1  # of the way to what is next: how far from an atom its ring takes it to reach
RIDGES, SEARCH = (1e-8, 1e10), 73  # where γ⋆ is looked for, and at how many points first
NOW, NEW, BEFORE = range(3)  # noises: Ω at the step's start, Ω′ of the step, Ω at its end


class Around(NamedTuple):
    """Upper halves of contours around each part of a level's spectrum, its atom among them.

    Names, and z − floor and weights (parts, nodes): where t is large, parts lie closer to the floor than z could tell.
    """

    names: tuple[str, ...]
    found: tuple[LimitPart, ...]
    floor: float
    above: Contour

    @property
    def points(self) -> NDArray[np.complex128]:
        """Nodes z themselves, (parts, nodes)."""
        return self.floor + self.above.points


def around(one: Level, *, bounded: bool = False) -> Around:
    """Contours around all parts; `bounded` where filters grow to the left of the spectrum."""
    found = parts(one.limit)
    floor = float(one.limit.floor)
    edges = edges_above(one.limit, [part for part in found if part.lower < part.upper])
    if len(edges) < len(found):
        edges = np.vstack([[0.0, 0.0], edges])
    # filters have their poles at z = −γ ≤ 0
    ends = np.stack([np.append(-floor, edges[:-1, 1]), np.append(edges[1:, 0], np.inf)], axis=1)
    pieces = edges + ATOM * np.where(edges[:, :1] == edges[:, 1:], ends, 0.0)
    return Around(tuple(part.name for part in found), found, floor, rings(pieces, ends, DIGITS, bounded=bounded))


def space_of(now: Level, constants: TeacherStep) -> Medium:
    """The medium of a step, with the three noises."""
    found = constants.noise
    noises = np.eye(3)
    noises[NOW, BEFORE] = noises[BEFORE, NOW] = found.weights @ (found.start * found.end)
    if constants.rho_new:
        noises[NEW, BEFORE] = noises[BEFORE, NEW] = found.weights @ (found.new[0] * found.end) / constants.rho_new
    return medium(now, noises)


def transfer_tie(space: Medium, now: Level, constants: TeacherStep, rows: str, row: int, c_h: ArrayLike) -> Operator:
    """C (D8) as a tie from feature variable `row` to a link: c_ψ, w_1Ω + ρ′Ω′, c_h W h and c_k W Xf/√n."""
    return operator(
        space,
        rows,
        VARIABLES,
        {(row, PSI): constants.c_psi} | linear_entries(now, row, c_h, constants.c_k),
        {(row, F): {NOW: constants.w1, NEW: constants.rho_new}},
    )


def c_h_at(now: Level, constants: TeacherStep, teacher: Trained, z: NDArray) -> NDArray:
    """c_h inside a contour, where U f(U) is z f(z): constant for a teacher that learned everything (D8)."""
    return constants.c_h + now.a * constants.a_y * (1 - z * teacher.filter(z))


def transfer_table(
    now: Level, before: Level, constants: TeacherStep, teacher: Trained, into: Around, w: Contour
) -> NDArray:
    """∮dw over one part of the level before of (1/p) Tr R_before(w) C R(z) Cᵀ at the nodes of `into` (parts, nodes).

    w: its contour, of z − floor.
    """
    space = space_of(now, constants)
    left = resolvent_link(space, before, at_points(resolvents_above(before, w.points), 0, 2), BEFORE)
    plain, end = features_link(space, now, NOW).transpose, identity(space, "p")
    at = at_points(resolvents_above(now, into.above.points.ravel()), 1, 2)
    total = np.zeros(into.above.points.size, dtype=complex)
    for mirrored in (False, True):
        # the contour of w is its upper half and, with z mirrored, the mirror of its lower one
        nodes = Resolvent(*(one.conj() if mirrored else one for one in at))
        right = resolvent_link(space, now, nodes, NOW)
        c_h = c_h_at(now, constants, teacher, nodes.z[..., 0])
        ties = {
            (0, 1): transfer_tie(space, now, constants, VARIABLES, PSI, c_h),
            (1, 2): operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0}),
            (2, 3): transfer_tie(space, now, constants, "p", 0, c_h).transpose,
        }
        found = w.weights @ chain(space, [left, right, plain, end], ties).p[..., 0, 0]
        total += found.conj() if mirrored else found
    return total.reshape(into.above.points.shape)


class Leakage(NamedTuple):
    """Where what inputs of gen hand up lands, over parts of the step's start, at some ridges, and what any ridge needs.

    energies e (..., parts); table (parts, nodes) at points: e = 2 Re Σ table (z + γ)^{−2}.
    """

    names: tuple[str, ...]
    energies: NDArray[np.float64]
    points: NDArray[np.complex128]
    table: NDArray[np.complex128]

    def at(self, ridges: ArrayLike) -> Leakage:
        """The same at other ridges, of any shape."""
        gamma = np.asarray(ridges, dtype=float)[..., None, None]
        return self._replace(energies=2 * np.real((self.table / (self.points + gamma) ** 2).sum(-1)))

    @property
    def shares(self) -> NDArray[np.float64]:
        """By part, adding up to 1."""
        return self.energies / self.energies.sum(-1, keepdims=True)

    @property
    def lost(self) -> NDArray[np.float64]:
        """The share that lands outside of gen."""
        outside = [k for k, name in enumerate(self.names) if "gen" not in name]
        return self.shares[..., outside].sum(-1)

    @property
    def floor(self) -> float:
        """What no ridge goes below: `lost` as γ → ∞."""
        return float(self._replace(energies=2 * np.real(self.table.sum(-1))).lost)


def leakage(
    now: Level, before: Level, constants: TeacherStep, teacher: Trained, ridges: ArrayLike, into: Around, origin: Around
) -> Leakage:
    """(D13) at all ridges, from one table: e = ∮∮ (z + γ)^{−2} (1/p) Tr R_before(w) C R(z) Cᵀ, w around gen."""
    gen = next(k for k, name in enumerate(origin.names) if "gen" in name)
    w = Contour(*(one[gen] for one in origin.above))
    table = transfer_table(now, before, constants, teacher, into, w) * into.above.weights
    return Leakage(into.names, np.empty(0), into.points, table).at(ridges)


def enough_ridge(found: Leakage, threshold: float) -> float:
    """γ⋆, the smallest ridge at which less than `threshold` is lost.

    0 where none is needed, NaN where none is enough.
    """
    if found.floor >= threshold:
        return math.nan
    if float(found.at(0.0).lost) <= threshold:
        return 0.0
    ends = np.geomspace(*RIDGES, SEARCH)
    above = np.flatnonzero(found.at(ends).lost > threshold)
    if above.size and above[-1] == SEARCH - 1:
        return math.nan
    low = 0.0 if not above.size else float(ends[above[-1]])
    high = float(ends[0 if not above.size else above[-1] + 1])
    return zero_between(lambda gamma: float(found.at(gamma).lost) - threshold, low, high)


def instability(
    now: Level, constants: TeacherStep, step_fields: Fields, teacher: Trained, into: Around
) -> dict[str, float]:
    """(D14) mean over each part of qᵀDq/λ, D = E (φ(x) − φ(Φ(x)))(…)ᵀ.

    Contours of (1/z)(1/p) Tr R(U + E φφᵀ − C − Cᵀ).
    """
    space = space_of(now, constants)
    at = resolvents_above(now, into.above.points.ravel())
    link, end = resolvent_link(space, now, at_points(at), NOW), identity(space, "p")
    out = operator(space, VARIABLES, "p", {(PSI, 0): 1.0})
    tie = transfer_tie(space, now, constants, "p", 0, c_h_at(now, constants, teacher, at.z))
    handed = chain(space, [end, link, end], {(0, 1): tie, (1, 2): out}).p[..., 0, 0]
    after = _after_the_step(space, now, constants, step_fields, teacher, at)
    values = (1 + at.z * at.q + after - 2 * handed).reshape(into.points.shape) / into.points
    means = 2 * np.real((into.above.weights * values).sum(-1))
    return {part.name: float(mean / part.mass) for part, mean in zip(into.found, means, strict=True)}


def _after_the_step(
    space: Medium, now: Level, constants: TeacherStep, found: Fields, teacher: Trained, at: Resolvent
) -> NDArray:
    """(1/p) Tr R(z) E φ(Φ)φ(Φ)ᵀ (D9) at the nodes of `at`.

    N_1KN_1ᵀ, N_2N_2ᵀ and F_sF_sᵀ pass a middle of one direction, feature and sample.
    """
    a_y = constants.a_y
    first = resolvent_link(space, now, at_points(at), NOW)
    taught = filter_link(space, now, teacher.filter_nodes, NOW)
    plain, middle, end = features_link(space, now, NOW), identity(space, "pnd"), identity(space, "p")
    p, n, d = range(3)

    def half(rows: str, row: int) -> tuple[Operator, Operator, Operator]:
        """From a feature variable to the features' link, to the teacher's resolvent, and to the middle itself."""
        sampled = {(row, F): {NOW: constants.w1, NEW: constants.rho_new}}
        kept = {(row, d): constants.a_omega - a_y * found.c1 * now.b, (row, p): constants.s1 - a_y * found.c1 * now.s}
        return (
            operator(space, rows, VARIABLES, linear_entries(now, row, 0.0, constants.c_k), sampled),
            weights_tie(space, rows, row, -now.a * a_y),
            operator(space, rows, "pnd", kept),
        )

    sample = operator(space, VARIABLES, "pnd", {(F, n): 1.0})
    through = operator(space, VARIABLES, "pnd", {(F, n): 1.0, (PSI, d): now.b, (PSI, p): now.s})
    into, back = half(VARIABLES, PSI), [one.transpose for one in half("p", 0)]
    links = [first, plain, taught, middle, plain.transpose, taught.transpose, end]
    ties = {(0, 1 + k): tie for k, tie in enumerate(into)} | {(1, 3): sample, (2, 3): through}
    ties |= {(3, 4): sample.transpose, (3, 5): through.transpose}
    ties |= {(4, 6): back[0], (5, 6): back[1], (3, 6): back[2]}
    return chain(space, links, ties).p[..., 0, 0] + constants.s2**2 * at.q


class ClosedLeakage(NamedTuple):
    """(D18): κ, and the eigenvalues λ of gen and mini that go with it."""

    kappa: float
    gen: float
    mini: float

    def leakage(self, ridges: ArrayLike) -> NDArray[np.float64]:
        """ϱ²/(1 + ϱ²), ϱ = κ(λ_gen + γ)/(λ_mini + γ)."""
        gamma = np.asarray(ridges, dtype=float)
        ratio = self.kappa * (1 + (self.gen - self.mini) / (self.mini + gamma))
        return ratio**2 / (1 + ratio**2)

    def ridge(self, threshold: float) -> float:
        """γ⋆ (D19): 0 where the threshold is met without one, NaN where no ridge meets it."""
        theta = np.sqrt(threshold / (1 - threshold))
        if theta <= abs(self.kappa):
            return float("nan")
        return max((abs(self.kappa) * self.gen - theta * self.mini) / (theta - abs(self.kappa)), 0.0)


def closed_form(now: Level, constants: TeacherStep, teacher: Trained) -> ClosedLeakage:
    """To first order in v/√ψ_n, for ψ_p ≫ ψ_n ≫ 1 (D18, D20)."""
    psi_p, psi_n = now.limit.features_per_dim, now.limit.samples_per_dim
    gen = psi_p * now.a**2 + now.s**2
    mini = now.s**2 + now.v**2 * (now.noise * psi_p / psi_n - (now.signal**-2 - 1))
    learned = mini * float(teacher.filter([mini])[0])
    kappa = constants.beta * now.signal * now.v / (now.a * np.sqrt(psi_n))
    return ClosedLeakage(float(kappa) * learned, gen, mini)
