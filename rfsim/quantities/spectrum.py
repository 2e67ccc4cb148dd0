"""`rfsim.spectrum`: every eigenvalue of the sampled U."""

from __future__ import annotations

from rfsim.quantities.forms import SPECTRUM, Form
from rfsim.quantities.parameters import CONDITION, MODEL, MOMENTS, RIDGE, SAMPLE
from rfsim.quantities.registry import Answer, Cells, Quantity, register

register(
    Quantity(
        name="spectrum",
        help="Eigenvalues of U and its parts.",
        function="rfsim.sampled.spectrum:spectrum",
        # U has no ridge; the flag says how exact U is asked for
        parameters=(*(one.but(swept=False) if one is RIDGE else one for one in SAMPLE), CONDITION, MODEL, MOMENTS),
        speaks_of_parts=True,
        answer=Answer(
            json="rfsim.cli.answers:spectrum_answer",
            lines="rfsim.cli.answers:spectrum_lines",
            failed="rfsim.cli.answers:failed_parts",
        ),
        cells=Cells(
            decompositions="rfsim.sweeps.costs:spectra",
            needed_bytes="rfsim.sweeps.costs:spectrum_bytes",
            sizes="rfsim.sweeps.costs:features",
            refuses="rfsim.sweeps.refused:method",
        ),
        page="rfsim.plotting.pages:spectrum",
        form=Form(variables=SPECTRUM),
    )
)
