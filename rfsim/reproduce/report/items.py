"""The claims to check that equations.md §9 numbers, and which of them a row speaks to, by what its source cites."""

from __future__ import annotations

import re
from importlib import resources


def items() -> dict[int, str]:
    """The numbered items of equations.md §9, number → text."""
    text = resources.files("rfsim").joinpath("equations.md").read_text(encoding="utf-8")
    section = text.partition("\n## 9.")[2].partition("\n## ")[0]
    found = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", section, flags=re.MULTILINE | re.DOTALL)
    return {int(number): " ".join(words.split()) for number, words in found}


def cited(source: str) -> list[int]:
    """The items of §9 that a source cites.

    >>> cited("equations.md §3, §9.2; Nobody 2026, Fig. 9.1"), cited("equations.md §9.5, §9.7")
    ([2], [5, 7])
    """
    return [int(number) for number in re.findall(r"§9\.(\d+)", source)]
