"""`rfsim.train`: losses and timescales of training on a sample."""

from __future__ import annotations

from dataclasses import replace

from rfsim.quantities.forms import (
    CLASS_LOSSES,
    CLASS_TIMES,
    CLASSES,
    CONSTANTS,
    KEPT,
    LEARNED,
    LOSSES,
    ROUTES,
    SPECTRUM,
    Form,
    variables,
)
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import (
    BY_PART,
    CONDITION,
    GIVEN,
    KEEP_WEIGHTS,
    LABELS,
    MODEL,
    MOMENTS,
    SAMPLE,
    TRAIN_TIMES,
    TRAINER,
)
from rfsim.quantities.registry import FORMS, PAGES, Answer, Cells, Quantity, register

ROUTE = Parameter(
    name="route",
    help="dense: every eigenvalue; krylov: the same losses, faster, without parts; auto: dense, for what parts tell.",
    about="dense: every eigenvalue; krylov: the same losses, faster, without parts; auto: the faster that gives what "
    "is asked for.",
    hint=str,
    choices=("auto", "dense", "krylov"),
    default="auto",
)
FRESH_NOISE = Parameter(
    name="fresh_noise",
    help="Also what fresh noise in the place of the frozen copies gives.",
    hint=bool,
    default=False,
    flagged=False,
)
BY_CLASS = CLASSES | variables(seed__class__train_time=CLASS_LOSSES, seed__class=CLASS_TIMES)

TRAIN = register(
    Quantity(
        name="train",
        help="Losses and timescales of training, in closed form.",
        function="rfsim.sampled.train:train",
        parameters=(
            *SAMPLE,
            CONDITION,
            LABELS,
            MODEL,
            MOMENTS,
            TRAIN_TIMES,
            ROUTE,
            TRAINER,
            BY_PART,
            FRESH_NOISE,
            KEEP_WEIGHTS,
        ),
        kept={"route": "dense"},
        speaks_of_parts=True,
        answer=Answer(
            json="rfsim.cli.answers:train_answer",
            lines="rfsim.cli.answers:train_lines",
            failed="rfsim.cli.answers:failed_parts",
        ),
        cells=Cells(
            computes="rfsim.sweeps.sampled:train",
            together=("ridge", "trainer"),
            decompositions="rfsim.sweeps.costs:spectra",
            needed_bytes="rfsim.sweeps.costs:train_bytes",
            sizes="rfsim.sweeps.costs:features",
            refuses="rfsim.sweeps.refused:method",
        ),
        page="rfsim.plotting.pages:train",
        form=Form(
            variables=SPECTRUM
            | ROUTES
            | KEPT
            | variables(seed__train_time__component__neuron="readout")
            | variables("train_time", seed__train_time=f"{LOSSES} cross", train_time="bias2 variance")
            | variables(seed__part__train_time="energy", seed__gen_route="tau_gen", seed__mem_route="tau_mem")
            | variables(seed__train_time=GIVEN)
            | BY_CLASS,
            optional=frozenset(
                {*SPECTRUM, *BY_CLASS, *GIVEN.split(), *KEPT, "readout", "train_penalized", "emp", "energy"}
                - {*CONSTANTS, "residual", "seed"}
            ),
        ),
    )
)

PAGES["train-ridges"] = "rfsim.plotting.several:train_ridges"
FORMS["train-ridges"] = replace(
    FORMS["train"],
    variables={
        name: ("ridge", *dims) if LEARNED.intersection(dims) and name not in (*LEARNED, *CLASSES, "steps") else dims
        for name, dims in FORMS["train"].variables.items()
    }
    | variables("ridge"),
)
