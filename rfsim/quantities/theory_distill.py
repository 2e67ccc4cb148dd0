"""`rfsim.theory.distill`: consistency distillation of a teacher in the limit."""

from __future__ import annotations

import math

from rfsim.checking import lists
from rfsim.checking.lists import LISTED
from rfsim.quantities.distill import DISTILL_TIMES, OPTIONS
from rfsim.quantities.forms import Form, variables
from rfsim.quantities.parameter import SAME, Parameter
from rfsim.quantities.parameters import COVARIANCE, DIFFUSION_TIME, LIMIT, RIDGE
from rfsim.quantities.registry import Answer, Cells, Quantity, register
from rfsim.quantities.theory_ridge import RIDGES

TAKEN = {RIDGE: "--ridges", DIFFUSION_TIME: "--diffusion-times"}  # by lists of this quantity
SAMPLED = {one.name: one for one in OPTIONS}
ALONE = ("solver", "parameterization", "target")  # of these the limit knows the first choice alone
CONSTANTS = (  # of a step (equations.md D1 to D8), in the order in which they are told
    "alpha beta c1 c2 tau1 tau2 var_mean var_fresh a_u a_omega a_y rho rho_new s1 s2 c_h c_k w1 c_psi"
)
TEACHER_TIME = SAMPLED["teacher_time"].but(default=math.inf)
TEACHER_RIDGE = SAMPLED["teacher_ridge"].but(help="Ridge of the teacher; --ridges are the students'.")
THRESHOLD = SAMPLED["threshold"]
DIFFUSION_TIMES = Parameter(
    name="diffusion_times",
    words="diffusion time",
    symbol="t",
    help=f"Diffusion times that ascend, {LISTED}; each step leads from one down to the one before.",
    hint=tuple[float, ...],
    read=lists.times,
    makes="diffusion_time",
    flag_default=(0.05, 0.1),
)


def _only(name: str) -> Parameter:
    """A setting of the sampled distillation of which the limit knows one value; others are refused by their flag."""
    one = SAMPLED[name]
    choices = one.choices[:1] or (one.default,)
    help_ = f"{choices[0]} alone: the equations of the limit are of no other."
    return one.but(help=help_, choices=choices, default=choices[0], role="command", swept=False)


register(
    Quantity(
        name="theory.distill",
        help="Consistency distillation: leakage, the ridge that is enough, students.",
        function="rfsim.theory:distill",
        parameters=(
            *(one.but(swept=False, flag_default=None, unused=TAKEN[one]) if one in TAKEN else one for one in LIMIT),
            COVARIANCE,
            DIFFUSION_TIMES,
            RIDGES.but(help=f"Ridges γ, {LISTED}.", default=(0.0, 0.1, 0.5, 2.0, 10.0), flag_default=SAME, drawn=""),
            TEACHER_TIME,
            TEACHER_RIDGE,
            DISTILL_TIMES.but(default=(math.inf,)),
            THRESHOLD,
            SAMPLED["start"].but(help="The student's first weights.", default="teacher"),
            *map(_only, ALONE),
        ),
        speaks_of_parts=True,
        answer=Answer(
            json="rfsim.cli.limit_distill_answers:answer",
            lines="rfsim.cli.limit_distill_answers:lines",
        ),
        cells=Cells(computes="rfsim.sweeps.limits:distill"),
        page="rfsim.plotting.pages:limit_distill",
        form=Form(
            variables=variables("diffusion_time", "step", "ridge", "distill_time", "part", one="residual")
            | variables(step=f"from_time to_time {CONSTANTS} gamma_star floor kappa gamma_star_closed closed_valid")
            | variables(step__ridge="leakage gain leakage_closed", step__ridge__part="share")
            | variables(step__part="instability teacher_energy", distill_time__ridge__step="train test map_error")
            | variables(distill_time__ridge__step__part="student_energy suppression"),
        ),
    )
)
