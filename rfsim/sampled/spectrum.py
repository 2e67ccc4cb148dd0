"""`rfsim.spectrum`: the eigenvalues of a sampled U and its parts by rank, as one labelled result."""

from __future__ import annotations

import time
from typing import Unpack

import xarray as xr

from rfsim.computing.blas import suited
from rfsim.computing.precision import in_float64
from rfsim.problem.draws import ConditionOptions, Draw, told
from rfsim.problem.model import Problem
from rfsim.quantities.meant import known_keywords
from rfsim.results.datasets import eigenvalue_errors, joined
from rfsim.results.progress import Begin, Report, keeping
from rfsim.results.runs import Run
from rfsim.sample.spectra import Averages, Method, SampleSpectrum

SPECTRUM_COPIES = 5  # p × p matrices at the peak


@known_keywords
@in_float64
@told(ConditionOptions)
def spectrum(
    problem: Problem,
    *,
    model: str = "real",
    moments: str | Averages = "exact",
    report: Report | None = None,
    begin: Begin | None = None,
    **draw: Unpack[ConditionOptions],
) -> xr.Dataset:
    """Eigenvalues of the sampled U = E φφᵀ and its parts by rank.

    Equations.md T4 and §8; Bonnaire et al. 2025, Fig. 4.

    Args:
        problem: What is sampled. U has no ridge; one that is given says how exact U is asked for: eigenvalues are
            resolved beside it.
        model: "real", or "gaussian" for the Gaussian-equivalent model (§2).
        moments: `rfsim.Exact()` in the noise, or `rfsim.MonteCarlo(draws)`, a check that averages that many draws per
            sample; or the text of either, "exact" or "montecarlo:DRAWS".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed; what
            it raises ends the run.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw; seeds seed … seed + seeds − 1 are run one after the other.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.
        condition: Noise-free inputs beside x_t, a row (d_y,) for each of the array's, or a file of them; centered and
            scaled as the array is.

    Returns:
        Variables eigenvalue (seed, feature), feature_part (feature), per part count, mass, lower, upper, gap_below,
        merged, the constants a, b, v2, s2 (T9), and residual (seed); with Monte Carlo moments eigenvalue_error, a
        standard error over the draws. Eigenvalues are dimensionless.

    Raises:
        ValueError: For settings that do not fit together.
        MemoryError: Before allocating, for sizes beyond the memory limit.

    >>> result = spectrum(Problem(samples_per_dim=2, features_per_dim=4), dim=10)
    >>> result.sizes["feature"], [str(name) for name in result.part.values]
    (40, ['null', 'mini', 'main', 'gen'])
    """
    started = time.perf_counter()
    method = Method(model=model, moments=moments)
    run = Run(problem, Draw(**draw), report, method=method, copies=SPECTRUM_COPIES, conditions=True)
    run.begin(begin, {})
    done: list[tuple[SampleSpectrum, xr.Dataset]] = []

    def result() -> xr.Dataset:
        return run.label("spectrum", joined(run, done), {}, started)

    with suited(run.sizes.features), keeping(done, result):
        for solved in run.solved(population=False):
            done.append((solved.spectrum, eigenvalue_errors(run, solved)))
            del solved
    return result()
