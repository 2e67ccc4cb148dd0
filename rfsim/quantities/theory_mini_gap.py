"""`rfsim.theory.mini_gap`: the width at which a gap splits mini off main."""

from __future__ import annotations

from rfsim.quantities.forms import CONSTANTS, Form, variables
from rfsim.quantities.parameters import COVARIANCE, FEATURES_PER_DIM, LIMIT, RIDGE, TOLERANCE, P
from rfsim.quantities.registry import Quantity, register

register(
    Quantity(
        name="theory.mini_gap",
        help="Features per dimension at which a gap splits mini off main.",
        function="rfsim.theory:mini_gap",
        parameters=(
            *(one for one in LIMIT if one not in (RIDGE, FEATURES_PER_DIM, P)),
            COVARIANCE,
            TOLERANCE.but(help="Relative accuracy of the opening.", default=1e-3),
        ),
        command=False,
        page=None,
        over={"samples_per_dim": "samples_per_dim", "diffusion_time": "diffusion_times"},
        form=Form(
            variables=CONSTANTS
            | variables("diffusion_time", "samples_per_dim", diffusion_time__samples_per_dim="opening opening_large"),
        ),
    )
)
