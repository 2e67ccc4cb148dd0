"""What is drawn for a page, and in which form it goes there: plain data both ways, so that any process may draw it."""

from __future__ import annotations

import traceback
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from rfsim.explorer.parts import Layout, Picture, Refused, Tab, Table, TabView, Tell
from rfsim.sweeps.engines import worker

Answer = dict[str, Any]  # "messages" and, unless something was refused, "pictures", "tables", "command" and "words"


class Question(NamedTuple):
    """What a page wants to be shown. gathered: of `tab.gather`."""

    tab: Tab
    gathered: Any
    layout: Layout


class FilmQuestion(NamedTuple):
    """Which animation a page wants. gathered: of `tab.gather_film`."""

    tab: Tab
    gathered: Any
    kind: Literal["gif", "mp4"]


class Filmed(NamedTuple):
    """The bytes of a file; or why there is none, and where that is a bug of rfsim its trace."""

    data: bytes
    refused: str = ""
    trace: str = ""


def answer(question: Question) -> Answer:
    """What is shown for a question, or why not; a bug's trace is under "trace". Raises nothing."""
    try:
        return {"messages": {}} | plain(question.tab.view(question.gathered, question.layout))
    except Refused as refused:
        return {"messages": refused.messages}
    except Exception as error:
        return {"messages": {"": bug(error)}, "trace": traceback.format_exc()}


def filmed(question: FilmQuestion, tell: Tell) -> Filmed:
    """The animation, or why there is none; `tell` hears of every frame. Raises nothing."""
    try:
        return Filmed(question.tab.animation(question.gathered, question.kind, tell))
    except Refused as refused:
        return Filmed(b"", str(refused))
    except Exception as error:
        return Filmed(b"", bug(error), traceback.format_exc())


def filmed_apart(question: FilmQuestion) -> Filmed:
    """`filmed` in a worker, which sends what is told to whoever asked."""
    return filmed(question, lambda done, total: worker.tell((done, total)))


def bug(error: Exception) -> str:
    """What a page says of an exception that nobody meant."""
    return f"this is a bug of rfsim, {type(error).__name__}: {error}"


def plain(view: TabView) -> Answer:
    """What is shown, as the page and another process can be sent it."""
    return {
        "pictures": [_picture(picture) for picture in view.pictures],
        "tables": [_table(table) for table in view.tables],
        "command": view.command,
        "words": [list(pair) for pair in view.words.items()],
    }


def _picture(picture: Picture) -> dict[str, Any]:
    source = f"data:{picture.kind};base64,{b64encode(picture.data).decode('ascii')}"
    return {"name": picture.name, "alt": picture.alt, "source": source}


def _table(table: Table) -> dict[str, Any]:
    rows = [
        # a number goes as text: JSON has no infinity, and its reader is a test
        {"name": name, "cells": [[value.text, "" if value.number is None else repr(value.number)] for value in values]}
        for name, values in table.rows.items()
    ]
    return {
        "name": table.name,
        "caption": table.caption,
        "columns": list(table.columns),
        "keys": list(table.keys),
        "rows": rows,
    }


Then = Callable[[Answer], None]  # hears the answer, in whichever thread
