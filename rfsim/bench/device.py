"""What a first run on an accelerator is worth: its tests, its numbers against those of a CPU, its rates, as one report.

The numbers stand in device.json, written on a CPU by the command that stands beside them. They are told apart by more
than TOLERANCE of the largest of their kind. What a run cannot do is told by name, and the rest goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

import rfsim
from rfsim.bench.rows import Case, attainable_rate, multiplications
from rfsim.bench.sample import averaged, drawn
from rfsim.computing import machine
from rfsim.computing.precision import in_float64
from rfsim.sample.moments import Moments
from rfsim.sample.spectra.eigen import eigh

STORED = Path(__file__).with_name("device.json")
TOLERANCE = 1e-10
TESTS = Path("tests/test_gpu.py")
TESTED_SECONDS = 240
TWICE = 30  # seconds: what took longer is not run again to leave its compilation out
TRUNCATED = 1e-12  # of U's orders: far below what is told apart, so that their number is no matter
PROBES = 4
TIMES = np.geomspace(1e-1, 1e7, 41)
Told: TypeAlias = Callable[[str], object]


class Size(NamedTuple):
    """What is computed. case: of moments, decomposition, curve and steps; the rest of the distillation."""

    case: Case
    levels: int = 2
    draws: str = "4p"
    generated: int = 100
    steps: int = 100


SIZES = {"full": Size(Case()), "small": Size(Case(dim=20, samples=20, features=400, diffusion_time=1.0))}


class Part(NamedTuple):
    """What a part found. values: by quantity; operations: of its products, where they are counted."""

    values: dict[str, NDArray[np.float64]]
    operations: float | None = None


class Work:
    """The parts of one size, in their order; U is held between two of them."""

    def __init__(self, size: Size) -> None:
        self.size, self.case = size, size.case

    @property
    def parts(self) -> dict[str, Callable[[], Part]]:
        """All of them, by name."""
        return {
            "moments": self.moments,
            "decomposition": self.decomposition,
            "curve": self.curve,
            "simulate": self.simulate,
            "distill": self.distill,
        }

    @cached_property
    def _second(self) -> Moments:
        return self._averaged()

    def _averaged(self) -> Moments:
        return jax.block_until_ready(averaged(self.case, floor=TRUNCATED / 1e-6))

    def moments(self) -> Part:
        """U and V seen from random directions, averaged to rounding."""
        found = self._second = self._averaged()
        _, n, p = drawn(self.case).sizes
        probes = jnp.asarray(np.random.default_rng(0).standard_normal((p, PROBES)) / np.sqrt(p))
        values = {"U": probes.T @ found.second @ probes, "V": probes.T @ found.noise, "trace": jnp.trace(found.second)}
        return Part(_plain(values), found.orders * multiplications(p, n, p))

    def decomposition(self) -> Part:
        """Eigenvalues of U, and how well its eigenvectors make it again."""
        second = self._second.second
        lam, vectors = eigh(second)
        remade = jnp.abs((vectors * lam) @ vectors.T - second).max()
        picked = np.linspace(0, len(second) - 1, 65).astype(int)
        # what is not made again is told beside 1, the size of U's largest entries
        return Part(_plain({"eigenvalues": lam[picked], "remade": 1 + remade}))

    def curve(self) -> Part:
        """Losses by the Krylov route, with the numbers of orders and of blocks, which tell why they differ."""
        found = rfsim.train(self.case.problem, TIMES, dim=self.case.dim, route="krylov")
        return Part(_plain({name: found[name].values for name in ("train", "test", "score", "orders", "blocks")}))

    def simulate(self) -> Part:
        """Losses of steps with fresh noise over all points."""
        found = rfsim.simulate(self.case.problem, steps=self.size.steps, dim=self.case.dim, noise="fresh", exact=False)
        return Part(_plain({name: found[name].values for name in ("train", "test", "rate")}))

    def distill(self) -> Part:
        """Energies, suppression and leakage of teacher and students."""
        problem = self.case.problem
        found = rfsim.distill(
            rfsim.Problem(problem.samples_per_dim, problem.features_per_dim),
            [10.0, 1e3, 1e5],
            dim=self.case.dim,
            levels=self.size.levels,
            time_min=problem.diffusion_time,
            draws=self.size.draws,
            generated=self.size.generated,
        )
        return Part(_plain({name: found[name].values for name in ("teacher_energy", "student_energy", "leakage")}))


@in_float64
def run(name: str, tell: Told, *, record: bool = False, only: tuple[str, ...] = ()) -> tuple[dict[str, Any], list[str]]:
    """Compute the parts of a size, and hold them against the stored numbers or store them.

    Args:
        name: Of the size, "full" or "small".
        tell: Hears of each part as it ends.
        record: Store what is computed, in the place of holding it against what is stored.
        only: Names of parts; all by default.

    Returns:
        The report, and a line for each quantity that deviates and each part that failed.
    """
    work, stored = Work(SIZES[name]), _stored().get(name, {})
    report: dict[str, Any] = {"size": work.case.size, "tolerance": TOLERANCE}
    wrong: list[str] = []
    if not record and not only:
        report["tests"] = tests()
        wrong += [f"tests: {report['tests']['said']}"] if report["tests"]["status"] else []
    report |= {"device": machine.devices(), "versions": machine.versions(), "against": stored.get("written", {})}
    rate = attainable_rate("float64")
    report |= {"attainable": rate, "parts": {}}
    for part, compute in work.parts.items():
        if only and part not in only:
            continue
        try:
            found, seconds = _timed(compute, once=record)
        except Exception as error:  # whatever it is: it is told, and the next part may do
            said = f"{type(error).__name__}: {error}".partition("\n")[0]
            report["parts"][part] = {"failed": said}
            wrong.append(f"{part}: {said}")
            tell(wrong[-1])
            continue
        row = report["parts"][part] = {"seconds": seconds, "peak_memory": machine.peak_memory()}
        if found.operations is not None:
            row |= {"achieved": found.operations / seconds, "share": found.operations / seconds / rate}
        if record:
            _store(name, part, found)
        else:
            row["deviation"], lines = deviations(part, found, stored.get("values", {}).get(part), name)
            wrong += lines
        tell(f"{part}: {seconds:.3g} s")
    return report, wrong


def deviations(
    part: str, found: Part, stored: Mapping[str, ArrayLike] | None, size: str
) -> tuple[dict[str, float], list[str]]:
    """By quantity, the largest difference from what is stored over the largest of that; a line for each too large."""
    if stored is None:
        return {}, [f"{part}: no numbers are stored; write them on a CPU: {_command(size, part)}"]
    apart: dict[str, float] = {}
    lines = []
    for name, values in found.values.items():
        before = np.asarray(stored.get(name, []), dtype=float)
        if before.shape != values.shape or (np.isnan(before) != np.isnan(values)).any():
            lines.append(f"{part} {name}: has not the shape or not the gaps of what is stored")
            continue
        known = ~np.isnan(before)
        scale, most = (np.max(np.abs(one), where=known, initial=0.0) for one in (before, values - before))
        apart[name] = float(most) / (float(scale) or 1.0)
        if not apart[name] <= TOLERANCE:
            lines.append(f"{part} {name}: deviates by {apart[name]:.1e} of its largest, {TOLERANCE:g} is allowed")
    return apart, lines


def tests() -> dict[str, Any]:
    """The tests of a GPU, in a process of their own that leaves the device's memory to this one: status and last line.

    Before this process asks for the device: it would hold most of it.
    """
    root = Path(rfsim.__file__).resolve().parents[1]
    if not (root / TESTS).exists():
        return {"status": 0, "said": f"{TESTS} is not there: they are part of the source alone"}
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-m", "gpu", "-p", "no:cacheprovider", str(TESTS)]
    started = time.perf_counter()
    environment = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, check=False, capture_output=True, text=True, timeout=TESTED_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"status": 1, "said": f"not done after {TESTED_SECONDS} s"}
    *_, said = ["nothing was said", *(done.stdout or done.stderr).strip().splitlines()]
    return {"status": done.returncode, "said": said, "seconds": time.perf_counter() - started}


def _timed(compute: Callable[[], Part], *, once: bool) -> tuple[Part, float]:
    """What a part finds, and its seconds; without those of compiling where that costs little."""
    for again in (False, True):
        started = time.perf_counter()
        found = compute()
        seconds = time.perf_counter() - started
        if once or again or seconds > TWICE:
            break
    return found, seconds


def _plain(values: Mapping[str, ArrayLike | jax.Array]) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(value, dtype=float) for name, value in values.items()}


def _stored() -> dict[str, Any]:
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}


def _command(size: str, part: str) -> str:
    return f"python -m rfsim.bench --device --size {size} --record {part}"


def _store(size: str, part: str, found: Part) -> None:
    """Put a part's numbers into the file: every part as it ends, for they take minutes."""
    whole = _stored()
    mine = whole.setdefault(size, {"written": {}, "values": {}})
    mine["written"][part] = {"by": _command(size, part), "device": machine.devices()[0], **_packages()}
    mine["values"][part] = {name: values.tolist() for name, values in found.values.items()}
    STORED.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def _packages() -> dict[str, str]:
    return {name: machine.versions()[name] for name in ("rfsim", "jax", "numpy")}
