"""What a parameter is.

A flag, a key of a sweep, an axis with its label, a row of the glossary: all of them are made of what stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from rfsim.checking import lists
from rfsim.checking.text import number, whole


class Absent:
    """Stands where there is no default, and where a flag has that of Python."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


REQUIRED, SAME = Absent("required"), Absent("same")
READERS: dict[Any, Callable[[str], Any]] = {float: number, tuple[float, ...]: lists.numbers}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One setting of a quantity.

    name: in Python and in a sweep; words and symbol: on an axis and in the glossary; help: one line of the command
    line; about: the same for Python, where a flag turns it around; default: in Python and in a sweep, REQUIRED where
    there is none.

    hint: the type of its values, `tuple[float, ...]` for a list, of which one run takes all; makes: the dimension of
    the result that a list is. choices: the only texts there are; offered: how texts begin that a shell completes;
    least: of a whole number; read: what reads its text, where that is not what its type is read by; check: what raises
    ValueError for a wrong value, called with the value and the name (a function, or where it is found as
    "module:name").

    role: a field of the problem, an option of the function, or something that only a command is told. flag: its name on
    the command line where that is another one; flag_default: where a command takes another default; swept, flagged:
    whether a sweep and a command have it; instead_of: the parameter of which it is another form; unused: what to take
    instead where a command has the flag for the sake of others; drawn: values computed beside those that are told,
    where a figure is drawn and none are given; shapes: whether it says what stands along a dimension of the result;
    of_rows: whether a command takes the rows of an array for it where neither it nor its other form is given.
    """

    name: str
    help: str
    hint: Any = float
    default: Any = REQUIRED
    about: str = ""
    words: str = ""
    symbol: str = ""
    unit: str = "1"
    choices: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    least: int | None = None
    read: Callable[[str], Any] | None = None
    check: str | Callable[[Any, str], object] | None = None
    makes: str = ""
    role: Literal["problem", "option", "command"] = "option"
    flag: str = ""
    flag_default: Any = SAME
    swept: bool = True
    flagged: bool = True
    instead_of: str = ""
    unused: str = ""
    drawn: str = ""
    shapes: bool = False
    of_rows: bool = False

    def but(self, **changes: Any) -> Parameter:
        """The same parameter, with what differs for one quantity."""
        return replace(self, **changes)

    @property
    def label(self) -> str:
        """What it is called on an axis.

        >>> Parameter(name="diffusion_time", symbol="t", help="Diffusion time t.").label
        'diffusion time t'
        """
        return f"{self.words or self.name.replace('_', ' ')} {self.symbol}".strip()

    @property
    def typed(self) -> str:
        """As it is typed on the command line."""
        return self.flag or f"--{self.name.replace('_', '-')}"

    @property
    def given(self) -> Any:
        """What a command takes where the flag is not given."""
        return self.default if self.flag_default is SAME else self.flag_default

    @property
    def switch(self) -> bool:
        """Whether its flag has no value, and turns the default around."""
        return self.hint is bool

    @property
    def reader(self) -> Callable[[str], Any] | None:
        """What reads its text; None where the text is the value, as a choice is."""
        if self.hint is int and self.read is None:
            return partial(whole, least=self.least or 0)
        return self.read or READERS.get(self.hint)
