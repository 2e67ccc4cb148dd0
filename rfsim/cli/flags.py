"""The flags of the commands, each read strictly from its text.

Light to import: `rfsim --help` reads this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token

from rfsim.words import geometric, number, shown, whole

DIM = 100
LONGEST = 10**5  # values of a list
# one quantity in two spellings: at most one of a pair may be given, and a flag outranks either in a settings file
RIVALS = (("--samples-per-dim", "--samples"), ("--features-per-dim", "--features"))

Scale = Literal["none", "global", "columns"]
Model = Literal["real", "gaussian"]
Route = Literal["dense", "krylov"]
Style = Literal["paper", "talk", "screen"]
Size = Literal["quick", "paper"]


# annotations are evaluated by name, so what they call needs one
from_zero, from_one, from_two = (partial(whole, least=least) for least in (0, 1, 2))


def times(text: str, what: str = "times") -> tuple[float, ...]:
    """Times (or `what`) separated by commas, inf allowed; FIRST:LAST:COUNT are as many, evenly spaced on a log axis.

    >>> times("0,1:100:3,inf")
    (0.0, 1.0, 10.0, 100.0, inf)
    """
    items = text.split(",")
    if not all(item.strip() for item in items):
        raise ValueError(f"must be {what} separated by single commas, such as 1,100,1e5; got {shown(text)}")
    found: list[float] = []
    for item in items:
        found += _range(item) if ":" in item else (number(item),)
        if len(found) > LONGEST:
            raise ValueError(f"must be at most {LONGEST} {what}; got {shown(text)}")
    if min(found) < 0:
        raise ValueError(f"must not hold negative {what}; got {shown(text)}")
    return tuple(found)


def _range(text: str) -> Sequence[float]:
    """FIRST:LAST:COUNT, both ends included, as {log = [FIRST, LAST], points = COUNT} in a sweep."""
    parts = text.split(":")
    if len(parts) != 3:
        raise ValueError(f"a range must be FIRST:LAST:COUNT, such as 1:1e6:60; got {shown(text)}")
    first, last = map(number, parts[:2])
    if not 0 < first < last < math.inf:
        raise ValueError(f"a range must increase between positive, finite ends, as 1:1e6:60 does; got {shown(text)}")
    try:
        count = whole(parts[2], 2)
    except ValueError:
        count = 0
    if not 2 <= count <= LONGEST:
        raise ValueError(f"the COUNT of a range must be a whole number from 2 to {LONGEST}; got {shown(parts[2])}")
    return geometric(first, last, count)


numbers = partial(times, what="numbers")


def listed(values: Sequence[float]) -> str:
    """Times as `times` reads them."""
    return ",".join(f"{value:g}" for value in values)


def read_as(parse: Callable[[str], Any], explanation: str, **more: Any) -> Parameter:
    """A flag of one value read by `parse`, which may begin with a minus so that the message for it is ours."""

    def convert(_: object, tokens: Sequence[Token]) -> Any:
        if len(tokens) > 1:  # cyclopts gathers repeats of a flag whose type is a tuple
            raise ValueError("is given more than once")
        return parse(tokens[0].value)

    return Parameter(converter=convert, n_tokens=1, allow_leading_hyphen=True, negative=(), help=explanation, **more)


TRAIN_TIMES = (1.0, 100.0, 1e5)
DRAWN_TIMES = "0.1:1e7:81"  # beside them where a figure is drawn and no times are given
LISTED = "separated by commas, or FIRST:LAST:COUNT, evenly spaced on a log axis"


# what the command's help says below its flags, where its answers speak of parts
PARTS = (
    "Parts of U, by rank from the largest eigenvalues: gen (d of them), learned first, generalize; main (n - d) and "
    "mini (d), learned later, memorize the samples; null is the rest, and zero (p - n m) is never learned."
)


def text_flag(explanation: str) -> Parameter:
    """A flag whose value is taken as it stands."""
    return Parameter(help=explanation)


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


TrainTimes = Annotated[
    tuple[float, ...],
    read_as(times, f"Training times τ, {LISTED}; inf is one. Figures have a grid unless given.", show_default=listed),
]
Trainer = Annotated[str, text_flag("flow, descent:STEP or distillation:TAU, in train_time.")]
AllowImport = Annotated[
    bool, switch("Let --activation import module:attribute, and so run its code; found in this folder too.")
]
ByPart = Annotated[bool, switch("Also the losses with the filter switched off on each part.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CommonFlags:
    """What every problem states."""

    samples_per_dim: Annotated[float | None, read_as(number, "ψ_n = n/d; 4 unless given.")] = None
    features_per_dim: Annotated[float | None, read_as(number, "ψ_p = p/d; 16 unless given.")] = None
    samples: Annotated[int | None, read_as(from_two, "n, instead of --samples-per-dim.")] = None
    features: Annotated[int | None, read_as(from_one, "p, instead of --features-per-dim.")] = None
    noise_copies: Annotated[float, read_as(number, "Frozen noise copies per sample, m; inf averages.")] = math.inf
    activation: Annotated[
        str,
        read_as(
            str,
            "σ: tanh, erf, relu, softplus, gelu (x Φ(x), not its tanh approximation), silu, sine, hermite3 or linear, "
            "or with --allow-import module:attribute; centered where needed.",
        ),
    ] = "tanh"
    allow_import: AllowImport = False
    data: Annotated[
        str,
        text_flag(
            "isotropic[:VARIANCE], atoms:W@L,…, powerlaw:ALPHA, subspace:FRACTION, mixture:SEPARATION, digits[:K], "
            "eigenvalues:FILE of Σ, covariance:FILE of Σ itself, or a .npy, .npz (FILE.npz:KEY), .csv or .tsv file (or "
            ".csv.gz) of shape (samples, dimensions)."
        ),
    ] = "isotropic"
    ridge: Annotated[float, read_as(number, "Ridge γ.")] = 0.0
    no_center: Annotated[bool, switch("Leave the mean of an array as it is.")] = False
    scale: Annotated[Scale, text_flag("How an array is divided: by one number, each column, or not.")] = "global"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class LimitFlags(CommonFlags):
    """The problem that theory and sample share."""

    diffusion_time: Annotated[float, read_as(number, "Diffusion time t.")] = 0.1


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SampleFlags(CommonFlags):
    """A problem with its sizes and its draw, at no diffusion time of its own."""

    dim: Annotated[int | None, read_as(from_one, "Dimension d; 100, or that of the data.")] = None
    seed: Annotated[int, read_as(from_zero, "First seed.")] = 0
    seeds: Annotated[int, read_as(from_one, "Number of seeds; the answer is their mean.")] = 1


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ProblemFlags(SampleFlags, LimitFlags):
    """The problem, its sizes and its draw, and how it is solved."""

    model: Annotated[Model, text_flag("The real features, or the Gaussian-equivalent model.")] = "real"
    moments: Annotated[
        str, text_flag("exact in the noise, or montecarlo:DRAWS per sample with standard errors, as a check.")
    ] = "exact"


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
    quantity: Annotated[str | None, text_flag("Variable, such as gen or tau_mem[formula].")] = None
    facet: Annotated[str | None, text_flag("Axis of the panels, or of the curves.")] = None
    at: Annotated[
        tuple[str, ...], repeated(pair_text, "NAME=VALUE of another axis; the last, and the mean over seeds.")
    ] = ()
    contour: Annotated[
        tuple[str, ...], repeated(pair_text, "QUANTITY=LEVEL, a line on a map; the level is a number or a name.")
    ] = ()
    over: Annotated[str | None, text_flag("Another sweep, drawn dashed over this one.")] = None
