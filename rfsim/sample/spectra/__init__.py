"""Spectra of sampled problems. Named in the plural because `rfsim.spectrum` is the public function."""

from rfsim.problem.ranks import PARTS, part_counts
from rfsim.sample.spectra.krylov import krylov_spectrum, project
from rfsim.sample.spectra.method import Averages, Exact, Method, MonteCarlo
from rfsim.sample.spectra.parts import Density, SamplePart, density, part_slices, sample_parts
from rfsim.sample.spectra.sample import SampleSpectrum, sample_spectrum
from rfsim.sample.spectra.solve import Solved, solve
from rfsim.sample.spectra.targets import SampleTarget, population_moments, sample_target

__all__ = [
    "PARTS",
    "Averages",
    "Density",
    "Exact",
    "Method",
    "MonteCarlo",
    "SamplePart",
    "SampleSpectrum",
    "SampleTarget",
    "Solved",
    "density",
    "krylov_spectrum",
    "part_counts",
    "part_slices",
    "population_moments",
    "project",
    "sample_parts",
    "sample_spectrum",
    "sample_target",
    "solve",
]
