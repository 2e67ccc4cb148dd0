"""Numbers as Python code gives them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim import Problem
from rfsim.checking.scalars import LONGEST, numbers, whole
from rfsim.problem import model

GOOD = [
    (4, 4), (4.5, 4.5), (np.float32(4.5), 4.5), (np.int8(4), 4), (np.array(4.5), 4.5), (Fraction(9, 2), 4.5),
    (Decimal("4.5"), 4.5), (jnp.asarray(4.5), 4.5),
]  # fmt: skip
BAD = [
    True, np.bool_(True), "4", b"4", 10**400, 10**5000, None, [4], np.array([4.0]), 4 + 0j, float("nan"),
    Decimal("sNaN"), np.datetime64("2020"), object(), "x" * 10**6, np.ma.masked,
]  # fmt: skip


@pytest.mark.parametrize(("given", "value"), GOOD, ids=repr)
def test_every_kind_of_number_is_one_and_kept_as_pythons_own(given, value):
    found = Problem(samples_per_dim=given).samples_per_dim
    assert (found, type(found)) == (value, type(value))
    assert numbers("train_times", [given])[0] == value


@pytest.mark.parametrize("field", ["samples_per_dim", "features_per_dim", "diffusion_time", "noise_copies", "ridge"])
def test_what_is_no_number_is_refused_by_name_in_a_short_line(field):
    for given in BAD:
        with pytest.raises(ValueError, match=f"^{field} must be a number") as refusal:
            Problem(**{field: given})
        assert "\n" not in str(refusal.value)
        assert len(str(refusal.value)) < LONGEST + 60


@pytest.mark.parametrize("given", [b for b in BAD if not isinstance(b, float)][:-1], ids=lambda one: repr(type(one)))
def test_lists_and_counts_are_read_as_strictly(given):
    with pytest.raises(ValueError, match="^dim must be a number"):
        whole("dim", given, 1)
    if not isinstance(given, (list, np.ndarray)):
        # a text may be a list, as a flag has it
        for listed in ([given], [1.0, given], *([] if isinstance(given, str) else [given])):
            with pytest.raises(ValueError, match=r"^train_times must ") as refusal:
                model.times(listed)
            assert len(str(refusal.value)) < LONGEST + 60


def test_a_mask_and_a_ragged_list_are_no_numbers():
    with pytest.raises(ValueError, match="of which some are masked"):
        numbers("train_times", np.ma.masked_array([1.0, 2.0], [False, True]))
    for given in ([[1], [1, 2]], [[1.0]], [], {1.0}, (x for x in [1.0])):
        with pytest.raises(ValueError, match="^train_times must be"):
            numbers("train_times", given)
