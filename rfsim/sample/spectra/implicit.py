"""The Gaussian-equivalent model without matrices of features × features: losses by the Krylov route on operators.

The dual route of `spectra.gaussian` decomposes an (n + d) × (n + d) matrix. Where that is large too, the Krylov space
of U = s² + FFᵀ on V's columns takes products with F alone (equations.md §2, §3).
"""

from __future__ import annotations

from rfsim.learning.protocol import Target
from rfsim.problem.activations import Constants
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.sample.spectra.accurate import require_resolved
from rfsim.sample.spectra.gaussian import gaussian_rank, gaussian_spectrum, gaussian_target
from rfsim.sample.spectra.krylov import project
from rfsim.sample.spectra.operators import gaussian_operators, gaussian_population
from rfsim.sample.spectra.sample import SampleSpectrum


def gaussian_krylov(
    problem: Problem, draw: Instance, constants: Constants, *, tolerance: float = 1e-6, largest_share: float = 0.5
) -> tuple[SampleSpectrum, Target]:
    """Spectrum and population for losses of a fresh start, as `krylov.krylov_spectrum` gives those of the real model.

    Where the basis would pass largest_share × features columns U is decomposed after all, by `gaussian_spectrum`:
    `spectrum.blocks` is None then. Losses agree with that route's to `tolerance` (relative where they exceed 1).

    Raises RuntimeError in float32, and ValueError where V is zero or eigenvalues drown in rounding.
    """
    training = gaussian_operators(problem, draw, constants)
    found = project(
        training,
        lambda floor: gaussian_population(problem, draw, constants),
        ridge=problem.ridge,
        rank=gaussian_rank(problem, draw, constants),
        tolerance=tolerance,
        largest_share=largest_share,
    )
    if found is None:
        del training  # F goes before anything is decomposed
        spectrum = gaussian_spectrum(problem, draw, constants)
        return spectrum, gaussian_target(problem, draw, constants, spectrum)
    require_resolved(problem, draw, float(found[0].points[0]), float(found[0].points[-1]))
    return found
