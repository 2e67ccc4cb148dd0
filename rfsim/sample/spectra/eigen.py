"""Eigenvalues of a symmetric matrix, and what float64 resolves of them (T8)."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

from rfsim.computing.arrays import Numbers, compiled, namespace
from rfsim.computing.decompositions import counted
from rfsim.computing.parallel import decomposing


def resolution(features: int, largest: float) -> float:
    """The eigenvalue that a decomposition in float64 cannot tell from rounding, beside the largest one."""
    return 1e-14 * math.sqrt(features) * largest


def rounding(largest: float) -> float:
    """What rounding in float64 does to any eigenvalue, about 4 eps λ_max."""
    return 4 * float(np.finfo(float).eps) * largest


def eigh(second: Numbers, *, again: bool = False) -> tuple[Numbers, Numbers]:
    """Eigenvalues ascending and eigenvectors of a symmetric matrix; of JAX's on the host where the backend cannot.

    Every call is a decomposition that `decompositions.counting` counts, as one done `again` where told so. Not to be
    called inside a compiled function.
    """
    counted(again=again)
    if namespace(second) is np:
        return scipy.linalg.eigh(second, driver="evd", check_finite=False)
    return _eigh(second)


@decomposing
@jax.jit
def _eigh(second: Numbers) -> tuple[Numbers, Numbers]:
    values, vectors = jnp.linalg.eigh(second, symmetrize_input=False)
    return values, vectors


def eigvalsh(second: Numbers) -> Numbers:
    """Eigenvalues alone, ascending, as `eigh` has them."""
    if namespace(second) is np:
        return scipy.linalg.eigh(second, eigvals_only=True, driver="evd", check_finite=False)
    return decomposing(jnp.linalg.eigvalsh)(second)


@compiled
def relative_residual(second, lam, basis, probe):
    """‖(M − QΛQᵀ)B‖_F over λ_max‖B‖_F."""
    norm = namespace(second, basis).linalg.norm
    difference = second @ probe - basis @ (lam[:, None] * (basis.T @ probe))
    return norm(difference) / (abs(lam).max() * norm(probe))
