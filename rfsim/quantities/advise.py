"""`rfsim.advise`: what to do with data, as a page of answers that each name the command behind them."""

from __future__ import annotations

from rfsim.checking.lists import LISTED
from rfsim.quantities.forms import Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import COVARIANCE, DIFFUSION_TIME, LIMIT, SAMPLES_PER_DIM, SEED, SEEDS, N
from rfsim.quantities.registry import Answer, Quantity, register

DIFFUSION_TIMES = Parameter(
    name="diffusion_times",
    words="diffusion time",
    symbol="t",
    help=f"Diffusion times t to advise on, {LISTED}.",
    hint=tuple[float, ...],
    makes="diffusion_time",
    default=(0.1,),
)
RATE = Parameter(
    name="rate",
    symbol="η",
    help="Rate of the optimizer whose steps are counted; half of the largest stable one of sgd unless given.",
    default=None,
)
OWN = {
    "samples_per_dim": SAMPLES_PER_DIM.but(help="ψ_n = n/d; that of all rows of data, 4 where they have none."),
    "n": N.but(help="n, instead of --samples-per-dim; the rows of data unless given.", of_rows=True),
}

register(
    Quantity(
        name="advise",
        help="When to stop, which ridge, how many samples: answers for your data, and whether to trust them.",
        function="rfsim.sampled.advise:advise",
        parameters=(
            *(OWN.get(one.name, one) for one in LIMIT if one is not DIFFUSION_TIME),
            COVARIANCE,
            DIFFUSION_TIMES,
            RATE,
            SEED,
            SEEDS.but(help="Number of seeds of the samples beside the limit.", default=2),
        ),
        answer=Answer(
            json="rfsim.cli.advise_answers:answer",
            lines="rfsim.cli.advise_answers:lines",
            failed="rfsim.cli.plain_answers:failed",
        ),
        page="rfsim.plotting.advice:page",
        form=Form(
            variables=variables("diffusion_time", "train_time", "question")
            | variables(diffusion_time__question="value error")
            | variables(diffusion_time__train_time="train test check_test sample_test sample_test_error"),
            json={"answers": list},
        ),
    )
)
