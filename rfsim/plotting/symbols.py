"""Parameters by their symbols in the papers, as they are declared, for mathtext."""

from __future__ import annotations

import re
import unicodedata

from rfsim.quantities.catalog import declared

GREEK = re.compile("[α-ωΑ-Ω]")
NAMES = {"lamda": "lambda", "final sigma": "varsigma"}  # Unicode's names of letters that TeX calls otherwise


def symbol_of(name: str) -> str:
    r"""The symbol of a parameter, or of the dimension that its values make; nothing where it has none.

    >>> symbol_of("train_time"), symbol_of("samples_per_dim"), symbol_of("seed")
    ('\\tau', '\\psi_n', '')
    >>> GREEK.sub(_letter, "λ Σ ς")
    '\\lambda \\Sigma \\varsigma'
    """
    for one in declared().values():
        if name in (one.name, one.makes):
            return GREEK.sub(_letter, one.symbol)
    return ""


def _letter(found: re.Match[str]) -> str:
    name = unicodedata.name(found[0]).lower().partition(" letter ")[2]
    name = NAMES.get(name, name)
    return rf"\{name.capitalize() if found[0].isupper() else name}"
