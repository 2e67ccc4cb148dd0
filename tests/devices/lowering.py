"""Every program that small runs of all quantities compile, lowered for an accelerator that is not there.

Run as `python -m tests.devices.lowering cuda` (or tpu), it prints one line of JSON. What is run is enumerated: every
quantity of the catalog, every choice of its parameters, every activation; what is lowered is what JAX is handed, within
a compiled function or outside of any. Code that asks JAX for its backend hears the accelerator's name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import math
import pkgutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from types import CodeType
from typing import Any
from unittest import mock

import jax
import numpy as np
from jax._src import core  # JAX tells nobody else what it compiles
from jax._src.interpreters import mlir

import rfsim
from rfsim.problem.activations import ACTIVATIONS
from rfsim.quantities.catalog import QUANTITIES, Quantity, resolve
from tests.quantities.test_catalog import FEW, OVER

BACKENDS = {"cuda": "gpu", "tpu": "tpu"}  # by the platform that JAX lowers for, as `jax.default_backend` has it
FACTORED = {
    "cholesky",
    "eig",
    "eigh",
    "geqrf",
    "hessenberg",
    "householder_product",
    "lu",
    "qr",
    "schur",
    "svd",
    "triangular_solve",
    "tridiagonal",
    "tridiagonal_solve",
}


@dataclass
class Lowered:
    """What was lowered. programs: their number; refused: a line for each that the platform does not take.

    host: names of those that ran on the host because code said so; functions: where those compiled begin, as file and
    line, whole programs or parts of one.
    """

    programs: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    host: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


@contextlib.contextmanager
def lowering(platform: str) -> Iterator[Lowered]:
    """Lower for `platform` too whatever is compiled inside, and let code hear that it is the backend."""
    found, lower = Lowered(), mlir.lower_jaxpr_to_module

    def both(name: str, jaxpr: Any, **given: Any) -> Any:
        found.programs += 1
        found.functions |= {place(one) for one in parts(jaxpr.jaxpr)}
        if jax.config.jax_default_device is not None:
            found.host.add(name)
            return lower(name, jaxpr, **given)
        at = f"{name} {place(jaxpr.jaxpr)}".strip()
        try:
            lower(name, jaxpr, **given | {"platforms": (platform,)})
        except Exception as error:  # whatever it is, it is told, and the rest goes on
            found.refused[at] = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        if platform == "tpu" and (why := unemulated(jaxpr.jaxpr)):
            found.refused[at] = ", ".join(sorted(why))
        return lower(name, jaxpr, **given)

    jax.clear_caches()  # what was compiled before would not be seen
    with (
        mock.patch.object(mlir, "lower_jaxpr_to_module", both),
        mock.patch.object(jax, "default_backend", return_value=BACKENDS[platform]),
    ):
        yield found
    jax.clear_caches()


def parts(jaxpr: Any) -> Iterator[Any]:
    """A program and all programs within."""
    yield jaxpr
    for equation in jaxpr.eqns:
        for inner in core.jaxprs_in_params(equation.params):
            yield from parts(inner)


def unemulated(jaxpr: Any) -> set[str]:
    """What of a program must not reach a TPU although it is lowered (`precision.emulates_float64`)."""
    found = set()
    for one in parts(jaxpr):
        variables = [*one.invars, *one.constvars, *(v for equation in one.eqns for v in equation.outvars)]
        found |= {"complex128" for v in variables if _kind(v) == np.complex128}
        for equation in one.eqns:
            name, kinds = equation.primitive.name, {_kind(v) for v in (*equation.invars, *equation.outvars)}
            if np.dtype("float64") in kinds and (name in FACTORED or name == "bitcast_convert_type"):
                found.add(f"{name} in float64")
    return found


def _kind(variable: Any) -> Any:
    return getattr(variable.aval, "dtype", None)


def place(jaxpr: Any) -> str:
    """Where the function of a program begins, "rfsim/…py:line"; nothing where it is none of rfsim's."""
    told = jaxpr.debug_info.func_src_info if jaxpr.debug_info is not None else ""
    return f"rfsim/{told.rpartition('/rfsim/')[2]}" if "/rfsim/" in told else ""


def jitted() -> dict[str, str]:
    """Every function of rfsim that is compiled, wherever it is held, by its place: its name."""
    found, kind = {}, type(jax.jit(len))
    for one in gc.get_objects():
        if type(one) is kind:
            function = one.__wrapped__
            while isinstance(function, partial):
                function = function.func
            code = getattr(function, "__code__", None)
            if isinstance(code, CodeType) and "/rfsim/" in code.co_filename:
                at = f"rfsim/{code.co_filename.rpartition('/rfsim/')[2]}:{code.co_firstlineno}"
                found[at] = function.__qualname__
    return found


APART = ("rfsim.__main__", "rfsim.bench", "rfsim.cli", "rfsim.explorer", "rfsim.plotting")
BASELINE = "rfsim/learning/published.py"  # the loop that `rfsim bench` measures, which is no route of ours
SMALL = rfsim.Problem(samples_per_dim=2, features_per_dim=4)
FROZEN = dataclasses.replace(SMALL, noise_copies=2.0, ridge=0.1)
WIDE = {"theory.generated": {"features_per_dim": math.inf}, "theory.split": {"features_per_dim": 16.0}}  # no others
WIDE["theory.conditions"] = WIDE["theory.split"] | {"data": "condition:4@1"}
WIDE["posterior"] = {"data": "condition:4@1"}
FEW_TIMES = [0.0, 10.0, math.inf]
OF_ROWS = ("center", "scale")  # how rows are read, of which none are given: the same programs once more


