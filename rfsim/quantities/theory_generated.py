"""`rfsim.theory.generated`: the law of generated samples as ψ_p → ∞ after d → ∞."""

from __future__ import annotations

import math

from rfsim.quantities.distill import DISTILL_TIMES, LEVELS, PATH
from rfsim.quantities.forms import Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import DIFFUSION_TIME, PREPARED, TRAIN_TIMES, WIDE, WIDE_LIMIT
from rfsim.quantities.registry import Answer, Cells, Quantity, register
from rfsim.quantities.theory_curves import RIDGE_PER_FEATURE

MEASURES = "frechet_per_dim kl_per_dim kl_reverse_per_dim kl_mean_per_dim variance_mean"
FEATURES = WIDE.but(help="ψ_p = p/d: inf alone, many features after d → ∞.", flag_default=math.inf)
SAMPLER = Parameter(
    name="sampler",
    help="Steps from T down to ε: ode and sde-limit take infinitely many.",
    hint=str,
    choices=("ddim", "euler", "heun", "ode", "sde", "sde-limit"),
    default="ddim",
)
TRAIN_SCHEDULE = Parameter(
    name="train_schedule",
    help="Training times over levels: constant, those given at all of them; best, each level's lowest L_test; "
    "theta:VALUE or theta:TIME=VALUE,…, θ = 2Δa²τ over diffusion times.",
    hint=str,
    read=str,
    default="constant",
)
STUDENT = Parameter(
    name="student",
    help="Also consistency students of the teachers, at --distill-times.",
    hint=bool,
    default=False,
    shapes=True,
)
STUDENT_DIMS = "distill_time", "student_way"
OF_STUDENT = "student_frechet_per_dim", "student_kl_mean_per_dim"  # what its figure draws of it

register(
    Quantity(
        name="theory.generated",
        help="The law of generated samples with many features.",
        function="rfsim.theory:generated",
        parameters=(
            *(FEATURES if one is WIDE else one for one in WIDE_LIMIT if one not in (*PREPARED, DIFFUSION_TIME)),
            TRAIN_TIMES.but(drawn="1:1e7:43"),
            *LEVELS,
            PATH,
            SAMPLER,
            TRAIN_SCHEDULE,
            STUDENT,
            DISTILL_TIMES.but(default=(math.inf,)),
            RIDGE_PER_FEATURE,
        ),
        answer=Answer(
            json="rfsim.cli.limit_generated_answers:answer",
            lines="rfsim.cli.limit_generated_answers:lines",
        ),
        cells=Cells(computes="rfsim.sweeps.limits:generated"),
        page="rfsim.plotting.pages:limit_generated",
        form=Form(
            variables=variables("way", "train_time", "quantile", "direction", "level", direction="truth")
            | variables(way__train_time=MEASURES, level__train_time="level_time level_score", one="residual")
            | variables(way__train_time__quantile="variance_quantile", way__train_time__direction="recovered")
            | variables(*STUDENT_DIMS, distill_time__student_way__train_time=" ".join(OF_STUDENT)),
            optional=frozenset({"direction", "truth", "recovered", *STUDENT_DIMS, *OF_STUDENT}),
        ),
    )
)
