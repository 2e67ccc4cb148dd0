from __future__ import annotations

import gc

import pytest

from rfsim.computing import garbage


@pytest.mark.parametrize("before", [(700, 10, 10), (garbage.RARELY + 1, 5, 5), (0, 10, 10)])
def test_it_is_looked_for_no_more_often_inside_and_as_before_after(before):
    kept = gc.get_threshold()
    gc.set_threshold(*before)
    try:
        with pytest.raises(ValueError, match="inside"), garbage.rarely():
            youngest, *older = gc.get_threshold()
            assert youngest == (max(before[0], garbage.RARELY) if before[0] else 0)
            assert tuple(older) == before[1:]
            raise ValueError("inside")
        assert gc.get_threshold() == before
    finally:
        gc.set_threshold(*kept)
