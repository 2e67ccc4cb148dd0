"""What the computing commands share: refuse before computing, keep what is done, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rfsim.cli import DONE, UNCONVERGED, streams, terminal
from rfsim.cli.asking import Asked, ask
from rfsim.cli.flags import CommonFlags, FigureFlags, OutputFlags

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
    extra: Mapping[str, Any] | Callable[[Asked], Mapping[str, Any]],
    views: Views,
    flags: tuple[CommonFlags, OutputFlags, FigureFlags],
) -> int:
    """Check everything, call one of the front door's functions, save, answer; returns the exit status.

    `extra` are settings beside the problem's own, or what makes them of it; `views` turn the result into JSON, into
    lines, and into complaints.
    """
    from rfsim import api, machine, parallel
    from rfsim.cli import answers, folder

    problem_flags, output, figure = flags
    asked = ask(problem_flags)
    settings = asked.settings | dict(extra(asked) if callable(extra) else extra)
    if figure.width != FigureFlags().width:  # matplotlib is slow to load: only where there is something to refuse
        from rfsim.plotting import centimeters

        centimeters(figure.width)
    out = output.out or (None if output.json else Path("rfsim-out") / command.replace(" ", "-"))
    if out is not None:
        folder.check(out, settings, force=output.force)
    machine.use_compilation_cache()
    try:
        with terminal.progress(asked.notes, quiet=output.quiet) as report:
            data = quantity(asked.problem, **asked.arguments, report=report)
    except api.Interrupted as stopped:
        if out is not None and parallel.leads() and not (out / folder.RESULT).exists():
            folder.fill(out, stopped.result, style=figure.style, width=figure.width)
            seeds = stopped.result.sizes["seed"]
            terminal.say(f"kept {seeds} of {asked.arguments['seeds']} seeds in {out}", quiet=output.quiet)
        raise
    to_json, to_lines, to_complaints = views
    if not parallel.leads():
        return UNCONVERGED if to_complaints(data) else DONE
    written = [] if out is None else folder.fill(out, data, style=figure.style, width=figure.width)
    if output.json:
        streams.tell(answers.text(to_json(data)))
    terminal.say([*to_lines(data), *(f"wrote {path}" for path in written)], quiet=output.quiet)
    failed = to_complaints(data)
    for line in failed:
        terminal.complain(line)
    return UNCONVERGED if failed else DONE
