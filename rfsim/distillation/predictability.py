"""Whether who is memorized can be told in advance: logistic regression on a few features of each point (§8)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rfsim.distillation.memorization import auc

FOLDS = 5  # each is predicted by what the others teach
PENALTY = 0.01  # of the squared coefficients of standardized features: separable points have finite ones
STEPS = 50  # of Newton's method; it converges in about ten
ACCURACY = 1e-9


def predictability(features: NDArray[np.float64], memorized: NDArray[np.bool_]) -> float:
    """AUC of logistic regression for who is memorized, each point predicted by the folds that it is not in (§8).

    Points of either kind are dealt in turn to the folds, so that all have their shares. Features without spread are
    left out.

    Args:
        features: What is known of the points, (points, features).
        memorized: Which of them are memorized, (points,).

    Returns:
        The AUC; NaN where fewer points of either kind than folds are there, or no feature tells points apart.
    """
    spread = features.std(axis=0)
    told = features[:, spread > 1e-12 * np.abs(features).max(axis=0, initial=0.0)]
    positive = int(memorized.sum())
    if min(positive, len(memorized) - positive) < FOLDS or not told.shape[1]:
        return math.nan
    fold = np.empty(len(memorized), dtype=int)
    for kind in (True, False):
        fold[memorized == kind] = np.arange(np.count_nonzero(memorized == kind)) % FOLDS
    found = np.empty(len(memorized))
    for k in range(FOLDS):
        rest = fold != k
        middle, unit = told[rest].mean(axis=0), told[rest].std(axis=0)
        scaled = (told - middle) / np.where(unit > 0, unit, 1.0)
        weights = logistic(scaled[rest], memorized[rest])
        found[~rest] = weights[0] + scaled[~rest] @ weights[1:]
    return auc(-found[memorized], -found[~memorized])


def logistic(features: NDArray[np.float64], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intercept and coefficients (1 + features,) of logistic regression, by Newton's method with halved steps."""
    rows = np.column_stack([np.ones(len(features)), features])
    penalty = np.r_[0.0, np.full(features.shape[1], PENALTY)]
    signs = np.where(labels, 1.0, -1.0)

    def loss(weights: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0.0, -signs * (rows @ weights)).sum() + penalty @ weights**2 / 2)

    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        share = np.exp(-np.logaddexp(0.0, -(rows @ weights)))  # P(memorized)
        slope = rows.T @ (share - labels) + penalty * weights
        if np.abs(slope).max() < ACCURACY * len(rows):
            break
        step = np.linalg.solve((rows.T * (share * (1 - share))) @ rows + np.diag(penalty + ACCURACY), slope)
        size = 1.0
        while loss(weights - size * step) > loss(weights) and size > ACCURACY:
            size /= 2
        weights = weights - size * step
    return weights
