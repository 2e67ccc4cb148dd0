"""The limit beside a distillation of samples."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim import theory
from rfsim.checking.notes import Note

SMALL = rfsim.Problem(samples_per_dim=2, features_per_dim=4)


def test_steps_that_double_precision_does_not_resolve_are_left_out_and_said():
    settings = {"dim": 3, "levels": 3, "generated": 16, "time_min": 0.05, "time_max": 3.0, "limit": True}
    with pytest.warns(Note, match="the limit of leakage is left out from diffusion time 3 on: .* own equations"):
        found = rfsim.distill(SMALL, [10.0], **settings)
    assert np.isnan(found.limit_leakage[:, [0, 2]]).all()
    first, second = found.diffusion_time.values[1:3]
    alone = theory.distill(SMALL, [first, second], ridges=found.ridge.values, teacher_time=1e8)
    np.testing.assert_allclose(found.limit_leakage[:, 1], alone.leakage.squeeze(), rtol=1e-8)
    with pytest.raises(ValueError, match="own equations, more than 1e-09; take smaller diffusion times"):
        theory.distill(SMALL, [second, 3.0])
