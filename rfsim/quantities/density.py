"""`rfsim.density`: the spectral density of a U that is only multiplied."""

from __future__ import annotations

from rfsim.quantities.forms import CONSTANTS, Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import MODEL, RIDGE, SAMPLE
from rfsim.quantities.registry import Cells, Quantity, register

PROBES = Parameter(
    name="probes", help="Random vectors that U is multiplied with.", hint=int, least=2, default=32, shapes=True
)
STEPS = Parameter(name="steps", help="Products with U of each of them.", hint=int, least=1, default=50, shapes=True)

DENSITY = register(
    Quantity(
        name="density",
        help="Spectral density of a U too large for its eigenvalues, by stochastic Lanczos quadrature.",
        function="rfsim.sampled.density:density",
        parameters=(*(one for one in SAMPLE if one is not RIDGE), PROBES, STEPS, MODEL.but(default="gaussian")),
        command=False,
        speaks_of_parts=True,
        cells=Cells(
            computes="rfsim.sweeps.sampled:density",
            needed_bytes="rfsim.sweeps.costs:density_bytes",
            sizes="rfsim.sweeps.costs:probes",
            refuses="rfsim.sweeps.refused:method",
        ),
        page="rfsim.plotting.pages:density",
        form=Form(
            variables=CONSTANTS
            | variables("seed", "part", "eigenvalue", seed__eigenvalue="density", seed__part="mass mass_error")
            | variables(seed__probe__step="node weight node_residual", part="mass_from mass_to", one="density_width"),
            optional=frozenset({"mass_error", "mass_from", "mass_to", "density_width"}),
        ),
    )
)
