from __future__ import annotations

import pytest

from rfsim import reproduce
from tests.report import synthetic


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout with two experiments and nothing stored."""
    synthetic.build(tmp_path)
    monkeypatch.setattr(reproduce, "checkout", lambda: tmp_path)
    return tmp_path
