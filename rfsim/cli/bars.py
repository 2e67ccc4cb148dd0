"""How far a run of many experiments is: a bar for each on a terminal and one for all, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence

from rfsim.cli import terminal
from rfsim.cli.streams import plain
from rfsim.reproduce.board import Progress
from rfsim.reproduce.report.texts import duration

SHOWN = 8  # bars of experiments that wait, and of those that have ended: others make room
Tell = Callable[[Progress, Sequence[str]], None]


@contextlib.contextmanager
def bars(*, quiet: bool = False) -> Iterator[Tell]:
    """What hears of progress, and of lines to say above the bars; elsewhere a cell is one line at most."""
    if quiet:
        yield lambda progress, lines: None
    elif sys.stderr.isatty():
        with _drawn() as tell:
            yield tell
    else:
        yield _lines


def _lines(progress: Progress, lines: Sequence[str]) -> None:
    if progress.step not in ("", "figures"):
        terminal.say(f"{progress.experiment} {progress.done}/{progress.total} {progress.step} ({_all(progress)})")
    terminal.say(lines)


def _all(progress: Progress) -> str:
    return f"{progress.all_done} of {progress.all_total} in all, about {duration(progress.left)} left"


@contextlib.contextmanager
def _drawn() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Drawn

    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.fields[name]}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Drawn(*columns, console=console) as drawn:
        whole = drawn.add_task("", name="all", total=None)
        known: dict[str, TaskID] = {}
        ended: list[TaskID] = []

        def tell(progress: Progress, lines: Sequence[str]) -> None:
            name = progress.experiment
            if name not in known:
                known[name] = drawn.add_task("", name=plain(name))
            drawn.update(
                known[name],
                completed=progress.done,
                total=progress.total,
                description=plain(progress.step),
                visible=bool(progress.step) or len(known) <= SHOWN,
            )
            drawn.update(
                whole,
                completed=progress.all_done,
                total=progress.all_total,
                description=f"about {duration(progress.left)} left",
            )
            if not progress.step:
                drawn.refresh()  # where it begins, a run that is quick is seen as well
            if progress.outcome:
                drawn.stop_task(known[name])
                ended.append(known[name])
                for old in ended[:-SHOWN]:
                    drawn.update(old, visible=False)
            if lines:
                console.print("\n".join(map(plain, lines)), markup=False, soft_wrap=True)

        yield tell
