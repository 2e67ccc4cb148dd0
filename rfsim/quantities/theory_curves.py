"""`rfsim.theory.curves`: losses of the limit at every training time."""

from __future__ import annotations

from rfsim.quantities.forms import (
    CLASS_LOSSES,
    CLASS_TIMES,
    CLASSES,
    CONSTANTS,
    LARGE,
    LOSSES,
    PLANE,
    ROUTES,
    Form,
    variables,
)
from rfsim.quantities.forms import LIMIT as SPECTRUM
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import BY_PART, COVARIANCE, TOLERANCE, TRAIN_TIMES, TRAINER, WIDE_LIMIT
from rfsim.quantities.registry import FORMS, PAGES, Answer, Cells, Quantity, register

RIDGE_PER_FEATURE = Parameter(
    name="ridge_per_feature",
    help="The ridge is that of --ridge × ψ_p.",
    hint=bool,
    default=False,
    swept=False,
)
TILE = 64  # cells of the plane in one program
SEVERAL = "theory.curves has one program for the flow, another for the rest: sweep each {} by itself"
BY_CLASS = CLASSES | variables(**{"class__train_time": CLASS_LOSSES, "class": CLASS_TIMES})

register(
    Quantity(
        name="theory.curves",
        help="Losses at every training time, and timescales.",
        function="rfsim.theory:curves",
        # the tolerance is that of a map, `rfsim.theory.diagram`
        parameters=(
            *WIDE_LIMIT,
            COVARIANCE,
            TRAIN_TIMES,
            TRAINER,
            BY_PART,
            RIDGE_PER_FEATURE,
            TOLERANCE.but(default=1e-4),
        ),
        speaks_of_parts=True,
        answer=Answer(
            json="rfsim.cli.limit_answers:curves_answer",
            lines="rfsim.cli.limit_answers:curves_lines",
            failed="rfsim.cli.limit_answers:failed_points",
        ),
        cells=Cells(
            computes="rfsim.sweeps.limits:curves",
            together=PLANE,
            tile=TILE,
            mapped="rfsim.sweeps.limits:mapped",
            apart={name: SEVERAL.format(name) for name in ("trainer", "by_part")},
        ),
        page="rfsim.plotting.pages:limit_curves",
        form=Form(
            variables=SPECTRUM
            | ROUTES
            | variables("train_time", train_time=f"{LOSSES} bias2 variance error", part__train_time="energy")
            | variables(one="residual nodes", gen_route="tau_gen", mem_route="tau_mem")
            | BY_CLASS,
            optional=LARGE | {"energy", *BY_CLASS},
        ),
    )
)

PAGES["theory-diagram"] = "rfsim.plotting.several:limit_diagram"
FORMS["theory-diagram"] = Form(
    variables=CONSTANTS
    | variables(*PLANE, "train_time", samples_per_dim__features_per_dim__train_time="train test score gen")
    | variables(samples_per_dim__features_per_dim="error residual nodes status tau_mem tau_mini")
)
