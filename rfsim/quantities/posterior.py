"""`rfsim.posterior`: samples beside noise-free inputs, against the law of x given y."""

from __future__ import annotations

from rfsim.quantities.distill import LEVELS, MEASURED, PATH, REGRESSION
from rfsim.quantities.forms import CONSTANTS, Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import CONDITION, DATA, DIFFUSION_TIME, HELD_OUT, SAMPLE, TRAIN_TIMES
from rfsim.quantities.registry import Cells, Quantity, register

TOLD = DATA.but(
    help="condition:SNR@PER_DIM: inputs y of d_y = PER_DIM · d beside x_t; or, with --condition, a .npy, .npz "
    "(FILE.npz:KEY), .csv, .tsv or .txt file (or .csv.gz) of shape (samples, dimensions).",
)
SAMPLER = next(one for one in REGRESSION if one.name == "sampler")
GENERATED = next(one for one in MEASURED if one.name == "generated")
INPUTS = Parameter(
    name="inputs",
    help="How many inputs y to sample beside: of fresh points, or of rows held out.",
    hint=int,
    least=1,
    default=32,
)
ERRORS = "mean_error predictive_variance mean_distance calibration"
TRUTH = "true_predictive_variance steps_mean_error steps_predictive_variance"

POSTERIOR = register(
    Quantity(
        name="posterior",
        help="Samples beside noise-free inputs: how far from the posterior.",
        function="rfsim.sampled.posterior:posterior",
        parameters=(
            # rows that play the population have no inputs of their own
            *(TOLD if one is DATA else one for one in SAMPLE if one not in (DIFFUSION_TIME, HELD_OUT)),
            CONDITION,
            TRAIN_TIMES.but(help=TRAIN_TIMES.help.partition(" Figures")[0], drawn=""),
            *(one.but(shapes=False) for one in LEVELS),
            PATH,
            SAMPLER.but(help="Steps from T down to ε.", choices=("ddim", "euler", "heun"), default="ddim"),
            INPUTS,
            GENERATED.but(help="Samples generated beside each of them.", default=32),
        ),
        cells=Cells(
            decompositions="rfsim.sweeps.costs:ladders",
            needed_bytes="rfsim.sweeps.costs:posterior_bytes",
        ),
        page="rfsim.plotting.posterior:page",
        form=Form(
            variables=CONSTANTS | variables("seed", "train_time", seed__train_time=ERRORS, one=TRUTH),
            optional=frozenset({*TRUTH.split(), "mean_error"}),
        ),
    )
)
