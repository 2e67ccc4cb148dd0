"""What the second tab asks of `rfsim.distill`: two systems, each for all ridges and distillation times at once.

In the plane (d = 2) samples can be looked at. There gen has two directions alone, so that the transfer between parts
and the leakage are those of a second system of twenty dimensions, taught and distilled in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import xarray as xr

from rfsim.disk import content, provenance, store
from rfsim.problem.model import Problem
from rfsim.sampled.distill import distill

RIDGES = (0.0, 0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 10.0)  # of the student, and of the leakage
DISTILL_TIMES = (1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6)
SAMPLES = (10, 20, 40)
TEACHER_TIMES = (1e2, 1e4, 1e8)
PARAMETERIZATIONS = ("ddim", "edm")
GENERATED = 500

# sin at a scale of data of 8: features that resolve single points of the plane
PLANE = {"features_per_dim": 100.0, "activation": "sine", "data": "isotropic:64"}
# float64 does not resolve the least eigenvalues of features of the plane, which the ridge takes the place of
PLANE_OPTIONS = {"dim": 2, "levels": 10, "time_min": 0.02, "time_max": 3.5, "teacher_ridge": 1e-5}
CROSSED = {"samples_per_dim": 4.0, "features_per_dim": 16.0}
CROSSED_OPTIONS = {"dim": 20, "levels": 4, "time_min": 0.025, "time_max": 0.4, "teacher_ridge": 0.0}


class DistillationChoice(NamedTuple):
    """What the tab shows.

    Attributes:
        ridge: γ of the student.
        distill_time: τ_S.
        samples: n of the plane.
        teacher_time: τ of the teacher.
        parameterization: Of the student.
        level: At which the transfer arrives.
    """

    ridge: float
    distill_time: float
    samples: int
    teacher_time: float
    parameterization: str
    level: int


class Request(NamedTuple):
    """One call of `rfsim.distill`: fields of its problem, and its options, as plain data."""

    problem: Mapping[str, Any]
    options: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The canonical text of everything asked for."""
        return store.canonical(self._asdict())

    @classmethod
    def of(cls, key: str) -> Request:
        """What a key asks for."""
        return cls(**json.loads(key))

    def name(self) -> str:
        """Of the file that keeps the result: another for other code."""
        code = provenance.of_module(distill.__module__)  # known since the tab was prepared, before there were threads
        return content.of_text(f"{self.key} {code}")[:24]

    def run(self, report: Callable[[str, Mapping[str, Any]], None] | None = None) -> xr.Dataset:
        """The result; raises what `rfsim.distill` raises."""
        return distill(Problem(**self.problem), **self.options, report=report)

    @property
    def steps(self) -> int:
        """How often `run` reports."""
        return 2 * self.options["levels"] + 2


def plane(choice: DistillationChoice) -> Request:
    """Teacher and students in two dimensions, with their samples."""
    return _request(
        choice, PLANE | {"samples_per_dim": choice.samples / 2}, PLANE_OPTIONS, generated=GENERATED, samples=GENERATED
    )


def crossed(choice: DistillationChoice) -> Request:
    """What levels hand up between their parts, in twenty dimensions."""
    return _request(choice, CROSSED, CROSSED_OPTIONS, generated=16, transfer=True)  # samples are not looked at


def _request(
    choice: DistillationChoice, problem: Mapping[str, Any], options: Mapping[str, Any], **more: Any
) -> Request:
    shared = {
        "distill_times": list(DISTILL_TIMES),
        "teacher_time": choice.teacher_time,
        "variants": [{"ridge": ridge} for ridge in RIDGES],
        "parameterization": choice.parameterization,
        "leakage_ridges": list(RIDGES),
    }
    return Request(problem, {**options, **shared, **more})
