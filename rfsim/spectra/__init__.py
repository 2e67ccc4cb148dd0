"""Spectra of sampled problems. Named in the plural because `rfsim.spectrum` is the front door's function."""

from rfsim.spectra.krylov import krylov_spectrum, project
from rfsim.spectra.parts import PARTS, Bulk, Density, bulks, density, part_counts, part_slices
from rfsim.spectra.sample import SampleSpectrum, SampleTarget, population_moments, sample_spectrum, sample_target

__all__ = [
    "PARTS",
    "Bulk",
    "Density",
    "SampleSpectrum",
    "SampleTarget",
    "bulks",
    "density",
    "krylov_spectrum",
    "part_counts",
    "part_slices",
    "population_moments",
    "project",
    "sample_spectrum",
    "sample_target",
]
