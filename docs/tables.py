"""Cells of tables know their column's name, so that on a phone each row can be a list of named cells."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor


class _Labels(Treeprocessor):
    """Writes the text of the head of each column into its cells."""

    def run(self, root: Element) -> None:
        for table in root.iter("table"):
            heads = ["".join(cell.itertext()).strip() for cell in table.iter("th")]
            for row in table.iterfind("tbody/tr"):
                for head, cell in zip(heads, row, strict=False):
                    cell.set("data-label", head)


class Labelled(Extension):
    """The extension of Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:
        # after "inline" (20), which makes what stands in cells
        md.treeprocessors.register(_Labels(md), "table labels", 5)
