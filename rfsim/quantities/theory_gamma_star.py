"""`rfsim.theory.gamma_star`: the ridge of one step that is enough against leakage."""

from __future__ import annotations

from rfsim.quantities.forms import Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import COVARIANCE, LIMIT, RIDGE
from rfsim.quantities.registry import Cells, Quantity, register
from rfsim.quantities.theory_distill import TEACHER_RIDGE, TEACHER_TIME, THRESHOLD

NEXT_TIME = Parameter(
    name="next_time",
    words="next diffusion time",
    symbol="t′",
    help="Diffusion time that the step leads down to.",
)

register(
    Quantity(
        name="theory.gamma_star",
        help="The ridge of one step of distillation that is enough against leakage.",
        function="rfsim.theory:gamma_star",
        parameters=(
            *(one for one in LIMIT if one is not RIDGE),
            COVARIANCE,
            NEXT_TIME,
            TEACHER_TIME,
            TEACHER_RIDGE,
            THRESHOLD,
        ),
        command=False,
        cells=Cells(computes="rfsim.sweeps.limits:gamma_star"),
        page=None,
        form=Form(variables=variables(one="gamma_star leakage floor gamma_star_closed leakage_closed kappa residual")),
    )
)
