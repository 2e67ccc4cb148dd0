"""Standard error: progress and lines for a reader; a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rfsim.notes import Note

if TYPE_CHECKING:
    from rfsim.runs import Report


def say(lines: Sequence[str] | str, *, quiet: bool = False) -> None:
    """Lines on standard error, unless quiet."""
    if not quiet:
        for line in [lines] if isinstance(lines, str) else lines:
            print(line, file=sys.stderr)


def complain(message: object) -> None:
    """The one line that an error is."""
    text = " ".join(str(message).split())
    print(f"rfsim: {text.removesuffix('.')}", file=sys.stderr)


@contextlib.contextmanager
def noting(said: Iterable[str] = (), *, quiet: bool = False) -> Iterator[None]:
    """The library's notes as lines, each once and none of those that were said before; other warnings pass."""
    known = set(said)
    with warnings.catch_warnings():
        warnings.simplefilter("always", Note)
        passed = warnings.showwarning

        def show(message: Any, category: Any, *where: Any, **more: Any) -> None:
            if not issubclass(category, Note):
                passed(message, category, *where, **more)
            elif str(message) not in known:
                known.add(str(message))
                say(str(message), quiet=quiet)

        warnings.showwarning = show
        yield


@contextlib.contextmanager
def progress(notes: Sequence[str] = (), *, quiet: bool = False) -> Iterator[Report]:
    """A `report(step, values)` for `api`'s functions; `notes` are said when the first step begins, so that input
    refused before any work leaves its one line alone; what is noted later, when it is."""
    with noting(notes, quiet=quiet), _progress(notes, quiet=quiet) as report:
        yield report


@contextlib.contextmanager
def _progress(notes: Sequence[str], *, quiet: bool) -> Iterator[Report]:
    pending = list(notes)

    def open_with_notes() -> None:
        say(pending)
        pending.clear()

    if quiet:
        yield lambda step, values: None
    elif sys.stderr.isatty():
        with _bar() as show:

            def report(step: str, values: Mapping[str, Any]) -> None:
                open_with_notes()
                show(step, values)

            yield report
    else:

        def plain(step: str, values: Mapping[str, Any]) -> None:
            open_with_notes()
            say(f"{_place(values)}{step}")

        yield plain


@contextlib.contextmanager
def bar(name: str, *, quiet: bool = False) -> Iterator[Report]:
    """A `report(step, values)` with values `done` and `total`: one bar that stays on a terminal, lines elsewhere."""
    if quiet:
        yield lambda step, values: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn(name),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("", total=1)
            yield lambda step, values: progress.update(
                task, description=step, completed=values["done"], total=values["total"]
            )
    else:
        yield lambda step, values: say(f"{name} {values['done']}/{values['total']} {step}")


@contextlib.contextmanager
def _bar() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(step: str, values: Mapping[str, Any]) -> None:
            done = values.get("seed", 0) - values.get("first", 0)
            # one seed has no fraction to show: the bar then only says that work goes on
            total = values["seeds"] if values.get("seeds", 1) > 1 else None
            bar.update(task, description=f"{_place(values)}{step}", completed=done, total=total)

        yield show


def _place(values: Mapping[str, Any]) -> str:
    if values.get("seeds", 1) <= 1:
        return ""
    return f"seed {values['seed']} ({values['seed'] - values['first'] + 1} of {values['seeds']}): "
