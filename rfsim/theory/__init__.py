"""The d → ∞ theory: self-consistent equations, spectra with exact masses, learning curves of any filter."""

from rfsim.theory.bulks import Part, atom, density, masses, parts
from rfsim.theory.dynamics import LimitCurves, limit_curves
from rfsim.theory.intervals import Interval, support
from rfsim.theory.landmarks import PlaneLines, n_star, plane_lines
from rfsim.theory.large import LargeForm, large_densities, large_form
from rfsim.theory.limits import Limit, limit
from rfsim.theory.minimizer import RidgeLosses, ridge_losses
from rfsim.theory.optimal import BestRidge, best_ridge
from rfsim.theory.populations import Population, from_array, from_eigenvalues, population
from rfsim.theory.quantiles import mass_below, quantile
from rfsim.theory.quantities.curves import curves
from rfsim.theory.quantities.diagram import diagram
from rfsim.theory.quantities.distillation import distill, gamma_star
from rfsim.theory.quantities.mini import mini_gap
from rfsim.theory.quantities.minimum import score_minimum
from rfsim.theory.quantities.ridge import ridge, ridge_plane
from rfsim.theory.quantities.spectrum import spectrum
from rfsim.theory.solver import NotConverged, Solution, solve
from rfsim.theory.tables import Converged, LimitSpectrum, LimitTarget, converged, limit_spectrum, part_spectrum
from rfsim.theory.wide import wide_losses

__all__ = [
    "BestRidge",
    "Converged",
    "Interval",
    "LargeForm",
    "Limit",
    "LimitCurves",
    "LimitSpectrum",
    "LimitTarget",
    "NotConverged",
    "Part",
    "PlaneLines",
    "Population",
    "RidgeLosses",
    "Solution",
    "atom",
    "best_ridge",
    "converged",
    "curves",
    "density",
    "diagram",
    "distill",
    "from_array",
    "from_eigenvalues",
    "gamma_star",
    "large_densities",
    "large_form",
    "limit",
    "limit_curves",
    "limit_spectrum",
    "mass_below",
    "masses",
    "mini_gap",
    "n_star",
    "part_spectrum",
    "parts",
    "plane_lines",
    "population",
    "quantile",
    "ridge",
    "ridge_losses",
    "ridge_plane",
    "score_minimum",
    "solve",
    "spectrum",
    "support",
    "wide_losses",
]
