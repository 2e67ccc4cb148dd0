"""A quantity that is declared here alone: waves in the limit, by two parameters of its own."""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim.problem.model import require_ridge
from rfsim.quantities.catalog import Quantity
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import LIMIT
from rfsim.theory.run import LimitRun


def not_negative(value, name):
    require_ridge(name, value)


WAVELENGTHS = Parameter(
    name="wavelengths",
    words="wavelength",
    symbol="ℓ",
    unit="cm",
    help="Wavelengths ℓ.",
    hint=tuple[float, ...],
    makes="wavelength",
    default=(1.0, 2.0, 200.0),
)
DAMPING = Parameter(
    name="wave_damping",
    words="damping of the waves",
    symbol="δ",
    unit="1/s",
    help="Damping δ of the waves.",
    default=0.5,
    check=not_negative,
)


def waves(problem, *, wavelengths=(1.0, 2.0, 200.0), wave_damping=0.5, array=None, center=True, scale="global",
          report=None, begin=None):  # fmt: skip
    """Heights e^{−δℓ} ψ_n of waves."""
    require_ridge("wave_damping", wave_damping)
    run = LimitRun(problem, array=array, center=center, scale=scale)
    extra = {"wavelengths": list(wavelengths), "wave_damping": wave_damping}
    run.begin(begin, extra)
    if report:
        report("waves", {})
    ell = np.asarray(wavelengths, dtype=float)
    heights = problem.samples_per_dim * np.exp(-wave_damping * ell)
    data = xr.Dataset(
        {
            "height": ("wavelength", heights, {"long_name": "height of a wave", "units": "m"}),
            "highest": ((), heights.max(), {"long_name": "highest wave", "units": "m"}),
        },
        coords={"wavelength": ell},
    )
    return run.label("tide-waves", data, extra)


WAVES = Quantity(
    name="tide.waves",
    help="Heights of waves.",
    function="tests.quantities.toys:waves",
    parameters=(*LIMIT, WAVELENGTHS, DAMPING),
)