def choices(quantity: Quantity) -> Iterator[dict[str, Any]]:
    """What its options say that is not a default, one at a time."""
    yield {}
    for one in quantity.parameters:
        if one.role == "option" and one.name not in OF_ROWS:
            values = one.choices or ((not one.default,) if one.hint is bool else ())
            yield from ({one.name: value} for value in values if value != one.default)


def calls() -> Iterator[tuple[str, Callable[[], object]]]:
    """All that is run, with its name."""
    for name, quantity in QUANTITIES.items():
        function, few = resolve(quantity.function), FEW.get(name, {}) | OVER.get(name, {})
        for chosen in choices(quantity):
            yield (
                f"{name} {chosen}",
                partial(function, dataclasses.replace(SMALL, **WIDE.get(name, {})), **few | chosen),
            )
        frozen = FROZEN if "ridge" in quantity.swept else dataclasses.replace(FROZEN, ridge=0.0)
        yield f"{name} of frozen copies", partial(function, frozen, **few)
    for sigma in ACTIVATIONS:
        bent = dataclasses.replace(SMALL, activation=sigma, ridge=0.1)
        yield f"train with {sigma}", partial(rfsim.train, bent, [1.0], dim=10)
    yield from settings()
    yield from planes()


def settings() -> Iterator[tuple[str, Callable[[], object]]]:
    """Settings that are texts and numbers, of which the catalog has no list."""
    train, distill, simulate = (partial(getattr(rfsim, name), dim=3) for name in ("train", "distill", "simulate"))
    distill, simulate = partial(distill, levels=3, generated=16), partial(simulate, steps=2)
    for trainer in ("descent:0.1", "distillation:10"):
        yield f"train by {trainer}", partial(train, SMALL, FEW_TIMES, trainer=trainer)
        yield f"theory.curves by {trainer}", partial(rfsim.theory.curves, SMALL, FEW_TIMES, trainer=trainer)
    yield "train by Monte Carlo", partial(train, SMALL, FEW_TIMES, moments="montecarlo:20")
    wide, adam = dataclasses.replace(SMALL, features_per_dim=20), {"batch": 4, "optimizer": "adam", "rate": 0.1}
    yield "train by Krylov", partial(rfsim.train, wide, FEW_TIMES, dim=20, route="krylov")
    yield "train on frozen and on fresh noise", partial(train, FROZEN, FEW_TIMES, fresh_noise=True)
    yield "simulate on 2 devices", partial(simulate, SMALL, devices=2)
    yield "simulate frozen copies on 2 devices", partial(simulate, FROZEN, devices=2, **adam)
    yield "simulate with an average", partial(simulate, SMALL, ema=0.5, noise="fresh", batch=4)
    yield "distill by a moving average", partial(distill, SMALL, FEW_TIMES, target="coupled:10")
    methods = "consistency-training", "progressive", "data-free", "endpoint-prior", "self", "hard", "empirical-teacher"
    several = [rfsim.Student(method=one, start="zero", ridge=0.01) for one in methods]
    yield "distill by other methods", partial(distill, SMALL, FEW_TIMES, students=several)
    pushed = [rfsim.Student(method=one) for one in ("matching", "sds", "identity")]
    several = [*pushed, rfsim.Student(method="matching", critic=5)]
    yield "distill by the difference of scores", partial(distill, SMALL, [1e-3], students=several)
    yield "distill to a width of its own", partial(distill, SMALL, FEW_TIMES, student_features_per_dim=3)
    yield "distill with draws", partial(distill, SMALL, FEW_TIMES, draws=64, samples=4)


def planes() -> Iterator[tuple[str, Callable[[], object]]]:
    """What theory and sweeps compute over many cells at once."""
    theory, plane = rfsim.theory, OVER["theory.score_minimum"]
    yield "theory.diagram", partial(theory.diagram, SMALL, **plane, train_times=[10.0])
    yield "theory.ridge_plane", partial(theory.ridge_plane, FROZEN, [4.0, math.inf], [2.0])
    yield "theory.plane_lines", partial(theory.plane_lines, FROZEN)
    yield "theory.distill", partial(theory.distill, SMALL, [0.1, 0.3], distill_times=[10.0])
    for name, quantity in QUANTITIES.items():
        if quantity.cells.together:
            axes = {"samples_per_dim": [2, 3]} | {one: [1.0, 10.0] for one in quantity.lists if one != "leakage_ridges"}
            few = {one: value for one, value in FEW.get(name, {}).items() if one in quantity.swept and one not in axes}
            spec = {"command": name, "problem": {"features_per_dim": 4} | few, "axes": axes}
            yield f"a sweep of {name}", partial(rfsim.sweep, spec)


def load() -> None:
    """Import all that computes, so that `jitted` sees it: commands, figures and pages compile nothing."""
    for one in pkgutil.walk_packages(rfsim.__path__, "rfsim."):
        if not one.name.startswith(APART):
            import_module(one.name)


def main(platform: str) -> None:
    """Print what became of all calls: what is lowered, what was refused, and functions that none of them compiled."""
    refusals = {}
    with lowering(platform) as found:
        for name, call in calls():
            try:
                call()
            except ValueError as error:
                refusals[name] = str(error)
            print(f"{name}: {found.programs} programs by now", file=sys.stderr, flush=True)
    load()
    compiled = {at: name for at, name in jitted().items() if not at.startswith(BASELINE)}
    unseen = {at: name for at, name in compiled.items() if at not in found.functions}
    told = {"programs": found.programs, "refused": found.refused, "host": sorted(found.host)}
    print(json.dumps(told | {"refusals": refusals, "unseen": unseen}))


if __name__ == "__main__":
    main(sys.argv[1])
