"""Variables that results of samples and of the limit have alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rfsim.learning.curves import LossCurves

LONG_NAMES = {
    "train": "L_train",
    "train_penalized": "L_train with the ridge's penalty (Δγ/d)‖Ā‖²",
    "test": "L_test",
    "emp": "L_emp, the training samples with fresh noise",
    "score": "E_score",
    "gen": "L_gen",
    "cross": "(1/d) Tr Vᵀ f(U) Ṽ",
    "bias2": "bias²",
    "variance": "variance",
}


def part_terms(found: LossCurves, train: NDArray[np.float64], pairs: NDArray[np.float64]) -> dict:
    """Terms of the losses by part and by pairs of parts, and the losses with the filter switched off on each part."""
    own, rows = np.einsum("aat->at", pairs), pairs.sum(axis=1)
    without = {"train": found.train - train, "test": found.test - 2 * rows + own}
    return {
        "train_part": (("part", "train_time"), train, {"long_name": "the part's term of L_train", "units": "1"}),
        "test_pair": (
            ("part", "other", "train_time"),
            pairs,
            {"long_name": "terms of L_test by pairs of parts", "units": "1"},
        ),
    } | {
        f"{name}_without": (
            ("part", "train_time"),
            values,
            {"long_name": f"L_{name} with the filter off on the part", "units": "1"},
        )
        for name, values in without.items()
    }


def optional(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Values as an array, NaN for what does not exist."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
