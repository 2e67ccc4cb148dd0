"""The parts of a spectrum in words, for pages and reports; nothing that computes depends on this."""

from __future__ import annotations

from collections.abc import Iterable

from rfsim.problem.ranks import PARTS

WORDS = {
    "gen": "the d largest eigenvalues, one for each direction of the data's covariance; learned first, and what is "
    "learned there holds for new data too",
    "main": "n − d directions of single training samples; learned after gen, and what is learned there is memorized",
    "mini": "d directions of the samples too, below main where a gap splits them off; memorized last",
    "null": "directions of the features that no sample reaches: with averaged noise all at one eigenvalue, s²",
    "zero": "directions of the features that the training draws do not span; never learned",
}


def explained(names: Iterable[str]) -> dict[str, str]:
    """What parts are, in words, from the one that is learned first; and of names that stand for several, that they do.

    >>> list(explained(["null", "mini+main", "gen"]))
    ['gen', 'mini+main', 'main', 'mini', 'null']
    """
    wanted = sorted(names, key=lambda name: -PARTS.index(name.rpartition("+")[2]))
    found = {}
    for name in wanted:
        if "+" in name:
            found[name] = f"{name.replace('+', ' and ')}, which no gap separates here"
        found |= {one: WORDS[one] for one in reversed(name.split("+"))}
    return found
