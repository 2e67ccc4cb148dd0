"""`--config FILE.toml`: flags from a file, under those of the command line.

Keys are flag names, with dashes or underscores, at the top level or in a table named after the command; the table
outranks the top level, and the command line outranks both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App, Token

from rfsim.disk.files import read_toml
from rfsim.quantities.meant import hint
from rfsim.quantities.parameters import LIMIT

if TYPE_CHECKING:
    from cyclopts import ArgumentCollection
    from cyclopts.argument import Argument

FLAG = "--config"
NAMES = {one.name: one.typed for one in LIMIT}
# one quantity in two spellings: a flag outranks either in a file
RIVALS = [{NAMES[one.instead_of], one.typed} for one in LIMIT if one.instead_of]
TYPED = "--allow-import"  # what a file must not switch on by itself: it may come from elsewhere


def apply(root: App, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """With `root` bound, a cyclopts configuration: add the file's values to flags that the command line leaves open.

    Raises ValueError, in one line, for a file that cannot be read and for keys that are no flag of the command.
    """
    flags = {name: argument for argument in arguments for name in argument.names if name.startswith("--")}
    if FLAG not in flags or not flags[FLAG].tokens:
        return
    path = flags.pop(FLAG).tokens[0].value
    layers = _tables(path, root, commands)
    # all of a file is checked before any of it is used
    for layer in [_layer(path, " ".join(commands), values, flags) for values in layers]:
        given = {flag for flag, argument in flags.items() if argument.tokens}
        taken = given | {one for pair in RIVALS if given & pair for one in pair}
        for flag, text in layer.items():
            if flag not in taken:
                flags[flag].append(Token(keyword=flag, value=text, source=path))


def read(path: str) -> dict[str, Any]:
    """The file's content; ValueError, in one line, where it is missing or no TOML."""
    try:
        return read_toml(Path(path), f"{FLAG} {path}")
    except FileNotFoundError as error:
        raise ValueError(f"{FLAG} {path} cannot be read: {error.strerror}") from None


def _tables(path: str, root: App, commands: Sequence[str]) -> list[dict[str, Any]]:
    """The flags of each level of the file, innermost first: those of the command, of its group, of all commands."""
    found, here, values, place = [], root, read(path), ""
    for command in (*commands, ""):
        if not isinstance(values, Mapping):
            raise ValueError(f"{path}: {place} must be a table, [{place}]; got {values!r}")
        known = {name for name in here if not name.startswith("-")}
        for name, value in values.items():
            if isinstance(value, Mapping) and name not in known:
                raise ValueError(f"{path}: [{place}{'.' * bool(place)}{name}] is no command{_nearest(name, known)}")
        found.insert(0, {name: value for name, value in values.items() if not isinstance(value, Mapping)})
        if command:
            place, here, values = f"{place}{'.' * bool(place)}{command}", here[command], values.get(command, {})
            found[0].pop(command, None)
    return found


def _layer(path: str, command: str, values: Mapping[str, Any], flags: Mapping[str, Argument]) -> dict[str, str]:
    """One level of the file as {flag: text}, every key checked."""
    found: dict[str, str] = {}
    for key, value in values.items():
        flag = "--" + key.replace("_", "-")
        if flag not in flags:
            raise ValueError(f"{path}: {key!r} is no flag of {command}{_nearest(flag, flags, strip=True)}")
        if flag == TYPED:
            raise ValueError(f"{path}: {key!r} lets code run, which a file may not; give {TYPED} on the command line")
        if flag in found:
            raise ValueError(f"{path}: {key!r} is given twice, with dashes and with underscores")
        found[flag] = _text(path, key, value, switch=flags[flag].hint is bool)
    return found


def _text(path: str, key: str, value: Any, *, switch: bool) -> str:
    """A TOML value as the command line would have it."""
    if isinstance(value, bool) != switch:
        raise ValueError(f"{path}: {key!r} must be {'true or false' if switch else 'a value'}; got {value!r}")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, str)):
        return str(value)
    if isinstance(value, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
        return ",".join(map(str, value))
    raise ValueError(f"{path}: {key!r} must be a number, a text or a list of numbers; got {value!r}")


def _nearest(name: str, known: Sequence[str] | set[str] | Mapping[str, Any], *, strip: bool = False) -> str:
    found = hint(name, known)
    return re.sub(r"(?<=[' ])--(?=\w)", "", found) if strip else found
