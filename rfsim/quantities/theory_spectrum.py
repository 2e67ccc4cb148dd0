"""`rfsim.theory.spectrum`: the limiting density and its parts."""

from __future__ import annotations

from rfsim.quantities.forms import LARGE, Form
from rfsim.quantities.forms import LIMIT as SPECTRUM
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import COVARIANCE, RIDGE, WIDE_LIMIT
from rfsim.quantities.registry import Answer, Cells, Quantity, register

GRID = Parameter(
    name="grid",
    words="eigenvalue",
    symbol="λ",
    help="Eigenvalues at which the density is told; without them no density is kept.",
    hint=tuple[float, ...],
    makes="eigenvalue",
    default=None,
    flagged=False,
)

register(
    Quantity(
        name="theory.spectrum",
        help="Density of the eigenvalues of U, and its parts with exact masses and edges.",
        function="rfsim.theory:spectrum",
        # U has no ridge; the flag is there for those who give all commands the same
        parameters=(*(one.but(swept=False) if one is RIDGE else one for one in WIDE_LIMIT), COVARIANCE, GRID),
        speaks_of_parts=True,
        answer=Answer(
            json="rfsim.cli.limit_answers:spectrum_answer",
            lines="rfsim.cli.limit_answers:spectrum_lines",
            failed="rfsim.cli.limit_answers:failed_points",
        ),
        cells=Cells(computes="rfsim.sweeps.limits:spectrum", grids=("eigenvalue",)),
        page="rfsim.plotting.pages:limit_spectrum",
        form=Form(variables=SPECTRUM, optional=LARGE),
    )
)
