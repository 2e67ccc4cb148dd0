"""`rfsim.theory.conditions`: the ridge minimizer beside noise-free inputs in the limit, over ψ_p."""

from __future__ import annotations

from rfsim.checking.lists import LISTED
from rfsim.quantities.forms import CONSTANTS, Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import (
    ACTIVATION,
    ALLOW_IMPORT,
    DATA,
    DIFFUSION_TIME,
    GIVEN,
    RIDGE,
    SAMPLES_PER_DIM,
)
from rfsim.quantities.registry import Answer, Cells, Quantity, register

FEATURE_RATIOS = Parameter(
    name="feature_ratios",
    words="features per dimension",
    symbol="ψ_p",
    help=f"ψ_p = p/d, {LISTED}. Figures have a grid unless given.",
    hint=tuple[float, ...],
    makes="feature_ratio",
    default=(4.0, 16.0, 64.0),
    drawn="0.25:1e4:61",
)
LOSSES = f"train train_penalized test score {GIVEN} mean_error_linear predictive_variance_linear residual"

register(
    Quantity(
        name="theory.conditions",
        help="The ridge minimizer beside noise-free inputs y, over the features.",
        function="rfsim.theory:conditions",
        parameters=(
            SAMPLES_PER_DIM,
            ACTIVATION,
            ALLOW_IMPORT,
            DATA.but(help="condition:SNR@PER_DIM: inputs y of d_y = PER_DIM · d beside x_t."),
            RIDGE,
            DIFFUSION_TIME,
            FEATURE_RATIOS,
        ),
        answer=Answer(failed="rfsim.cli.limit_answers:failed_points"),
        cells=Cells(computes="rfsim.sweeps.limits:conditions"),
        page="rfsim.plotting.pages:limit_conditions",
        form=Form(
            variables=CONSTANTS
            | variables("feature_ratio", feature_ratio=LOSSES)
            | variables(one="true_test true_predictive_variance true_residual_error"),
        ),
    )
)
