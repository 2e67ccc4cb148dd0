"""`rfsim.theory.ridge`: losses of the ridge minimizer in the limit."""

from __future__ import annotations

from rfsim.checking.lists import LISTED
from rfsim.quantities.forms import CONSTANTS, PLANE, RIDGE_LOSSES, Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import COVARIANCE, LIMIT, RIDGE
from rfsim.quantities.registry import FORMS, PAGES, Answer, Cells, Quantity, register
from rfsim.quantities.theory_curves import TILE

RIDGES = Parameter(
    name="ridges",
    words="ridge",
    symbol="γ",
    help=f"Ridges γ, {LISTED}. Figures have a grid unless given.",
    hint=tuple[float, ...],
    makes="ridge",
    flag_default=(1e-3, 1e-2, 1e-1),
    drawn="1e-4:1e2:61",
)

register(
    Quantity(
        name="theory.ridge",
        help="Losses of the ridge minimizer, and the best ridge.",
        function="rfsim.theory:ridge",
        parameters=(
            *(one.but(swept=False, unused="--ridges") if one is RIDGE else one for one in LIMIT),
            COVARIANCE,
            RIDGES,
        ),
        answer=Answer(
            json="rfsim.cli.limit_answers:ridge_answer",
            lines="rfsim.cli.limit_answers:ridge_lines",
            failed="rfsim.cli.limit_answers:failed_points",
        ),
        cells=Cells(computes="rfsim.sweeps.limits:ridge", together=PLANE, tile=TILE),
        page="rfsim.plotting.pages:limit_ridge",
        form=Form(
            variables=CONSTANTS | variables("ridge", ridge=RIDGE_LOSSES, one="best_ridge best_test"),
        ),
    )
)

PAGES["theory-ridge-plane"] = "rfsim.plotting.several:limit_ridge_plane"
FORMS["theory-ridge-plane"] = Form(
    variables=CONSTANTS | variables(*PLANE, samples_per_dim__features_per_dim=RIDGE_LOSSES)
)
