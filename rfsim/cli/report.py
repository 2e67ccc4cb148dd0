"""What `reproduce` and `bench` say: the list of figures, the estimate, the verdicts, the rows of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rfsim import bench, reproduce
from rfsim.cli import answers
from rfsim.cli.answers import table
from rfsim.computing import machine
from rfsim.reproduce import report
from rfsim.reproduce.report import ledger, texts
from rfsim.reproduce.report.parts import reasons
from rfsim.reproduce.report.verdicts import UNDECIDED

Selected = Sequence[tuple[reproduce.Experiment, list[str]]]


def listing(root: Path, selected: Selected) -> list[str]:
    """Every figure: whether it is of the core, its source, the time of each size, and which sizes are stored."""
    rows = [["figure", "core", *(f"{size}" for size in reproduce.SIZES), "stored", "source"]]
    for experiment, figures in selected:
        missing = {size: reproduce.remaining_seconds(root, experiment, size) for size in reproduce.SIZES}
        stored = ", ".join(size for size, seconds in missing.items() if seconds == 0) or "-"
        times = [texts.duration(experiment.seconds(size)) for size in reproduce.SIZES]
        core = "core" if experiment.core else "-"
        rows += [[name, core, *times, stored, experiment.figures[name]] for name in figures]
    return table(rows)


def estimate(root: Path, selected: Selected, size: str) -> list[str]:
    """What is still to compute, before it begins; times were measured on two cores."""
    seconds = {one.name: reproduce.remaining_seconds(root, one, size) for one, _ in selected}
    listed = ", ".join(f"{name} {texts.duration(value)}" for name, value in seconds.items())
    return [f"estimate at size {size}, on two cores: {texts.duration(sum(seconds.values()))} ({listed})"]


def outcome_lines(root: Path, outcome: reproduce.ExperimentOutcome, size: str) -> list[str]:
    """Files drawn, results computed and reused, and every claim with its verdict, or why it has none."""
    lines = [f"{outcome.experiment.name}: {outcome.computed} computed, {outcome.reused} reused"]
    lines += [f"  wrote {path.relative_to(root)}" for path in outcome.files]
    lines += [f"  {path.relative_to(root)} is current" for path in outcome.current]
    undecided = [row.claim for row in outcome.rows if row.judgment.verdict == UNDECIDED]
    why = reasons(root, outcome.experiment, undecided, size)
    frozen = {} if size == ledger.PAPER else ledger.told(root, outcome.experiment)
    for row in outcome.rows:
        error = "" if row.judgment.error is None else f" ± {row.judgment.error:.2g}"
        lines += [
            f"  {row.judgment.verdict.upper()}: {row.claim.claim} [{row.claim.id}]",
            f"    published: {row.claim.published} ({row.claim.source})",
            f"    ours:      {row.judgment.ours}{error}",
            *([f"    but:       {why[row.claim.id]}"] if row.claim.id in why else []),
            *([f"    at paper size: {frozen[row.claim.id]}"] if row.claim.id in frozen else []),
        ]
    return lines


def written(root: Path) -> tuple[str, list[str]]:
    """Write the report of everything stored: what went wrong, if anything, and the lines that say where it lies."""
    try:
        parts, files = report.write(root, answers.SCHEMA)
    except Exception as error:  # a report that fails must not lose what was computed and drawn before it
        return f"{type(error).__name__}: {error}", []
    return "", [texts.count_words(parts), *(f"wrote {path.relative_to(root)}" for path in files)]


def more(selected: Selected, size: str, *, everything: bool) -> list[str]:
    """What else there is to run, after a run without names."""
    lines = [] if everything else ["  rfsim reproduce --all            every figure"]
    if size != "paper":
        flags = " --all" if everything else ""
        seconds = texts.duration(sum(one.seconds("paper") for one, _ in selected))
        lines.append(f"{f'  rfsim reproduce{flags} --size paper':<35}the published sizes, about {seconds}")
    return ["more:", *lines, "  rfsim reproduce NAME ...         by the names of rfsim reproduce --list"]


def bench_line(row: bench.BenchRow) -> str:
    """One measurement on one line."""
    memory = f"{row.peak_memory / machine.GIB:.2f} GiB"
    beside = f"{row.seconds:.4g} s, {row.ratio:.2f} times {row.against}"
    rate = (
        f"{row.achieved / 1e9:.3g} of {row.attainable / 1e9:.3g} GFLOP/s; " if row.achieved and row.attainable else ""
    )
    return f"{row.name}: {beside}; {rate}peak {memory}; {row.size}; {row.device}"
