"""Every part that a page may name is explained there."""

from __future__ import annotations

import itertools

from rfsim.problem.glossary import WORDS, explained
from rfsim.problem.ranks import PARTS
from rfsim.reproduce.report import page


def test_every_part_has_its_words():
    assert set(WORDS) == set(PARTS)
    assert list(explained(PARTS)) == list(reversed(PARTS))
    for lower, upper in itertools.pairwise(PARTS):  # neighbours that no gap separates
        found = explained([f"{lower}+{upper}"])
        assert set(found) == {f"{lower}+{upper}", lower, upper}
        assert f"{lower} and {upper}" in found[f"{lower}+{upper}"]


def test_the_report_explains_them():
    text = page.html([])
    assert all(f"<dt>{name}</dt><dd>" in text for name in PARTS)
