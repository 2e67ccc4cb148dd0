"""The flags of the commands, each read strictly from its text.

Light to import: `rfsim --help` reads this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, make_dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token

from rfsim.checking.lists import listed
from rfsim.checking.text import shown, whole
from rfsim.quantities.catalog import Quantity
from rfsim.quantities.parameter import Parameter as Declared

Style = Literal["paper", "talk", "screen"]
Size = Literal["quick", "paper"]


# annotations are evaluated by name, so what they call needs one
from_one = partial(whole, least=1)


def read_as(parse: Callable[[str], Any], explanation: str, **more: Any) -> Parameter:
    """A flag of one value read by `parse`, which may begin with a minus so that the message for it is ours."""

    def convert(_: object, tokens: Sequence[Token]) -> Any:
        if len(tokens) > 1:  # cyclopts gathers repeats of a flag whose type is a tuple
            raise ValueError("is given more than once")
        return parse(tokens[0].value)

    return Parameter(converter=convert, n_tokens=1, allow_leading_hyphen=True, negative=(), help=explanation, **more)


# what the command's help says below its flags, where its answers speak of parts
PARTS = (
    "Parts of U, by rank from the largest eigenvalues: gen (d of them), learned first, generalize; main (n - d) and "
    "mini (d), learned later, memorize the samples; null is the rest, and zero (p - n m) is never learned."
)


def text_flag(explanation: str, offered: Sequence[str] = ()) -> Parameter:
    """A flag whose value is taken as it stands; offered: how values begin that a shell completes."""
    return Parameter(help=explanation, completer=(lambda context: offered) if offered else None)


def folder_flag(explanation: str) -> Parameter:
    """A flag that names a folder; one that begins with a minus is a forgotten name."""

    def convert(_: object, tokens: Sequence[Token]) -> Path:
        if not tokens[0].value.strip():
            raise ValueError("must name a folder; got nothing")
        return Path(tokens[0].value)

    return Parameter(converter=convert, help=explanation)


def switch(explanation: str) -> Parameter:
    """A flag without a value."""
    return Parameter(negative=(), show_default=False, help=explanation)


def hint(parameter: Declared) -> Any:
    """How a parameter is annotated, so that cyclopts reads its flag."""
    if parameter.switch:
        return Annotated[bool, switch(parameter.help)]
    kind: Any = Literal[parameter.choices] if parameter.choices else parameter.hint
    kind = kind if parameter.given is not None else kind | None
    if parameter.hint is Path:
        return Annotated[kind, folder_flag(parameter.help)]
    if parameter.reader is None:
        return Annotated[kind, text_flag(parameter.help, parameter.offered)]
    more: dict[str, Any] = (
        {"show_default": listed if parameter.given else False} if parameter.hint == tuple[float, ...] else {}
    )
    if parameter.offered:
        more["completer"] = lambda context: parameter.offered
    return Annotated[kind, read_as(parameter.reader, parameter.help, **more)]


def attribute(parameter: Declared) -> str:
    """Where the flags of a command hold a parameter: cyclopts names the flag after it."""
    return parameter.typed.removeprefix("--").replace("-", "_")


def flags_of(quantity: Quantity) -> type:
    """A dataclass of the flags of a quantity, in their order."""
    rows = [
        (attribute(one), hint(one), field(default=False if one.switch else one.given))
        for one in quantity.flagged.values()
    ]
    # cyclopts looks into the classes of modules that are not Python's own
    own = {"__module__": __name__}
    return Parameter(name="*")(make_dataclass("Flags", rows, namespace=own, frozen=True, kw_only=True))


def values_of(quantity: Quantity, flags: Any) -> dict[str, Any]:
    """What flags say, by the names of the parameters; a switch turns its default around."""
    given = {name: getattr(flags, attribute(one)) for name, one in quantity.flagged.items()}
    switches = {name: one for name, one in quantity.flagged.items() if one.switch}
    return given | {name: given[name] != one.default for name, one in switches.items()}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FigureFlags:
    """How a figure looks."""

    style: Annotated[Style, text_flag("Look of the figure.")] = "paper"
    width: Annotated[str, read_as(str, "single, double, or centimeters.")] = "double"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OutputFlags:
    """Where an answer goes."""

    json: Annotated[bool, switch("Print one JSON object; write files only to an --out that is given.")] = False
    out: Annotated[Path | None, folder_flag("Folder for result.nc and the figures; rfsim-out/COMMAND/.")] = None
    force: Annotated[bool, switch("Replace a result that has other settings.")] = False
    quiet: Annotated[bool, switch("No progress and no tables; errors still print.")] = False
    config: Annotated[str | None, text_flag("TOML file whose keys are flags; the command line wins.")] = None


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE, each side not empty.

    >>> pair("train_time=1e3")
    ('train_time', '1e3')
    """
    name, sign, value = (part.strip() for part in text.partition("="))
    if not (name and sign and value):
        raise ValueError(f"must be NAME=VALUE; got {shown(text)}")
    return name, value


def repeated(parse: Callable[[str], Any], explanation: str) -> Parameter:
    """A flag that may be given several times, each read by `parse`."""

    def convert(_: object, tokens: Sequence[Token]) -> Any:
        return tuple(parse(token.value) for token in tokens)

    return Parameter(converter=convert, n_tokens=1, negative=(), show_default=False, help=explanation)


def pair_text(text: str) -> str:
    """NAME=VALUE as it stands."""
    pair(text)
    return text


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SweepFlags:
    """What is drawn of a sweep; names are those of `rfsim.plot`."""

    x: Annotated[str | None, text_flag("Horizontal axis; the first with more than one point.")] = None
    y: Annotated[str | None, text_flag("Vertical axis of a map; with --x alone, curves.")] = None
    quantity: Annotated[
        str | None,
        text_flag("Variable, such as gen or tau_mem[formula]; several, train,test, are curves."),
    ] = None
    log: Annotated[
        bool | None,
        Parameter(negative="--no-log", show_default=False, help="Values on a log axis; where they call for it."),
    ] = None
    facet: Annotated[str | None, text_flag("Axis of the panels, or of the curves.")] = None
    at: Annotated[
        tuple[str, ...], repeated(pair_text, "NAME=VALUE of another axis; the last, and the mean over seeds.")
    ] = ()
    contour: Annotated[
        tuple[str, ...], repeated(pair_text, "QUANTITY=LEVEL, a line on a map; the level is a number or a name.")
    ] = ()
    over: Annotated[str | None, text_flag("Another sweep, drawn dashed over this one.")] = None
