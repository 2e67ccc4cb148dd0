"""What is drawn of a problem: d, the seeds, and the data behind it; one object inside, keywords outside."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypedDict, TypeVar, get_type_hints

from numpy.typing import ArrayLike

from rfsim.arrays import Rows
from rfsim.model import Problem, Sizes, Source, resolve, source
from rfsim.scalars import whole
from rfsim.words import LARGEST

MOST_SEEDS = 10**5  # each has its row in the result

Function = TypeVar("Function", bound=Callable[..., Any])


class DataOptions(TypedDict, total=False):
    """array: samples (rows, dim) in the place of the problem's data; center, scale: how an array is prepared."""

    array: ArrayLike | Rows | None
    center: bool
    scale: str


class DrawOptions(DataOptions, total=False):
    """dim d, that of the data or 100 where it is None; seed of the first draw; seeds, how many draws; array, center,
    scale: the data behind them.
    """

    dim: int | None
    seed: int
    seeds: int


class Drawn(NamedTuple):
    """The data behind a problem, and its sizes."""

    origin: Source
    sizes: Sizes


@dataclass(frozen=True, eq=False)
class Draw:
    """How a problem is drawn; the keywords of `DrawOptions` with their defaults.

    >>> Draw(dim=10, seeds=2).numbers
    range(0, 2)
    """

    dim: int | None = None
    seed: int = 0
    seeds: int = 1
    array: ArrayLike | Rows | None = None
    center: bool = True
    scale: str = "global"

    def __post_init__(self) -> None:
        seeds = whole("seeds", self.seeds, 1, MOST_SEEDS)
        object.__setattr__(self, "seeds", seeds)
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, LARGEST - seeds))

    @property
    def numbers(self) -> range:
        """The seeds, one after the other."""
        return range(self.seed, self.seed + self.seeds)

    def of(self, problem: Problem) -> Drawn:
        """The data of a problem, read and prepared once for all seeds, and its d, n and p.

        Raises ValueError where they do not fit, DataError for data that cannot be read.
        """
        origin = source(problem, array=self.array, center=self.center, scale=self.scale)
        return Drawn(origin, resolve(problem, origin, self.dim))


def apart(options: Mapping[str, Any]) -> tuple[Draw, dict[str, Any]]:
    """The draw among keywords, and the others."""
    names = get_type_hints(DrawOptions)
    drawn = {name: value for name, value in options.items() if name in names}
    return Draw(**drawn), {name: value for name, value in options.items() if name not in names}


def defaults_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The defaults of a function's parameters, by name."""
    return {one.name: one.default for one in inspect.signature(function).parameters.values()}


def told(*tables: type, **defaults: Any) -> Callable[[Function], Function]:
    """Give a function that takes `**options: Unpack[…]` a signature that shows each of them, with its default: what
    `help`, completion and sweeps read.

    tables: the dictionaries' types; defaults: of what is none of a draw's.
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
