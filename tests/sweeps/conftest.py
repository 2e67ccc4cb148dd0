"""Fixtures of all tests of sweeps."""

from tests.sweeps.toys import use

__all__ = ["use"]
