"""The line behind "Copy as command": commands that write what is shown, each into a folder of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import takewhile

from rfsim.disk import content


def joined(*commands: str) -> str:
    """Commands of the command line as one line of a shell.

    The folder of each is named after all that it asks for: neither another of them nor the line of another choice finds
    a result with other settings there.

    >>> joined("rfsim theory spectrum --ridge 0.1")
    'rfsim theory spectrum --ridge 0.1 --out rfsim-out/theory-spectrum-deba8054'
    """
    return " && ".join(_with_folder(commands))


def _with_folder(commands: tuple[str, ...]) -> Iterator[str]:
    for line in commands:
        words = takewhile(lambda word: not word.startswith("-"), shlex.split(line)[1:])
        digest = content.of_text(line)[:8]
        yield f"{line} --out rfsim-out/{'-'.join((*words, digest))}"
