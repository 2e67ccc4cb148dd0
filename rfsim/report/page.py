"""The report as one HTML page that needs nothing but itself: style and figures are in it, and it runs no script.

All text is escaped; the page's own policy forbids it to load or to run anything. Equal parts give equal bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from string import Template

from rfsim.glossary import WORDS, explained
from rfsim.report.entries import EARLIER, Entry, Part
from rfsim.report.items import cited, items
from rfsim.report.pictures import Picture, pixels
from rfsim.report.texts import (
    SYMBOLS,
    counts,
    duration,
    size_words,
    standing_words,
    value_words,
    version_words,
)

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>rfsim: claims and figures</title>
<style>
$style</style>
</head>
<body>
<header>
<h1>Claims and figures</h1>
<p class="lead">What the papers on random-feature score models claim, and what rfsim finds: every verdict is computed \
from stored results by the rule beside its claim.</p>
$summary
</header>
<main>
$items
$words
$parts
</main>
</body>
</html>
""")
SHOWN = 0.62  # of a figure's pixels, so that its letters are about those of the page and sharp on a fine screen
WIDE = 900  # pixels beyond which a figure is not shrunk to a phone's width


def html(parts: Sequence[Part]) -> str:
    """The page."""
    return PAGE.substitute(
        style=resources.files("rfsim.report").joinpath("page.css").read_text(encoding="utf-8"),
        summary="\n".join(_summary(parts)),
        items="\n".join(_items(parts)),
        words="\n".join(_words()),
        parts="\n".join(line for part in parts for line in _part(part)),
    )


def _summary(parts: Sequence[Part]) -> Iterator[str]:
    """Counts by verdict, each a choice of the rows that are shown, and a list of the experiments."""
    found = counts(parts)
    yield '<fieldset class="filter"><legend>Show the claims that are</legend>'
    for verdict, words, count in (("all", "all", sum(found.values())), *((v, v, n) for v, n in found.items())):
        name, checked = _slug(verdict), " checked" if verdict == "all" else ""
        symbol = f'<span class="symbol" aria-hidden="true">{SYMBOLS[verdict]}</span> ' if verdict != "all" else ""
        yield f'<input type="radio" name="show" id="show-{name}"{checked}><label for="show-{name}" class="{name}">'
        yield f"{symbol}<b>{count}</b> {escape(words)}</label>"
    yield "</fieldset>"
    yield from (f'<p class="standing">{escape(words)}</p>' for words in (size_words(parts), *version_words(parts)))
    yield '<nav aria-label="Experiments"><ol class="index">'
    for part in parts:
        marks = "".join(_mark(entry) for entry in part.entries)
        size = escape(part.size or "not run")
        title = escape(part.title)
        yield f'<li><a href="#{escape(part.name)}">{title}</a> <span class="size">{size}</span> '
        yield f'<span class="marks">{marks}</span></li>'
    yield "</ol></nav>"


def _items(parts: Sequence[Part]) -> Iterator[str]:
    """Every item of equations.md §9 with the claims that speak to it."""
    yield '<section id="items"><h2>The claims to check, and where they are answered</h2><ol class="items">'
    for number, words in items().items():
        rows = [entry for part in parts for entry in part.entries if number in cited(entry.claim.source)]
        links = " ".join(
            f'<a class="chip {_slug(entry.verdict)}" href="#{escape(entry.claim.id)}" title="{escape(entry.verdict)}">'
            f"{_symbol(entry)}&nbsp;{escape(entry.claim.id)}</a>"
            for entry in rows
        )
        yield f'<li value="{number}"><details><summary>{escape(_short(words))}</summary><p>{escape(words)}</p>'
        yield f'</details><p class="chips">{links}</p></li>'
    yield "</ol></section>"


def _words() -> Iterator[str]:
    """What the parts of a spectrum are, which claims and figures name."""
    yield '<section id="words"><h2>The parts of a spectrum</h2>'
    yield '<p class="note">U, the matrix of second moments of the features, has p eigenvalues; a direction is '
    yield "learned at a training time τ of about the inverse of its own.</p><dl>"
    yield from (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in explained(WORDS).items())
    yield "</dl></section>"


