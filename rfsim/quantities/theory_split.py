"""`rfsim.theory.split`: how far apart linear scores of disjoint halves of the data sample."""

from __future__ import annotations

from rfsim.checking.lists import LISTED
from rfsim.quantities.distill import LEVELS, REGRESSION
from rfsim.quantities.forms import Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import COVARIANCE, DATA, PREPARED, SAMPLES_PER_DIM, N
from rfsim.quantities.registry import Quantity, register

FIRST = {one.name: one for one in LEVELS}
SAMPLER = next(one for one in REGRESSION if one.name == "sampler")
TIME_MAX = FIRST["time_max"].but(help="Diffusion time T at which sampling begins, σ_T² = e^{2T} − 1.")
TIME_MIN = FIRST["time_min"].but(help="Diffusion time at which it ends; 0 is the data themselves.", default=0.0)
STEPS = (
    FIRST["levels"].but(
        help="Steps from N(0, I) at T, geometric, as rfsim distill takes them; 0: the flow itself from σ_T z.",
        least=0,
        default=0,
        shapes=False,
    ),
    SAMPLER.but(help="Of the steps.", choices=("ddim", "euler", "heun"), default="ddim"),
)
SAMPLE_RATIOS = Parameter(
    name="sample_ratios",
    words="samples per dimension",
    symbol="ψ_n",
    help=f"ψ_n at which the distances are told too, {LISTED}. Figures have a grid unless given.",
    hint=tuple[float, ...],
    makes="sample_ratio",
    default=(1.0, 4.0, 16.0),
    drawn="0.125:64:31",
)
AGAINST = "across_by_samples population_by_samples"

register(
    Quantity(
        name="theory.split",
        help="Samples of linear scores of two disjoint halves from the same noise: how far apart.",
        function="rfsim.theory:split",
        parameters=(
            SAMPLES_PER_DIM.but(help="ψ_n = n/d of each half; 4 unless given."),
            N.but(help="n of each half, instead of --samples-per-dim."),
            DATA,
            *PREPARED,
            COVARIANCE,
            TIME_MAX,
            TIME_MIN,
            *STEPS,
            SAMPLE_RATIOS,
        ),
        page="rfsim.plotting.limit_split:page",
        form=Form(
            variables=variables(
                "direction",
                direction="across population variance mass",
                one="across_all population_all variance_all kappa",
            )
            | variables("sample_ratio", sample_ratio=AGAINST),
            optional=frozenset({"sample_ratio", *AGAINST.split()}),  # results of before have neither
        ),
    )
)
