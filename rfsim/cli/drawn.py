"""Training times where none are given: three that are told, and a grid beside them where a figure is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfsim.cli.compute import Views
from rfsim.cli.flags import DRAWN_TIMES, TRAIN_TIMES, OutputFlags, times

if TYPE_CHECKING:
    import xarray as xr


def with_grid(asked: tuple[float, ...], output: OutputFlags) -> tuple[float, ...]:
    """The times to compute: those asked for, and where none were, and a figure is drawn, a grid with those told."""
    if asked is not TRAIN_TIMES or (output.json and output.out is None):
        return asked
    return tuple(sorted({*times(DRAWN_TIMES), *TRAIN_TIMES}))


def told(views: Views, asked: tuple[float, ...]) -> Views:
    """The same views of the times asked for alone; what failed is told of all."""

    def at_times(data: xr.Dataset) -> xr.Dataset:
        return data.sel(train_time=list(asked)) if data.sizes["train_time"] != len(asked) else data

    def answer(data: xr.Dataset) -> dict[str, Any]:
        return views.answer(at_times(data))

    def lines(data: xr.Dataset) -> list[str]:
        return views.lines(at_times(data))

    return views._replace(answer=answer, lines=lines)
