"""`rfsim reproduce`: figures with the data and claims behind them, and the report. `rfsim claims`: what is stored."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from rfsim.cli import streams, terminal
from rfsim.cli.flags import Size, switch, text_flag
from rfsim.cli.statuses import DONE, UNCONVERGED

Judged = Literal["quick", "paper", "best"]


def reproduce(
    *names: Annotated[str, text_flag("Figures of --list, or experiments for all of theirs; the core by default.")],
    size: Annotated[Size, text_flag("quick, or the published size.")] = "quick",
    all_: Annotated[bool, Parameter(name="--all", negative=(), show_default=False, help="All figures.")] = False,
    list_: Annotated[bool, Parameter(name="--list", negative=(), show_default=False, help="Name the figures.")] = False,
    quiet: Annotated[bool, switch("No progress and no tables; errors still print.")] = False,
) -> int:
    """Regenerate figures with the data and the claims behind them, and the report of all; needs a checkout.

    Without names the core: the spectrum of U, losses against training time and their limit, a teacher and its student.
    """
    from rfsim import reproduce as room
    from rfsim.cli import report
    from rfsim.cli.bars import bars
    from rfsim.computing import machine
    from rfsim.reproduce import together
    from rfsim.reproduce.board import Progress

    root = room.checkout()
    selected = room.select(room.experiments(root), names, everything=all_ or (list_ and not names))
    if list_:
        streams.tell(report.listing(root, selected))
        return DONE
    machine.use_compilation_cache()
    terminal.say(report.estimate(root, selected, size), quiet=quiet)
    told = []
    with bars(quiet=quiet) as show:

        def tell(progress: Progress) -> None:
            lines = []
            if (outcome := progress.outcome) is not None:
                told.append(outcome.experiment.name)
                lines = report.outcome_lines(root, outcome, size)
            show(progress, lines)

        outcomes = together.run_all(root, selected, size, tell=tell)
    for outcome in outcomes:
        if outcome.experiment.name not in told:
            terminal.say(report.outcome_lines(root, outcome, size), quiet=quiet)
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        terminal.complain(f"{outcome.experiment.name} failed: {outcome.failure}")
    problem, lines = report.written(root)
    terminal.say(lines, quiet=quiet)
    if problem:
        terminal.complain(f"the report failed, the figures and results are kept: {problem}")
    elif not names and not failed:
        terminal.say(report.more(selected, size, everything=all_), quiet=quiet)
    return UNCONVERGED if failed or problem else DONE


def claims(
    *,
    size: Annotated[Judged, text_flag("quick, paper, or the best that is stored of each experiment.")] = "best",
    freeze: Annotated[bool, switch("Write what is stored at paper size into figures/ledger.json.")] = False,
    json: Annotated[bool, switch("Print one JSON object.")] = False,
    quiet: Annotated[bool, switch("No progress.")] = False,
) -> int:
    """Every claim judged on what is stored; computes nothing, needs a checkout."""
    from rfsim import reproduce
    from rfsim.cli import answers
    from rfsim.reproduce import report as room
    from rfsim.reproduce.report import texts

    root = reproduce.checkout()
    if freeze:
        if json or size == "quick":
            raise ValueError(f"--freeze takes the paper size alone; leave out {'--json' if json else '--size quick'}")
        file, taken = room.ledger.freeze(root, reproduce.experiments(root))
        listed = ", ".join(taken) or "nothing is stored at paper size"
        terminal.say([f"wrote {file.relative_to(root)}", f"judged anew: {listed}"], quiet=quiet)
        return DONE
    sizes = room.BEST if size == "best" else (size,)
    with terminal.bar("claims", quiet=quiet) as tell:
        parts = list(room.gather(root, sizes=sizes, tell=tell))
    if json:
        streams.tell(answers.text({"schema": answers.SCHEMA, "claims": texts.answer(parts)}))
    else:
        streams.tell(texts.lines(parts))
    return DONE
