"""Consistency distillation of a random-feature teacher (equations.md §7)."""

from rfsim.distillation.front import distill

__all__ = ["distill"]