def _part(part: Part) -> Iterator[str]:
    """One experiment: what was judged, its claims, its figures."""
    yield f'<section class="part" id="{escape(part.name)}">'
    yield f'<h2>{escape(part.title)} <a class="self" href="#{escape(part.name)}">{escape(part.name)}</a></h2>'
    time = f" · wall time {escape(duration(part.standing.seconds))}" if part.size else ""
    yield f'<p class="standing">{escape(standing_words(part))}{time}</p>'
    verb = "Redo" if part.size else "Run"
    yield f'<p class="command">{verb} it: <code>{escape(part.command)}</code></p>'
    if part.larger:
        command, seconds = part.larger
        yield f'<p class="command">Published size, about {duration(seconds)} on two cores: '
        yield f"<code>{escape(command)}</code></p>"
    yield '<table><thead><tr><th scope="col">Verdict</th><th scope="col">Claim and source</th>'
    yield '<th scope="col">Published</th><th scope="col">Ours</th></tr></thead><tbody>'
    for entry in part.entries:
        yield _row(entry)
    yield "</tbody></table>"
    for picture in part.pictures:
        yield _figure(part, picture)
    yield "</section>"


def _row(entry: Entry) -> str:
    claim = entry.claim
    remarks = "".join(
        f'<p class="{"note" if remark == EARLIER else "remark"}">{escape(remark)}</p>' for remark in entry.remarks
    )
    seeds = f'<p class="note">{escape(entry.seeds)}</p>' if entry.seeds else ""
    return (
        f'<tr class="claim {_slug(entry.verdict)}" id="{escape(claim.id)}">'
        f'<td><span class="badge {_slug(entry.verdict)}">{_symbol(entry)} {escape(entry.verdict)}</span></td>'
        f"<td>{escape(claim.claim)}"
        f'<p class="note">{escape(claim.source)} · <a href="#{escape(claim.id)}">{escape(claim.id)}</a></p></td>'
        f'<td data-head="Published">{escape(claim.published)}</td>'
        f'<td data-head="Ours">{escape(value_words(entry))}{remarks}{seeds}</td></tr>'
    )


def _figure(part: Part, picture: Picture) -> str:
    head = f'<figure id="figure-{escape(picture.name)}">'
    caption = f"<b>{escape(picture.name)}</b> · {escape(picture.caption)}"
    if picture.file is None:
        return f'{head}<p class="missing">{escape(picture.failure)}</p><figcaption>{caption}</figcaption></figure>'
    data = picture.file.read_bytes()
    width, height = pixels(data)
    kind = ' class="wide" tabindex="0"' if width > WIDE else ""
    alt = escape(f"Figure {picture.name}: {picture.caption}; drawn from results of size {part.size}")
    image = (
        f'<img alt="{alt}" width="{width * SHOWN:.0f}" height="{height * SHOWN:.0f}" '
        f'src="data:image/png;base64,{base64.b64encode(data).decode()}">'
    )
    command = f"rfsim reproduce {picture.name} --size {part.size}"
    below = f"{caption}<br>size {escape(str(part.size))} · <code>{escape(command)}</code>"
    return f"{head}<div{kind}>{image}</div><figcaption>{below}</figcaption></figure>"


def _mark(entry: Entry) -> str:
    return (
        f'<a class="mark {_slug(entry.verdict)}" href="#{escape(entry.claim.id)}" '
        f'title="{escape(entry.verdict)}: {escape(entry.claim.claim)}">{_symbol(entry)}</a>'
    )


def _symbol(entry: Entry) -> str:
    return f'<span class="symbol" aria-hidden="true">{SYMBOLS[entry.verdict]}</span>'


def _slug(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _short(words: str) -> str:
    """The first clause of an item.

    >>> _short("B25: L_gen collapses over ψ_n; τ_mem ∝ n. A first look"), _short("L_gen over n (Fig. 5). They")
    ('B25: L_gen collapses over ψ_n', 'L_gen over n (Fig. 5)')
    """
    return re.split(r"; |\.$|\. (?=[A-Z])", words)[0]
