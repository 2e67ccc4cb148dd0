"""The page of the equations: their plain text, with an anchor for each tag and each section."""

from __future__ import annotations

import html
import re


def page(text: str) -> str:
    """Tagged equations as blocks of their own with an anchor each, and sections with short ones."""
    lines, block = [], []
    inline = set(re.findall(r"\(([TDWP]\d+)\)", text)) - set(re.findall(r"^\(([TDWP]\d+)\)", text, re.M))
    for line in [*text.splitlines(), ""]:
        if re.match(r"\([TDWP]\d+\)", line) or (block and line.startswith(" ")):
            block.append(line)
            continue
        if block:
            lines += tagged(block)
            block = []
        if re.match(r"(-|1\.) ", line) and lines and lines[-1] and not re.match(r"-|\s", lines[-1]):
            lines.append("")  # Markdown's lists begin after an empty line
        heading = re.fullmatch(r"## (\d+)\. .*", line)
        shown = f"{line} {{#s{heading[1]}}}" if heading else escaped(line)
        for tag in sorted(inline):
            if f"({tag})" in shown:
                shown = shown.replace(f"({tag})", f'<span id="{tag}">({tag})</span>', 1)
                inline.remove(tag)
        lines.append(shown)
    return "\n".join(lines)


def tagged(block: list[str]) -> list[str]:
    """Consecutive equations, each a line that begins with its tag and the indented lines below it."""
    found: list[list[str]] = []
    for line in block:
        if line.startswith("("):
            found.append([])
        found[-1].append(line)
    lines = [""]
    for one in found:
        tag = re.match(r"\(([TDWP]\d+)\)", one[0])
        assert tag
        body = html.escape("\n".join(one), quote=False)
        lines += [f'<pre class="equation" id="{tag[1]}">{body}</pre>', ""]
    return lines


def escaped(text: str) -> str:
    """Formulas keep their stars, underscores and angle brackets; bold, italics, links and code stay markup."""
    pieces = re.split(r"(`[^`]*`|\]\([^)\s]*\))", text)
    for k in range(0, len(pieces), 2):
        starred = re.sub(r"(?<=\w)\*(?=\()", r"\\*", pieces[k].replace("_", r"\_"))
        pieces[k] = re.sub(r"<(?=[\s\d=])", "&lt;", starred)
    return "".join(pieces)
