"""The d → ∞ theory: self-consistent equations, spectra with exact masses, learning curves of any filter."""

from rfsim.limit.bulks import LimitPart, atom, density, masses, parts
from rfsim.limit.contour_sums import LimitSpectrum, LimitTarget
from rfsim.limit.dynamics import LimitCurves, limit_curves
from rfsim.limit.intervals import Interval, support
from rfsim.limit.landmarks import PlaneLines, n_star, plane_lines
from rfsim.limit.large import LargeForm, large_densities, large_form
from rfsim.limit.limits import Limit, limit
from rfsim.limit.minimizer import RidgeLosses, ridge_losses
from rfsim.limit.optimal import BestRidge, best_ridge
from rfsim.limit.part_tables import part_spectrum
from rfsim.limit.populations import Population, from_array, from_eigenvalues, population
from rfsim.limit.quantiles import mass_below, quantile
from rfsim.limit.solver import NotConverged, Solution, solve
from rfsim.limit.tables import Converged, converged, limit_spectrum
from rfsim.limit.wide import wide_losses
from rfsim.quantities.catalog import QUANTITIES, resolve
from rfsim.theory.conditions import conditions
from rfsim.theory.curves import curves
from rfsim.theory.diagram import diagram
from rfsim.theory.distillation import distill
from rfsim.theory.enough import gamma_star
from rfsim.theory.generated import generated
from rfsim.theory.mini import mini_gap
from rfsim.theory.minimum import score_minimum
from rfsim.theory.ridge import ridge, ridge_plane
from rfsim.theory.spectrum import spectrum
from rfsim.theory.split import split

__all__ = [
    "BestRidge",
    "Converged",
    "Interval",
    "LargeForm",
    "Limit",
    "LimitCurves",
    "LimitPart",
    "LimitSpectrum",
    "LimitTarget",
    "NotConverged",
    "PlaneLines",
    "Population",
    "RidgeLosses",
    "Solution",
    "atom",
    "best_ridge",
    "conditions",
    "converged",
    "curves",
    "density",
    "diagram",
    "distill",
    "from_array",
    "from_eigenvalues",
    "gamma_star",
    "generated",
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
    "split",
    "support",
    "wide_losses",
]


def __getattr__(name: str) -> object:
    """The function of a quantity that has its own file, or comes with another package."""
    if (quantity := QUANTITIES.get(f"theory.{name}")) is not None:
        return resolve(quantity.function)
    raise AttributeError(f"module 'rfsim.theory' has no attribute {name!r}")
