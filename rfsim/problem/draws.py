"""What is drawn of a problem: d, the seeds, and the data behind it; one object inside, keywords outside."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from os import PathLike
from typing import Any, NamedTuple, TypedDict, TypeVar, get_type_hints

from numpy.typing import ArrayLike

from rfsim.checking.scalars import whole
from rfsim.checking.text import LARGEST
from rfsim.problem.arrays import Rows
from rfsim.problem.model import HALF, Problem
from rfsim.problem.origins import Sizes, Source, resolve, source
from rfsim.problem.populations import Labels

MOST_SEEDS = 10**5  # each has its row in the result

Function = TypeVar("Function", bound=Callable[..., Any])


class DataOptions(TypedDict, total=False):
    """The data behind a problem.

    Attributes:
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether its mean is taken off.
        scale: How it is scaled: "global", by one number so that E‖x‖²/d = 1, "columns", each to variance 1, or "none".
    """

    array: ArrayLike | Rows | None
    center: bool
    scale: str


class DrawOptions(DataOptions, total=False):
    """How a problem is drawn.

    Attributes:
        array: As in `DataOptions`.
        center: As in `DataOptions`.
        scale: As in `DataOptions`.
        dim: d; that of the data, or 100, where it is None.
        seed: Of the first draw.
        seeds: How many draws.
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may then be trained
            on. They are centered and scaled by the array's numbers.
    """

    dim: int | None
    seed: int
    seeds: int
    split: float
    held_out: ArrayLike | Rows | str | PathLike[str] | None


class ConditionOptions(DrawOptions, total=False):
    """How a problem is drawn where inputs beside x_t are known.

    Attributes:
        array: As in `DrawOptions`.
        center: As in `DrawOptions`.
        scale: As in `DrawOptions`.
        dim: As in `DrawOptions`.
        seed: As in `DrawOptions`.
        seeds: As in `DrawOptions`.
        split: As in `DrawOptions`.
        held_out: As in `DrawOptions`.
        condition: Noise-free inputs, a row (d_y,) for each of the array's, or a file of them; centered and scaled as
            the array is.
    """

    condition: ArrayLike | Rows | str | PathLike[str] | None


class LabelOptions(ConditionOptions, total=False):
    """How a problem is drawn where classes of an array's rows are known.

    Attributes:
        array: As in `DrawOptions`.
        center: As in `DrawOptions`.
        scale: As in `DrawOptions`.
        dim: As in `DrawOptions`.
        seed: As in `DrawOptions`.
        seeds: As in `DrawOptions`.
        split: As in `DrawOptions`.
        held_out: As in `DrawOptions`.
        condition: As in `ConditionOptions`.
        labels: The class of each of the array's rows, a whole number or a short text, or a file of them.
    """

    labels: ArrayLike | Labels | str | PathLike[str] | None


class Drawn(NamedTuple):
    """The data behind a problem, and its sizes."""

    origin: Source
    sizes: Sizes


@dataclass(frozen=True, eq=False)
class Draw:
    """How a problem is drawn; the keywords of `LabelOptions` with their defaults.

    >>> Draw(dim=10, seeds=2).numbers
    range(0, 2)
    """

    dim: int | None = None
    seed: int = 0
    seeds: int = 1
    array: ArrayLike | Rows | None = None
    center: bool = True
    scale: str = "global"
    split: float = HALF
    held_out: ArrayLike | Rows | str | PathLike[str] | None = None
    condition: ArrayLike | Rows | str | PathLike[str] | None = None
    labels: ArrayLike | Labels | str | PathLike[str] | None = None

    def __post_init__(self) -> None:
        seeds = whole("seeds", self.seeds, 1, MOST_SEEDS)
        object.__setattr__(self, "seeds", seeds)
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, LARGEST - seeds))

    @property
    def numbers(self) -> range:
        """The seeds, one after the other."""
        return range(self.seed, self.seed + self.seeds)

    def of(self, problem: Problem, *, conditions: bool = False) -> Drawn:
        """The data of a problem, read and prepared once for all seeds, and its d, n and p.

        conditions: whether inputs beside x_t are known.
        Raises ValueError where they do not fit, DataError for data that cannot be read.
        """
        origin = source(
            problem,
            array=self.array,
            center=self.center,
            scale=self.scale,
            split=self.split,
            held_out=self.held_out,
            condition=self.condition,
            labels=self.labels,
            conditions=conditions,
        )
        return Drawn(origin, resolve(problem, origin, self.dim))


def apart(options: Mapping[str, Any]) -> tuple[Draw, dict[str, Any]]:
    """The draw among keywords, and the others."""
    names = get_type_hints(DrawOptions)
    drawn = {name: value for name, value in options.items() if name in names}
    return Draw(**drawn), {name: value for name, value in options.items() if name not in names}


def defaults_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The defaults of a function's parameters.

    Args:
        function: The function.

    Returns:
        Defaults by name.
    """
    return {one.name: one.default for one in inspect.signature(function).parameters.values()}


def told(*tables: type, **defaults: Any) -> Callable[[Function], Function]:
    """Give a function that takes `**options: Unpack[…]` a signature that shows each of them, with its default.

    It is what `help`, completion, sweeps and the reference read.

    Args:
        *tables: The dictionaries' types.
        **defaults: Of what is none of a draw's.

    Returns:
        What decorates the function.
    """
    known = {one.name: one.default for one in fields(Draw)} | defaults

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        kinds = {name: kind for table in tables for name, kind in get_type_hints(table).items()}
        shown = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kinds[name])
            for name, default in known.items()
            if name in kinds and name not in signature.parameters
        ]
        function.__signature__ = signature.replace(parameters=[*own, *shown])  # type: ignore[attr-defined]
        return function

    return decorate
