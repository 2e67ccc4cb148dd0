"""What the computing commands share: refuse before computing, keep what is done, answer."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rfsim.cli import streams, terminal
from rfsim.cli.drawn import told, with_grids
from rfsim.cli.flags import FigureFlags, OutputFlags
from rfsim.cli.options import ask
from rfsim.cli.statuses import DONE, UNCONVERGED
from rfsim.quantities.catalog import Quantity, resolve


def compute(quantity: Quantity, values: Mapping[str, Any], output: OutputFlags, figure: FigureFlags) -> int:
    """Check everything, call the quantity's function, save, answer; returns the exit status.

    values: of its parameters, by name. The folder is held from when the quantity says its settings until its figures
    are drawn.
    """
    from rfsim.cli import answers, folder
    from rfsim.computing import machine, parallel
    from rfsim.computing.precision import float64
    from rfsim.disk import store
    from rfsim.disk.places import RESULT
    from rfsim.results.progress import Interrupted

    options = ask(quantity, with_grids(quantity, values, output))
    if figure.width != FigureFlags().width:  # matplotlib is slow to load: only where there is something to refuse
        from rfsim.plotting import centimeters

        centimeters(figure.width)
    out = output.out or (None if output.json else Path("rfsim-out") / quantity.typed.replace(" ", "-"))
    if out is not None:
        store.check_writable(out)
    machine.use_compilation_cache()
    with contextlib.ExitStack() as held:

        def begin(settings: Mapping[str, Any]) -> None:
            if out is not None:
                place = folder.reserved(out, settings, force=output.force)
                parallel.led(lambda: held.enter_context(place))

        try:
            with terminal.progress(options.notes, quiet=output.quiet) as report, float64():
                data = resolve(quantity.function)(options.problem, **options.arguments, report=report, begin=begin)
        except Interrupted as stopped:
            if out is not None and parallel.leads() and not (out / RESULT).exists():
                folder.keep(out, stopped.result)
                seeds = stopped.result.sizes["seed"]
                terminal.say(f"kept {seeds} of {options.arguments['seeds']} seeds in {out}", quiet=output.quiet)
                folder.illustrate(out, stopped.result, style=figure.style, width=figure.width)
            raise
        failed = resolve(quantity.answer.failed)(data)
        status = UNCONVERGED if failed else DONE
        if not parallel.leads():
            return status
        # the result first, then what is said of it, so that both survive whatever drawing may meet
        written = [] if out is None else [folder.keep(out, data)]
        said = told(quantity, values, data)
        if output.json:
            streams.tell(answers.text(resolve(quantity.answer.json)(said)))
        told_of_all = resolve(quantity.answer.summed)(data)
        terminal.say([*resolve(quantity.answer.lines)(said), *told_of_all], quiet=output.quiet)
        try:
            if out is not None:
                written += folder.illustrate(out, data, style=figure.style, width=figure.width)
        finally:
            for line in failed:
                terminal.complain(line)
        terminal.say([f"wrote {path}" for path in written], quiet=output.quiet)
        return status
