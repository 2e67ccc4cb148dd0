"""The limit's spectrum and target by parts, on a contour around each (equations.md §6, T13, T14)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.precision import in_complex128
from rfsim.learning.protocol import Spectrum, Target
from rfsim.limit.bulks import LimitPart, gap_points, parts
from rfsim.limit.contours import Contour, arcs
from rfsim.limit.limits import Limit, reaches_zero
from rfsim.limit.tables import solved, spectrum_on

LENS = np.pi / 4


class PartSpectrum(NamedTuple):
    """Spectrum and target on contours of their own around each part, so that filters can be switched off on parts (§6).

    Attributes:
        spectrum: On all contours.
        target: None where only what needs none was asked for.
        names: Of the parts, (parts,).
        keep: 1 on the points that belong to the part and 0 elsewhere, (parts, points).
    """

    spectrum: Spectrum
    target: Target | None
    names: tuple[str, ...]
    keep: NDArray[np.float64]


@in_complex128
def part_spectrum(
    limit: Limit,
    ridge: float = 0.0,
    reach: float = np.inf,
    found: Sequence[LimitPart] | None = None,
    *,
    target: bool = True,
) -> PartSpectrum:
    """The limit's spectrum by parts; an atom carries nothing of V and is left out (§6).

    Args:
        limit: What the equations depend on.
        ridge: γ of the filters.
        reach: The filters are bounded for λ + γ < reach.
        found: `bulks.parts`, if at hand.
        target: Whether to compute the target; its tables over pairs of points are most of the time.

    Returns:
        The spectrum by parts.

    Raises:
        ValueError: Where the spectrum reaches down to 0: there is no gap to pass below it.
        NotConverged: Where the equations are not solved, or an edge is not found.
    """
    bulks = [part for part in found or parts(limit) if part.lower < part.upper]
    if bulks[0].lower <= 0:
        raise ValueError(f"{reaches_zero(limit)}: terms by part need a spectrum above 0")
    ends = gap_points(limit, bulks)
    ends[-1] = min(ends[-1], (bulks[-1].upper + reach - ridge) / 2)
    contour = Contour(*(values.ravel() for values in arcs(ends, LENS)))
    keep = np.repeat(np.eye(len(bulks)), contour.points.size // len(bulks), axis=1)
    names = tuple(part.name for part in bulks)
    if not target:
        return PartSpectrum(spectrum_on(limit, contour), None, names, keep)
    return PartSpectrum(*solved(limit, contour), names, keep)
