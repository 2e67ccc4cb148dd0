"""A command for every quantity that has one, made of what the catalog declares of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from rfsim.cli.compute import compute
from rfsim.cli.flags import PARTS, FigureFlags, OutputFlags, flags_of, values_of
from rfsim.quantities.catalog import GROUPS, QUANTITIES, Quantity, of_kind, resolve

OUTPUT, FIGURE = OutputFlags(), FigureFlags()


def attach(app: App) -> None:
    """Add the commands of all quantities that it does not have yet."""
    for quantity in QUANTITIES.values():
        *groups, name = quantity.typed.split()
        if not quantity.command:
            continue
        above = app
        for group in groups:
            if group not in above:
                above.command(App(name=group, help=GROUPS.get(group, "")))
            above = above[group]
        if name not in above:
            epilogue = PARTS if quantity.speaks_of_parts else None
            # found by its kind once it is asked for: flags cost time, and one command runs
            above.command(f"{__name__}:{quantity.kind}", name=name, help=quantity.help, help_epilogue=epilogue)


def __getattr__(kind: str) -> Callable[..., int]:
    """The command of a kind of result, which cyclopts looks for in this module."""
    if (quantity := of_kind(kind)) is None:
        raise AttributeError(f"there is no command {kind!r}")
    return command(quantity)


def command(quantity: Quantity) -> Callable[..., int]:
    """The function that cyclopts calls: flags in, exit status out."""
    kind = flags_of(quantity)

    def run(*, problem: Any = kind(), output: OutputFlags = OUTPUT, figure: FigureFlags = FIGURE) -> int:  # noqa: B008
        values = values_of(quantity, problem)
        if quantity.around is None:
            return compute(quantity, values, output, figure)
        with resolve(quantity.around)(values, output) as (values, output):
            return compute(quantity, values, output, figure)

    run.__annotations__ = {"problem": kind, "output": OutputFlags, "figure": FigureFlags, "return": int}
    run.__name__, run.__doc__ = quantity.typed.split()[-1], quantity.help
    return run
