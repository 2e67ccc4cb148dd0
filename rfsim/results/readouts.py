"""Read-outs that a result keeps, and the features they read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.computing.machine import require_memory
from rfsim.problem.realization import instance
from rfsim.results.runs import Run
from rfsim.sample.spectra import SampleSpectrum
from rfsim.sample.spectra.readouts import readout


def require_readouts(run: Run, count: int) -> None:
    """Raise MemoryError where `count` read-outs of every seed, and the features, do not fit into memory."""
    d, _, p = (float(size) for size in run.sizes)
    require_memory(8 * len(run.seeds) * (count + 1) * d * p, f"keeping {count} read-outs of {p:.12g} features")


def trained_readouts(run: Run, spectrum: SampleSpectrum, filtered: Numbers) -> NDArray[np.float64]:
    """Ā of filters at the eigenvalues, (times, features), with the spectrum's eigenvectors: (times, dim, features)."""
    source, basis = spectrum.sources[0], spectrum.basis
    return np.stack([np.asarray(readout(source, basis, values, run.delta)) for values in filtered])


def kept(run: Run, number: int, readouts: NDArray[np.float64]) -> dict[str, Any]:
    """Read-outs (…, dim, features) of the seed of this number, its features W, and what is taken off σ."""
    draw = instance(run.problem, run.origin, run.sizes, run.seeds[number])
    dims = (*(["train_time"] if readouts.ndim == 3 else []), "component", "neuron")
    return {
        "readout": (dims, readouts, {"long_name": "read-outs Ā"}),
        "weights": (("neuron", "component"), draw.weights, {"long_name": "features W"}),
        "offset": ((), draw.sigma.offset, {"long_name": "mean of σ that is taken off"}),
    }
