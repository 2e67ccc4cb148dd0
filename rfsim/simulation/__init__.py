"""Stochastic training as it is done in practice, beside the filter that describes its mean (equations.md §3)."""
