"""What data are: named populations, files of eigenvalues, covariances or samples, digits; objects that have texts.

A text is read once, where it is given (`read`). A population has a covariance, and a law in every number of
dimensions; samples fix their own dimension, and a half of them plays the population.
"""

from rfsim.disk.files.numbers import DataError
from rfsim.problem.populations.base import Data, Spectrum
from rfsim.problem.populations.conditioned import Condition, Told, unknown
from rfsim.problem.populations.files import Covariance, Eigenvalues, InFile, Samples
from rfsim.problem.populations.gaussian_classes import GaussianClasses
from rfsim.problem.populations.held_out import held_out, inputs
from rfsim.problem.populations.images import Digits
from rfsim.problem.populations.labels import Labels, labels
from rfsim.problem.populations.named import Atoms, Classes, Isotropic, Mixture, PowerLaw, Subspace
from rfsim.problem.populations.reading import FILES, KINDS, NUMBERED, in_file, read

__all__ = [
    "FILES",
    "KINDS",
    "NUMBERED",
    "Atoms",
    "Classes",
    "Condition",
    "Covariance",
    "Data",
    "DataError",
    "Digits",
    "Eigenvalues",
    "GaussianClasses",
    "InFile",
    "Isotropic",
    "Labels",
    "Mixture",
    "PowerLaw",
    "Samples",
    "Spectrum",
    "Subspace",
    "Told",
    "held_out",
    "in_file",
    "inputs",
    "labels",
    "read",
    "unknown",
]
