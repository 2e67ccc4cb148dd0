"""Features divided over devices: what each of them holds of U and of a training step falls as 1/K.

Claim [ours]: with the features divided over K devices no device holds more than its share: its rows of U, and of a step
its rows of W, its columns of the weights and the features of its own at every draw; only the draws of a batch, n × d
numbers, are on all of them. What comes out is what one device gives (tests hold it to 1e-10).

Here: tanh, isotropic data, t = 0.1, ψ_n = 4, ψ_p = 64, full batches with fresh noise. Without as many accelerators
the devices are virtual, parts of one CPU in one process, which shows what each holds and, by the time, what dividing
costs; no speed of real devices can be read off it.
"""

from __future__ import annotations

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"devices": "ours: bytes and seconds over devices, virtual ones where there are no others"}
SECONDS = {"quick": 30, "paper": 120}

DIM = {"quick": 40, "paper": 100}
FEATURES_PER_DIM = 64  # wide: at 16 and d = 40 the draws of a batch are more than an eighth of what a step holds
DEVICES = (1, 2, 4, 8)


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=4, features_per_dim=FEATURES_PER_DIM)
    return [Cell("scaling", "bench.scaling", problem, {"devices": DEVICES, "dim": DIM[size]})]


def held(results: Results) -> Judgment:
    result = results["scaling"]
    last = int(result.devices[-1])
    second, step = (float(result[f"{name}_held"][-1] / result[f"{name}_held"][0]) for name in ("second", "step"))
    words = f"on {last} devices each holds {second:.4f} of U and {step:.4f} of what a step holds on one"
    virtual = f"; {int(result.virtual.sum())} of {result.devices.size} runs on virtual devices"
    return Judgment(words + virtual, None, decide(abs(second * last - 1) < 1e-9 and step * last < 1.5))


CLAIMS = [
    Claim(
        "ours-devices-held",
        "each of K devices holds 1/K of U, and of a step at most half more than 1/K",
        "[ours], by construction",
        "1/8 and at most 1.5/8 on 8 devices",
        held,
    )
]
