"""Shared by all tests: double precision for the core, which demands it and never switches it on."""

from __future__ import annotations

import jax
import pytest


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield
