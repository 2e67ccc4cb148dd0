"""Read-outs themselves, from the eigenbasis of U (equations.md T7)."""

from __future__ import annotations

from rfsim.computing.arrays import Numbers, compiled


@compiled
def readout(source: Numbers, basis: Numbers, values: Numbers, delta: float) -> Numbers:
    """Ā = −(1/√Δ) Vᵀ f(U) from V and f in the eigenbasis (T7).

    Args:
        source: V seen from the eigenvectors, (features, dim).
        basis: Eigenvectors, (features, features).
        values: f at the eigenvalues, (features,).
        delta: Δ.

    Returns:
        Ā, (dim, features).
    """
    return -(source.T * values) @ basis.T / delta**0.5
