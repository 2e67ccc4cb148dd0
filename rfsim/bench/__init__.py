"""Measurements of this machine, each beside its floor: operations over the measured rate, in the same run.

Ratios are what to compare between machines and between days; seconds are of this run alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rfsim.bench import distillation, explorer, large, sample, steps, stochastic, sweep, theory
from rfsim.bench.devices import scaling
from rfsim.bench.rows import BenchRow, Case, Distilled, Large, Swept, attainable_rate
from rfsim.checking.text import nearest

__all__ = ["MEASUREMENTS", "BenchRow", "Case", "Distilled", "Large", "Swept", "run", "scaling"]

MEASUREMENTS: dict[str, Callable[[Case], BenchRow]] = {
    "baseline": sample.baseline,
    "stochastic": stochastic.curve,
    "step": stochastic.step,
    "step-float32": stochastic.single_step,
    "moments": sample.moments,
    "times": sample.times,
    "curve": sample.curve,
    "curve-auto": sample.chosen,
    "krylov": sample.krylov,
    "theory-process": theory.process,
    "theory-spectrum": theory.spectrum,
    "theory-curves": theory.curves,
    "theory-wide-curves": theory.wide_curves,
    "theory-generated": theory.generated,
    "theory-map": theory.diagram,
    "theory-leakage": steps.leaked,
    "theory-gamma-star": steps.enough,
    "theory-students": steps.students,
    "large-spectrum": large.spectrum,
    "large-curve": large.curve,
    "large-krylov": large.krylov,
    "large-lanczos": large.lanczos,
    "distillation": distillation.whole,
    "distillation-methods": distillation.methods,
    "distillation-moments": distillation.moments,
    "sweep-plane": sweep.plane,
    "sweep-gamma-star": sweep.enough,
    "sweep-overhead": sweep.overhead,
    "sweep-workers": sweep.workers,
    "sweep-planning": sweep.planning,
    "explorer-redraw": explorer.redraw,
}

# by the rows of one run, measured anew in the next
SHARED = (
    attainable_rate,
    sample.curve_seconds,
    sample.decomposition_seconds,
    sample.descent_steps,
    stochastic.step_seconds,
)


def run(names: Sequence[str] = (), case: Case | None = None) -> Iterator[BenchRow]:
    """Measure this machine, each measurement beside its floor.

    Args:
        names: Of measurements; all by default.
        case: The problem that is measured.

    Yields:
        A row for each, as it ends.

    Raises:
        ValueError: For an unknown name.
    """
    for name in names:
        if name not in MEASUREMENTS:
            known = ", ".join(MEASUREMENTS)
            raise ValueError(f"unknown measurement {name!r}; choose among {known}{nearest(name, MEASUREMENTS)}")
    for shared in SHARED:
        shared.cache_clear()
    for name, measure in MEASUREMENTS.items():
        if not names or name in names:
            yield measure(case or Case())
