"""What the computing commands share: refuse before computing, keep what is done, answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rfsim.cli import streams, terminal
from rfsim.cli.asking import ask
from rfsim.cli.flags import CommonFlags, FigureFlags, OutputFlags
from rfsim.cli.statuses import DONE, UNCONVERGED

if TYPE_CHECKING:
    import xarray as xr


class Views(NamedTuple):
    """What is said of a result: one JSON object, lines for a reader, and a line for each part that failed."""

    answer: Callable[[xr.Dataset], dict[str, Any]]
    lines: Callable[[xr.Dataset], list[str]]
    failed: Callable[[xr.Dataset], list[str]]


def compute(
    command: str,
    quantity: Callable[..., xr.Dataset],
    views: Views,
    flags: tuple[CommonFlags, OutputFlags, FigureFlags],
) -> int:
    """Check everything, call one of the front door's functions, save, answer; returns the exit status.

    The folder is held from when the quantity says its settings until its figures are drawn. `views` turn the result
    into JSON, into lines, and into complaints.
    """
    from rfsim import api, machine, parallel, store
    from rfsim.cli import answers, folder

    problem_flags, output, figure = flags
    asked = ask(problem_flags)
    if figure.width != FigureFlags().width:  # matplotlib is slow to load: only where there is something to refuse
        from rfsim.plotting import centimeters

        centimeters(figure.width)
    out = output.out or (None if output.json else Path("rfsim-out") / command.replace(" ", "-"))
    if out is not None:
        store.check_writable(out)
    machine.use_compilation_cache()
    with contextlib.ExitStack() as held:

        def begin(settings: Mapping[str, Any]) -> None:
            if out is not None:
                place = folder.reserved(out, settings, force=output.force)
                parallel.led(lambda: held.enter_context(place))

        try:
            with terminal.progress(asked.notes, quiet=output.quiet) as report:
                data = quantity(asked.problem, **asked.arguments, report=report, begin=begin)
        except api.Interrupted as stopped:
            if out is not None and parallel.leads() and not (out / folder.RESULT).exists():
                folder.keep(out, stopped.result)
                seeds = stopped.result.sizes["seed"]
                terminal.say(f"kept {seeds} of {asked.arguments['seeds']} seeds in {out}", quiet=output.quiet)
                folder.illustrate(out, stopped.result, style=figure.style, width=figure.width)
            raise
        to_json, to_lines, to_complaints = views
        failed = to_complaints(data)
        status = UNCONVERGED if failed else DONE
        if not parallel.leads():
            return status
        # the result first, then what is said of it, so that both survive whatever drawing may meet
        written = [] if out is None else [folder.keep(out, data)]
        if output.json:
            streams.tell(answers.text(to_json(data)))
        terminal.say(to_lines(data), quiet=output.quiet)
        try:
            if out is not None:
                written += folder.illustrate(out, data, style=figure.style, width=figure.width)
        finally:
            for line in failed:
                terminal.complain(line)
        terminal.say([f"wrote {path}" for path in written], quiet=output.quiet)
        return status
