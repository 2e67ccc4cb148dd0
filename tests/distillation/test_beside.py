"""The limit beside a distillation of samples."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim import theory
from rfsim.checking.notes import Note

SMALL = rfsim.Problem(samples_per_dim=2, features_per_dim=4)
SETTINGS = {"dim": 3, "levels": 3, "generated": 16, "time_min": 0.05, "limit": True}


@pytest.mark.slow
def test_late_steps_stand_beside_the_sample():
    found = rfsim.distill(SMALL, [10.0], time_max=3.0, **SETTINGS)
    assert np.isnan(found.limit_leakage[:, 0]).all()
    times = found.diffusion_time.values
    alone = theory.distill(SMALL, times, ridges=found.ridge.values, teacher_time=1e8)
    np.testing.assert_allclose(found.limit_leakage[:, 1:].T, alone.leakage[-2:], rtol=1e-7)


def test_steps_that_double_precision_does_not_resolve_are_left_out_and_said():
    with pytest.warns(Note, match="the limit of leakage is left out from diffusion time 8 on: .* closer to its atom"):
        found = rfsim.distill(SMALL, [10.0], time_max=8.0, **SETTINGS)
    assert np.isnan(found.limit_leakage[:, [0, 2]]).all()
    assert np.isfinite(found.limit_leakage[:, 1]).all()
