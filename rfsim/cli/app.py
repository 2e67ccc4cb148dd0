"""The command line: flags in, one public function called, JSON or files out. It computes nothing itself.

Exit status: 0 done; 1 a bug; 2 input refused; 3 parts that failed or did not converge; 130 interrupted. A refusal is
one line on standard error. Commands load JAX, xarray and matplotlib when they run, so that `--help` is fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App

from rfsim import __version__
from rfsim.cli import refusals, settings_file, streams, terminal
from rfsim.cli.commands import attach
from rfsim.cli.explore_app import explore
from rfsim.cli.flags import PARTS, FigureFlags, SweepFlags, folder_flag, switch, text_flag
from rfsim.cli.reproduce_app import claims, reproduce
from rfsim.cli.statuses import DONE, UNCONVERGED
from rfsim.cli.sweep_app import complete, sweep
from rfsim.computing import interrupts

FIGURE, SWEEP = FigureFlags(), SweepFlags()
Shell = Literal["bash", "zsh", "fish"]

app = App(
    name="rfsim",
    version=__version__,
    help="Random-feature score models: how they learn, memorize and are distilled.",
    help_on_error=False,
    suppress_keyboard_interrupt=False,
)
attach(app)
app.command(sweep)
app.command(explore)
app.command(reproduce)
app.command(claims)
app.config = (partial(settings_file.apply, app),)  # it has to know every command


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command (of `sys.argv` unless `argv` is given) and return its exit status; a bug's exception passes."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    attach(app)  # what was registered since
    with streams.prepared(), terminal.libraries():
        return refusals.status(
            lambda: app(arguments, exit_on_error=False, print_error=False, verbose=False, result_action="return_value")
        )


@app.command
def plot(
    file: str,
    /,
    *,
    sweep: SweepFlags = SWEEP,
    figure: FigureFlags = FIGURE,
    out: Annotated[Path | None, folder_flag("Folder for the figures; that of FILE.")] = None,
    force: Annotated[bool, switch("Replace figures that are not this one.")] = False,
    quiet: Annotated[bool, switch("Do not name the files written.")] = False,
) -> int:
    """Draw a stored result to a PDF and a PNG, named after it; of a sweep also its cells and lines as CSV."""
    from rfsim.cli import folder
    from rfsim.disk import places, store

    found = places.find(file)
    data = store.load(found)
    stem = (out or found.parent) / found.stem
    options = folder.sweep_flags(sweep)
    drawn = folder.draw(data, stem, style=figure.style, width=figure.width, force=force, **options)
    terminal.say([f"wrote {one}" for one in drawn], quiet=quiet)
    return complete({found: data} | ({Path(sweep.over): options["over"]} if sweep.over else {}))


@app.command(help_epilogue=PARTS)
def show(
    file: str,
    /,
    *,
    json: Annotated[bool, switch("Print one JSON object.")] = False,
    csv: Annotated[
        bool, switch("Print a table as CSV: the dimensions that most variables share, and these variables.")
    ] = False,
) -> int:
    """Say what a stored result is: kind, settings, versions, variables."""
    from rfsim.cli import answers, tables
    from rfsim.disk import store

    if json and csv:
        raise ValueError("--json and --csv are two forms of one answer; give one of them")
    data = store.load(file)
    if csv:
        table, others = tables.csv(data)
        streams.tell(table.splitlines())
        terminal.say([f"left out, over other dimensions: {', '.join(others)}"] if others else [], quiet=False)
        return complete({Path(file): data})
    streams.tell(answers.text(answers.summary(data)) if json else answers.summary_lines(data))
    return complete({Path(file): data})


@app.command
def bench(
    *names: Annotated[str, text_flag("Measurements; all of them where none is given.")],
    json: Annotated[bool, switch("Print one JSON object.")] = False,
    quiet: Annotated[bool, switch("No table.")] = False,
) -> int:
    """Measure this machine: each row beside its floor in the same run."""
    from rfsim import bench as room
    from rfsim.cli import answers, report

    rows = []
    for row in room.run(names):
        interrupts.check()
        terminal.say(report.bench_line(row), quiet=quiet)
        rows.append(row)
    if json:
        streams.tell(answers.text({"schema": answers.SCHEMA, "rows": [row._asdict() for row in rows]}))
    return DONE


@app.command
def info(*, json: Annotated[bool, switch("Print one JSON object.")] = False) -> int:
    """Versions, devices, threads, precision, memory limit, cache folder."""
    from rfsim.cli import answers, information

    facts, complete = information.gather()
    streams.tell(answers.text(facts) if json else information.lines(facts))
    return DONE if complete else UNCONVERGED


@app.command(name="--install-completion")
def install_completion(
    *, shell: Annotated[Shell | None, text_flag("Whose completion it is; that which this runs in.")] = None
) -> int:
    """Let the shell complete commands and flags."""
    from cyclopts.completion.detect import ShellDetectionError

    try:
        script = app.install_completion(shell=shell)
    except ShellDetectionError:
        raise ValueError("which shell this is cannot be told; give --shell bash, zsh or fish") from None
    streams.tell([f"wrote {script}", "a new shell completes rfsim's commands and flags"])
    return DONE
