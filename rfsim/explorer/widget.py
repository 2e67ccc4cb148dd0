"""The widget that is the explorer's page: it hears what a reader asks for and answers with pictures and numbers.

One widget is one session. All that runs in the browser is `widget.js`, in the look of `widget.css`; what comes from
there is text for a tab's `read`, and nothing else of it is acted on. It also works in a notebook: `Explorer()`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import anywidget
import traitlets

from rfsim.explorer import distillation, training
from rfsim.explorer.parts import Control, Pending, Picture, Refused, Tab, Table, TabView

TABS: tuple[Tab, ...] = (training.TAB, distillation.TAB)
EXPORTS = {"gif": "image/gif", "mp4": "video/mp4"}
LONGEST = 400  # characters of a text that is read at all
BETWEEN = 0.2  # seconds between two words on an animation's progress
# one redraw at a time for all sessions: theory and drawing take turns in Python hundreds of times each, and two at once
# hand each other its lock so slowly that they take several times as long
_ALONE = threading.Lock()
log = logging.getLogger(__name__)


class Explorer(anywidget.AnyWidget):
    """The page of one session.

    `pages` describes the tabs. The browser writes `asked`: {"number", "tab", "layout", "texts"}; the widget answers
    each with `shown`: {"number", "tab", "messages", "seconds"}, and unless something was refused "pictures", "tables",
    "command" and "words"; or "again", the seconds after which what is being computed may be there. The browser asks
    again only after an answer, so none of them waits in a queue.
    """

    _esm = resources.files("rfsim.explorer").joinpath("widget.js").read_text(encoding="utf-8")
    _css = resources.files("rfsim.explorer").joinpath("widget.css").read_text(encoding="utf-8")
    pages = traitlets.List().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)

    def __init__(self, tabs: Sequence[Tab] = TABS) -> None:
        super().__init__(pages=[_described(tab) for tab in tabs])
        self._tabs = {tab.name: tab for tab in tabs}
        self._writing = threading.Lock()  # of one animation at a time
        self.observe(lambda change: self._answer(change["new"]), "asked")
        self.on_msg(lambda _, content, __: self._export(content))

    def _answer(self, asked: Mapping[str, Any]) -> None:
        start = time.perf_counter()
        answer: dict[str, Any] = {"number": asked.get("number"), "tab": asked.get("tab"), "messages": {}}
        try:
            tab, choice = self._choice(asked)
            with _ALONE:
                answer |= _shown(tab.view(choice, _layout(asked)))
        except Refused as refused:
            answer["messages"] = refused.messages
            if isinstance(refused, Pending):
                answer["again"] = refused.again
        except Exception as error:
            log.exception("a redraw failed")
            answer["messages"] = {"": f"this is a bug of rfsim, {type(error).__name__}: {error}"}
        self.shown = answer | {"seconds": time.perf_counter() - start}

    def _choice(self, asked: Mapping[str, Any]) -> tuple[Tab, Any]:
        tab, texts = self._tabs.get(str(asked.get("tab"))), asked.get("texts")
        if tab is None or not isinstance(texts, Mapping):
            raise Refused({"": "the page asked for a tab that is not there; load it again"})
        read = {control.name: str(texts.get(control.name, control.start)) for control in tab.controls}
        long = {
            name: f"must be shorter than {LONGEST} characters" for name, text in read.items() if len(text) > LONGEST
        }
        if long:
            raise Refused(long)
        return tab, tab.read(read)

    def _export(self, content: Mapping[str, Any]) -> None:
        """Write an animation beside the session, which goes on; one at a time."""
        kind = str(content.get("export"))
        if kind not in EXPORTS:
            return
        if not self._writing.acquire(blocking=False):
            self._say(content, message="another animation is being written; save this one when that is done")
        else:
            threading.Thread(target=self._animate, args=(content, kind), daemon=True).start()

    def _animate(self, content: Mapping[str, Any], kind: Any) -> None:
        told = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told > BETWEEN:
                told = time.monotonic()
                self._say(content, done=done, total=total)

        try:
            tab, choice = self._choice(content)
            data = tab.animation(choice, kind, tell)
            self._say(content, [data], name=f"rfsim-{tab.name}.{kind}", type=EXPORTS[kind])
        except Refused as refused:
            self._say(content, message=str(refused))
        except Exception as error:
            log.exception("an animation failed")
            self._say(content, message=f"this is a bug of rfsim, {type(error).__name__}: {error}")
        finally:
            self._writing.release()

    def _say(self, content: Mapping[str, Any], buffers: Sequence[bytes] = (), **told: Any) -> None:
        """Tell the tab that asked for an animation how it stands."""
        self.send({"export": content["export"], "tab": content.get("tab"), **told}, buffers=list(buffers))


def _layout(asked: Mapping[str, Any]) -> Any:
    return "narrow" if asked.get("layout") == "narrow" else "wide"


def _described(tab: Tab) -> dict[str, Any]:
    return {
        "name": tab.name,
        "title": tab.title,
        "moving": tab.moving,
        "controls": [_control(control) for control in tab.controls],
    }


def _control(control: Control) -> dict[str, Any]:
    found = control._asdict()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _shown(view: TabView) -> dict[str, Any]:
    return {
        "pictures": [_picture(picture) for picture in view.pictures],
        "tables": [_table(table) for table in view.tables],
        "command": view.command,
        "words": [list(pair) for pair in view.words.items()],
    }


def _picture(picture: Picture) -> dict[str, Any]:
    from base64 import b64encode

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
