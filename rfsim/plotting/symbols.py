"""Parameters by their symbols in the papers, as they are declared, for mathtext."""

from __future__ import annotations

from rfsim.checking.text import GREEK, spelled
from rfsim.quantities.catalog import declared


def symbol_of(name: str) -> str:
    r"""The symbol of a parameter, or of the dimension that its values make; nothing where it has none.

    >>> symbol_of("train_time"), symbol_of("samples_per_dim"), symbol_of("seed")
    ('\\tau', '\\psi_n', '')
    """
    for one in declared().values():
        if name in (one.name, one.makes):
            return GREEK.sub(lambda letter: rf"\{spelled(letter[0])}", one.symbol)
    return ""
