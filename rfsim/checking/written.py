"""Settings that are objects in Python and texts everywhere else: on the command line, in sweeps, in stored results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Given = TypeVar("Given")
Found = TypeVar("Found")


class Written:
    """A frozen setting with a text form, which is `str` of it.

    One that was read keeps the text it was read from, to the letter, since results are stored under it; two of one
    meaning are equal and hash alike however they were written.
    """

    @property
    def form(self) -> str:
        """The text of a setting that was made and not read."""
        raise NotImplementedError

    def __str__(self) -> str:
        text = self.__dict__.get("_text")
        return self.form if text is None else text

    @classmethod
    def of(cls, text: str, *values: Any) -> Self:
        """The setting of these values, as `text` says it; what is wrong with them is told in the text's own words."""
        found = cls.__new__(cls)
        found.__dict__["_text"] = text
        cls.__init__(found, *values)
        return found


class Parsed(Generic[Given, Found]):
    """A field of a frozen dataclass that takes a setting or its text, reads it when it is set, and holds the setting.

    The default is what is given where nothing is, a text too: fields, sweeps and the command line show it.
    """

    def __init__(self, read: Callable[[Given], Found], default: Given) -> None:
        self.read, self.default = read, default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, one: None, owner: type) -> Given: ...
    @overload
    def __get__(self, one: object, owner: type) -> Found: ...
    def __get__(self, one: object | None, owner: type) -> Given | Found:
        return self.default if one is None else one.__dict__[self.name]

    def __set__(self, one: object, given: Given) -> None:
        one.__dict__[self.name] = self.read(given)


def short(number: float) -> str:
    """A number as briefly as it may be written and read again.

    >>> short(2.0), short(0.1), short(1e100)
    ('2', '0.1', '1e+100')
    """
    return repr(float(number)).removesuffix(".0")


def plain(value: Any) -> Any:
    """A setting as its text, anything else as it is."""
    return str(value) if isinstance(value, Written) else value
