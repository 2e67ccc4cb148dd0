"""Files of users: regular ones only, TOML of bounded size and depth; arrays of numbers are read by `files.numbers`.

Light to import, as the command line's settings file needs it.
"""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

LONGEST_TOML = 2**21  # bytes; TOML is read at about 1 MB/s
DEEPEST_TOML = 16  # tables and lists inside each other
KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class FileError(ValueError):
    """A file that is not read, with what it is and what is accepted."""


def is_file(path: Path) -> bool:
    """Whether there is a regular file, or a link to one."""
    try:
        return path.is_file()
    except OSError:  # a name too long for a file
        return False


def require_regular(path: Path, name: str = "") -> int:
    """The size in bytes of a regular file, which is not opened: reading a pipe or a device may never end.

    Raises FileError, which begins with `name` (the path), for anything else, and OSError where nothing is there.
    """
    found = path.stat()
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise FileError(f"{name or path} is {KINDS.get(kind, 'no file')}; a regular file is needed")
    return found.st_size


def read_toml(path: Path, name: str = "") -> dict[str, Any]:
    """The content of a TOML file in UTF-8, with a byte-order mark or without.

    Raises FileError, in one line that begins with `name` (the path); FileNotFoundError where there is none.
    """
    name = name or str(path)
    try:
        size = require_regular(path, name)
        if size > LONGEST_TOML:
            raise FileError(f"{name} has {size} bytes; a TOML file of at most {LONGEST_TOML} is read")
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise FileError(
            f"{name} cannot be read: it is not TOML in UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from None
    if _longest_key(text) > DEEPEST_TOML:
        raise FileError(f"{name} has keys of more than {DEEPEST_TOML} parts; no command has such settings")
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise FileError(f"{name} is not TOML of a command or a sweep: it nests too deeply") from None
    except ValueError as error:
        raise FileError(f"{name} is not TOML: {error}") from None
    if _deeper(content, DEEPEST_TOML):
        raise FileError(f"{name} nests tables and lists more than {DEEPEST_TOML} deep; no command has such settings")
    return content


def _longest_key(text: str) -> int:
    """Parts of the longest dotted key, which Python's reader takes the square of their number to read."""
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', "q", text)
    closed = re.sub(r"(?<![ \t])[ \t]*\.[ \t]*", ".", bare)
    return max((word.count(".") for word in re.findall(r"[^\s=,\[\]{}#]+", closed)), default=0) + 1


def _deeper(content: Any, levels: int) -> bool:
    """Whether containers lie inside each other more than `levels` deep."""
    layer = [content]
    for _ in range(levels):
        layer = [
            item
            for one in layer
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, (dict, list))
        ]
        if not layer:
            return False
    return True
