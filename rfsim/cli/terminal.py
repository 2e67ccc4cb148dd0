"""Standard error: progress and lines for a reader; a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rfsim.checking.notes import Note
from rfsim.cli.streams import plain
from rfsim.computing import interrupts

if TYPE_CHECKING:
    from rfsim.results.progress import Report

LONGEST = 300  # characters of a message
SILENCED = "mkdir -p failed"  # matplotlib says more of it in the next line


def say(lines: Sequence[str] | str, *, quiet: bool = False) -> None:
    """Lines on standard error, unless quiet."""
    if not quiet:
        for line in [lines] if isinstance(lines, str) else lines:
            print(plain(line), file=sys.stderr)


def complain(message: object) -> None:
    """The one line that an error is, of a bounded length."""
    text = plain(" ".join(str(message).split()))
    print(f"rfsim: {bounded(text.removesuffix('.'))}", file=sys.stderr)


def bounded(text: str) -> str:
    """A message of at most LONGEST characters: first its longest words lose their middles, then all of it does, because
    what was given stands at its beginning and what to do at its end."""
    if len(text) > LONGEST:
        text = " ".join(_cut(word, LONGEST // 4) for word in text.split())
    return _cut(text, LONGEST)


def _cut(text: str, most: int) -> str:
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


@contextlib.contextmanager
def libraries() -> Iterator[None]:
    """What libraries warn of, and what they log that nobody else handles, in one line each, once."""
    told: set[str] = set()

    def tell(message: object, *_: object, **__: object) -> None:
        if (text := str(message)) not in told and not text.startswith(SILENCED):
            told.add(text)
            complain(f"warning: {text}")

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(record.getMessage())

    kept = warnings.showwarning, logging.lastResort
    warnings.showwarning, logging.lastResort = tell, Handler(logging.WARNING)
    try:
        yield
    finally:
        warnings.showwarning, logging.lastResort = kept


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
        yield _heeding(lambda step, values: None)
    elif sys.stderr.isatty():
        with _bar() as show:

            def report(step: str, values: Mapping[str, Any]) -> None:
                open_with_notes()
                show(step, values)

            yield _heeding(report)
    else:

        def plain(step: str, values: Mapping[str, Any]) -> None:
            open_with_notes()
            say(f"{_place(values)}{step}")

        yield _heeding(plain)


@contextlib.contextmanager
def bar(name: str, *, quiet: bool = False) -> Iterator[Report]:
    """A `report(step, values)` with values `done` and `total`: one bar that stays on a terminal, lines elsewhere."""
    if quiet:
        yield _heeding(lambda step, values: None)
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn(plain(name).replace("{", "{{").replace("}", "}}"), markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("", total=1)
            yield _heeding(
                lambda step, values: progress.update(
                    task, description=plain(step), completed=values["done"], total=values["total"]
                )
            )
    else:
        yield _heeding(lambda step, values: say(f"{name} {values['done']}/{values['total']} {step}"))


def _heeding(report: Report) -> Report:
    """A report that ends the run where a Ctrl-C was lost: all that takes long tells of its steps."""

    def heed(step: str, values: Mapping[str, Any]) -> None:
        interrupts.check()
        report(step, values)

    return heed


@contextlib.contextmanager
def _bar() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(step: str, values: Mapping[str, Any]) -> None:
            done = values.get("seed", 0) - values.get("first", 0)
            # one seed has no fraction to show: the bar then only says that work goes on
            total = values["seeds"] if values.get("seeds", 1) > 1 else None
            bar.update(task, description=plain(f"{_place(values)}{step}"), completed=done, total=total)

        yield show


def _place(values: Mapping[str, Any]) -> str:
    if values.get("seeds", 1) <= 1:
        return ""
    return f"seed {values['seed']} ({values['seed'] - values['first'] + 1} of {values['seeds']}): "
