"""`rfsim.theory.score_minimum`: the smallest error of the score over all training times."""

from __future__ import annotations

from rfsim.quantities.forms import CONSTANTS, PLANE, Form, variables
from rfsim.quantities.parameters import LIMIT, PREPARED, TOLERANCE
from rfsim.quantities.registry import Cells, Quantity, register

register(
    Quantity(
        name="theory.score_minimum",
        help="Smallest error of the score over all training times.",
        function="rfsim.theory:score_minimum",
        parameters=(*(one for one in LIMIT if one not in PREPARED), TOLERANCE),
        command=False,
        cells=Cells(computes="rfsim.sweeps.limits:score_minimum"),
        page=None,
        over={name: name for name in PLANE},
        form=Form(
            variables=CONSTANTS
            | variables(*PLANE, samples_per_dim__features_per_dim="score final train_time error residual"),
        ),
    )
)
