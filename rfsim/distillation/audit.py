"""Who is memorized before and after distillation: exact losses of single points, and sets of them (equations.md §8).

A training point is memorized by a score where its denoising loss, averaged exactly over the noise, lies below the
loss that a share `QUANTILE` of fresh points are below. T, B and S are the points that the teacher, the baseline and a
student memorize. The baseline has the student's features and was trained on the teacher's points as the teacher was,
by denoising, with its trainer, ridge and train_time: what the student would have memorized without a teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.distillation.membership import Points
from rfsim.distillation.nearest import distinct, nearest_two
from rfsim.distillation.networks import Network
from rfsim.distillation.predictability import predictability
from rfsim.problem.activations import Activation
from rfsim.problem.data import draw
from rfsim.problem.laws import AnyLaw, Law
from rfsim.sample.moments.pointwise import point_losses, point_moments

QUANTILE = 0.005  # of fresh points that count as memorized
FRESH = 4000
LEVELS = 3  # that are audited, from the lowest to the middle one: above it nothing is memorized
COUNTS = ("teacher", "baseline", "student", "all", "student and teacher alone", "teacher alone")


class Audited(NamedTuple):
    """Of one level: exact losses of the points, those of training first, and what tells their scores apart.

    teacher, baseline: (points,), baseline None for a student with the teacher's features, of which it is the teacher;
    students: (variants, times, points), NaN where there is no such student; apart: (1/d)E‖s_T − s_B‖² of training
    points, (training,).
    """

    teacher: NDArray[np.float64]
    baseline: NDArray[np.float64] | None
    students: NDArray[np.float64]
    apart: NDArray[np.float64]


def audited_levels(levels: int) -> list[int]:
    """Levels that are audited, ascending.

    >>> audited_levels(20), audited_levels(2)
    ([1, 6, 10], [1])
    """
    return sorted({round(float(one)) for one in np.linspace(1, max(levels / 2, 1), LEVELS)})


def points(training: NDArray[np.float64], law: AnyLaw, seed: int) -> Points:
    """Training points, the first `FRESH` of all, and as many fresh ones of a law, of an array's rows at most all."""
    used, fresh = training[:FRESH], FRESH
    if isinstance(law, Law) and not law.variances.any():
        fresh = min(fresh, len(law.centers))
    return Points(np.concatenate([used, draw(law, fresh, seed, "audit")]), len(used))


class Auditor:
    """What audits the levels of one seed, one after the other."""

    def __init__(
        self,
        of: Points,
        levels: int,
        teacher: Network,
        baseline: Network | None,
        own: NDArray[np.float64],
    ) -> None:
        """What is compared.

        Args:
            of: The points, from `points`.
            levels: N.
            teacher: The teacher.
            baseline: The baseline, where it is not the teacher.
            own: W of the students' features, (features, dim).
        """
        self.of, self._teacher, self._baseline, self._own = of, teacher, baseline, own
        self.levels = audited_levels(levels)

    def audit(
        self, level: int, sigma: Activation, students: NDArray[np.float64], scores: Sequence[tuple[float, float]]
    ) -> Audited:
        """Losses at one level, exact in the noise (§8).

        Args:
            level: Index of the level.
            sigma: σ, centered at its diffusion time.
            students: (variants, times, dim, features), NaN where there is no such student.
            scores: a and b of each variant's score s = a x + b Mφ.

        Returns:
            The losses.

        Raises:
            Unresolved: Where the noise's series needs too many orders.
        """
        given = self.of.clean, float(self._teacher.times[level]), sigma
        weights, taught = np.asarray(self._teacher.weights), np.asarray(self._teacher.readouts[level])[None]
        shape, flat = students.shape[:2], students.reshape(-1, *students.shape[2:])
        there = np.isfinite(flat).all(axis=(1, 2))
        along, factor = np.repeat(np.array(scores), shape[1], axis=0)[there].T
        # of one set of features all read-outs at once: the Hermite coefficients are theirs in common
        beside = taught if self._baseline is None else np.asarray(self._baseline.readouts[level])[None]
        several = np.concatenate([beside, flat[there]]), *given, np.r_[0.0, along], np.r_[1.0, factor]
        first, *rest = point_losses(self._own, *several)
        losses = np.full((len(flat), len(self.of.clean)), np.nan)
        losses[there] = np.reshape(rest, (-1, len(self.of.clean)))
        losses = losses.reshape(*shape, -1)
        if self._baseline is None:
            return Audited(first, None, losses, np.zeros(self.of.training))
        both, between = np.concatenate([weights, self._own]), np.concatenate([taught, -beside], axis=2)
        found = point_moments(both, between, self.of.clean[: self.of.training], *given[1:])
        apart = found.power[0] / self.of.clean.shape[1]
        return Audited(point_losses(weights, taught, *given)[0], first, losses, apart)


def memorized(losses: NDArray[np.float64], training: int, quantile: float = QUANTILE) -> NDArray[np.bool_]:
    """Which training points a score memorizes, (training,): at most that share of fresh points has a smaller loss.

    >>> memorized(np.array([0.1, 0.5, 0.2, 0.3, 0.4, 0.6]), 2, 0.25)
    array([ True, False])
    """
    fresh = np.sort(losses[training:])
    # as in the true-positive rate: a share times a count may be rounded down from a whole number
    allowed = min(int(np.floor(quantile * fresh.size + 1e-9)), fresh.size - 1)
    return losses[:training] < fresh[allowed]


def counts(teacher: NDArray[np.bool_], baseline: NDArray[np.bool_], student: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Numbers of points in the sets of `COUNTS`: |T|, |B|, |S|, |S ∩ T ∩ B|, |S ∩ T ∖ B|, |T ∖ B|."""
    alone = teacher & ~baseline
    several = teacher, baseline, student, student & teacher & baseline, student & alone, alone
    return np.array([np.count_nonzero(one) for one in several], dtype=float)


def known_before(found: Audited, of: Points) -> NDArray[np.float64]:
    """What is known of training points before a student is: (training, 5).

    The teacher's loss, the baseline's, (1/d)E‖s_T − s_B‖², ‖x‖²/d, and the distance to the nearest other point.
    """
    clean = of.clean[: of.training]
    baseline = found.teacher if found.baseline is None else found.baseline
    different = distinct(clean)
    nearest = nearest_two(clean, different)[1]  # the nearest is the point itself
    squares = (clean**2).mean(axis=1)
    return np.column_stack([found.teacher[: of.training], baseline[: of.training], found.apart, squares, nearest])


def in_advance(found: Audited, of: Points) -> NDArray[np.float64]:
    """AUC by which each student's memorized points are told from what is known before, (variants, times)."""
    known, shape = known_before(found, of), found.students.shape[:2]
    chosen = [predictability(known, memorized(one, of.training)) for one in found.students.reshape(-1, len(of.clean))]
    return np.reshape(chosen, shape)
