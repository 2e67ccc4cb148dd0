"""`rfsim.simulate`: stochastic training of a sampled problem, beside the filter that describes its mean."""

from __future__ import annotations

from pathlib import Path

from rfsim.checking.text import whole
from rfsim.quantities.forms import KEPT, Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import KEEP_WEIGHTS, MODEL, MOMENTS, SAMPLE
from rfsim.quantities.registry import Answer, Cells, Quantity, register


def batch(text: str) -> int | str:
    """A number of draws, or full."""
    try:
        return text if text == "full" else whole(text, 1)
    except ValueError as error:
        raise ValueError(f"{error}, or full") from None


OPTIMIZER = (  # what several simulations of one draw may differ by
    Parameter(
        name="optimizer",
        help="An optax optimizer: sgd, adam, …; its settings after a colon, sgd:momentum=0.9.",
        hint=str,
        default="sgd",
    ),
    Parameter(
        name="rate",
        symbol="η",
        help="Rate η; half of the largest stable one of sgd unless given.",
        default=None,
    ),
    Parameter(
        name="batch",
        help="Draws per step, with replacement, or full: every one once.",
        hint=int | str,
        read=batch,
        default="full",
    ),
    Parameter(
        name="noise",
        help="fresh at every step, or frozen: --noise-copies of it; what these imply unless given.",
        hint=str,
        choices=("fresh", "frozen"),
        default=None,
    ),
    Parameter(name="ema", help="Decay per step of a moving average of the weights; 0 for none.", default=0.0),
    Parameter(
        name="precision",
        help="Of weights, features and products in the loop.",
        hint=str,
        choices=("float64", "float32"),
        default="float64",
    ),
    Parameter(
        name="products",
        help="JAX's precision of products, where float32 has several.",
        hint=str,
        choices=("highest", "high", "default"),
        default="highest",
    ),
    Parameter(
        name="schedule",
        help="How the rate goes: constant, or an optax schedule of shares of it, cosine:decay_steps=900, linear, "
        "polynomial or exponential with its settings, and warmup_steps=100 of any.",
        hint=str,
        default="constant",
    ),
)
STEPS = Parameter(name="steps", help="Steps of the optimizer.", hint=int, least=1, default=1000, shapes=True)
MACHINE = (  # how it runs, which changes no result
    Parameter(
        name="devices",
        help="Devices that the features are divided over; 1, or all with --distributed.",
        hint=int,
        least=1,
        default=None,
        swept=False,
    ),
    Parameter(
        name="distributed",
        help="Run as one of several processes: those of Slurm, Open MPI or a TPU pod, or by JAX's variables.",
        hint=bool,
        default=False,
        role="command",
        swept=False,
    ),
)
EXACT = Parameter(
    name="exact",
    help="Leave out the filter's losses, and with them the eigenvalues of U.",
    about="Also the filter's losses, and with them the eigenvalues of U.",
    hint=bool,
    default=True,
    flag="--no-exact",
)
CHECKPOINTS = (
    Parameter(name="checkpoint", help="Folder for the state of the run.", hint=Path, default=None, swept=False),
    Parameter(
        name="resume", help="Go on from the newest checkpoint in that folder.", hint=bool, default=False, swept=False
    ),
    Parameter(name="checkpoint_minutes", help="Minutes from one checkpoint to the next.", default=10.0, swept=False),
)

SIMULATE = register(
    Quantity(
        name="simulate",
        help="Stochastic training, beside the filter that describes its mean.",
        function="rfsim.sampled.simulate:simulate",
        parameters=(
            *SAMPLE,
            *(one.but(swept=False) for one in (MODEL, MOMENTS)),
            *OPTIMIZER[:4],
            STEPS,
            *OPTIMIZER[4:],
            *MACHINE,
            EXACT,
            KEEP_WEIGHTS,
            *CHECKPOINTS,
        ),
        around="rfsim.cli.simulate_run:around",
        answer=Answer(
            json="rfsim.cli.simulate_answers:answer",
            lines="rfsim.cli.simulate_answers:lines",
            failed="rfsim.cli.simulate_answers:failed_parts",
        ),
        cells=Cells(
            computes="rfsim.sweeps.sampled:simulate",
            together=tuple(one.name for one in OPTIMIZER),
            decompositions="rfsim.sweeps.costs:simulations",
            needed_bytes="rfsim.sweeps.costs:simulation_bytes",
            one_by_one=("noise_copies", "batch"),
            sizes="rfsim.sweeps.costs:stops",
            refuses="rfsim.sweeps.refused:simulation",
        ),
        page="rfsim.plotting.pages:simulate",
        form=Form(
            variables=variables("seed", "step", seed__step="train test gen exact_train exact_test", step="train_time")
            | variables(seed="limit rounding", one="rate")
            | KEPT
            | variables(seed__component__neuron="readout"),
            optional=frozenset({*KEPT, "readout"}),
            json={"devices": list, "diverged": dict},
        ),
    )
)
