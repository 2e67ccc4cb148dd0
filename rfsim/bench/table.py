"""The rows of one run as a table in Markdown: what the documentation shows, written on a quiet machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rfsim.bench.rows import BenchRow, attainable_rate
from rfsim.computing import machine

HEAD = ("measurement", "size", "seconds", "times", "its floor", "GFLOP/s", "peak memory")


def table(rows: Iterable[BenchRow]) -> str:
    """A line of the machine and its rates, and a row for each measurement.

    Args:
        rows: Of one run.

    Returns:
        The text.
    """
    lines = [_cells(HEAD), _cells(["---"] * len(HEAD)), *(_cells(_row(one)) for one in rows)]
    return "\n".join([*_machine(), "", *lines])


def _machine() -> Iterator[str]:
    versions = machine.versions()
    rates = ", ".join(f"{attainable_rate(one) / 1e9:.3g} GFLOP/s in {one}" for one in ("float64", "float32"))
    yield f"{', '.join(machine.devices())}, {machine.threads()} threads; one large product: {rates}."
    yield ", ".join(f"{name} {versions[name]}" for name in ("rfsim", "python", "jax", "numpy")) + "."


def _row(one: BenchRow) -> list[str]:
    rate = f"{one.achieved / 1e9:.3g} of {one.attainable / 1e9:.3g}" if one.achieved and one.attainable else ""
    ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
    return [
        one.name,
        one.size,
        f"{one.seconds:.3g}",
        ratio,
        one.against,
        rate,
        f"{one.peak_memory / machine.GIB:.2f} GiB",
    ]


def _cells(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"
