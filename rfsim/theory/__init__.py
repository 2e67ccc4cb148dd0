"""The d → ∞ theory: self-consistent equations, spectra with exact masses, learning curves of any filter."""

from rfsim.theory.bulks import Part, atom, density, masses, parts
from rfsim.theory.dynamics import LimitCurves, limit_curves
from rfsim.theory.intervals import Interval, support
from rfsim.theory.limits import Limit, limit
from rfsim.theory.minimizer import RidgeLosses, ridge_losses
from rfsim.theory.populations import Population, from_array, from_eigenvalues, population
from rfsim.theory.quantiles import mass_below, quantile
from rfsim.theory.quantities.curves import curves
from rfsim.theory.quantities.spectrum import spectrum
from rfsim.theory.solver import NotConverged, Solution, solve
from rfsim.theory.tables import Converged, LimitSpectrum, LimitTarget, converged, limit_spectrum, part_spectrum

__all__ = [
    "Converged",
    "Interval",
    "Limit",
    "LimitCurves",
    "LimitSpectrum",
    "LimitTarget",
    "NotConverged",
    "Part",
    "Population",
    "RidgeLosses",
    "Solution",
    "atom",
    "converged",
    "curves",
    "density",
    "from_array",
    "from_eigenvalues",
    "limit",
    "limit_curves",
    "limit_spectrum",
    "mass_below",
    "masses",
    "part_spectrum",
    "parts",
    "population",
    "quantile",
    "ridge_losses",
    "solve",
    "spectrum",
    "support",
]
