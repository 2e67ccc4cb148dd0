"""Every public function of the limit computes in float64 by itself, whatever its caller has JAX in."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim import Problem
from tests.theory.cases import limit_of

PROBLEM = Problem(samples_per_dim=2, features_per_dim=4)
LIMIT = limit_of(2, 4)
ROWS = np.random.default_rng(0).standard_normal((40, 3))
CALLS: dict[str, tuple[Any, ...]] = {  # of each function: its arguments, of which the last may be keywords
    "atom": (LIMIT,),
    "best_ridge": (LIMIT,),
    "conditions": (Problem(2, data="condition:4@1"), [4.0]),
    "converged": (LIMIT, lambda spectrum, target: np.atleast_1d(np.asarray(spectrum.residual) * 0)),
    "curves": (PROBLEM, [1.0]),
    "density": (LIMIT, [0.5, 1.0]),
    "diagram": (PROBLEM, {"samples_per_dim": [2], "features_per_dim": [4], "train_times": [1.0]}),
    "distill": (PROBLEM, {"diffusion_times": [0.05, 0.1], "distill_times": [10.0]}),
    "from_array": (ROWS,),
    "from_eigenvalues": ([0.5, 1.5],),
    "gamma_star": (PROBLEM, 0.05),
    "generated": (Problem(samples_per_dim=2, features_per_dim=np.inf), {"levels": 3}),
    "large_densities": (LIMIT, [0.5, 1.0]),
    "large_form": (LIMIT,),
    "limit": (PROBLEM,),
    "limit_curves": (LIMIT, [1.0]),
    "limit_spectrum": (LIMIT, 16),
    "mass_below": (LIMIT, [0.5]),
    "masses": (LIMIT,),
    "mini_gap": (PROBLEM, {"samples_per_dim": [8], "diffusion_times": [0.1]}),
    "n_star": (Problem(features_per_dim=0.5),),
    "part_spectrum": (LIMIT,),
    "parts": (LIMIT,),
    "plane_lines": (Problem(features_per_dim=0.5),),
    "population": ("isotropic:2",),
    "quantile": (LIMIT, [0.5]),
    "ridge": (PROBLEM, [0.1]),
    "ridge_losses": (LIMIT, [0.1]),
    "ridge_plane": (Problem(ridge=0.1), [4.0], [2.0]),
    "score_minimum": (PROBLEM, {"samples_per_dim": [2], "features_per_dim": [4]}),
    "solve": (LIMIT, [1 + 0.1j]),
    "split": (Problem(samples_per_dim=2),),
    "spectrum": (PROBLEM,),
    "support": (LIMIT,),
    "wide_losses": (LIMIT, [0.1]),
}


def test_none_is_forgotten():
    functions = {name for name in rfsim.theory.__all__ if inspect.isfunction(getattr(rfsim.theory, name))}
    assert functions == set(CALLS)


SLOW = {"diagram"}  # a program of its own is compiled for a plane


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in CALLS])
def test_a_caller_in_float32_gets_what_one_in_float64_gets(name):
    *positional, last = CALLS[name]
    keywords = last if isinstance(last, dict) else {}
    arguments = positional if isinstance(last, dict) else [*positional, last]
    function = getattr(rfsim.theory, name)
    with jax.enable_x64(False):
        found = function(*arguments, **keywords)
        assert jnp.zeros(1).dtype == jnp.float32
    wanted = function(*arguments, **keywords)
    assert len(_numbers(found)) == len(_numbers(wanted))
    for one, other in zip(_numbers(found), _numbers(wanted), strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype not in (np.float32, np.complex64)


def _numbers(found: Any) -> list[Any]:
    """All numbers of what a function gives."""
    if isinstance(found, xr.Dataset):
        return [one.values for one in found.data_vars.values() if one.dtype.kind in "fc"]
    return [one for one in jax.tree.leaves(found) if not isinstance(one, str) and one is not None]
