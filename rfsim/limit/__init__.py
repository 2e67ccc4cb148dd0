"""d → ∞: the self-consistent equations, their solver, and all that is read off their solution."""
