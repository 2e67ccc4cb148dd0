"""The widget that is the explorer's page: it hears what a reader asks for and answers with pictures and numbers.

One widget is one session. All that runs in the browser is `widget.js`, in the look of `widget.css`; what comes from
there is text for a tab's `read`, and nothing else of it is acted on. It also works in a notebook: `Explorer()`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import resources
from typing import Any

import anywidget
import traitlets

from rfsim.explorer import workers
from rfsim.explorer.parts import Control, Pending, Refused, Tab
from rfsim.explorer.questions import Answer, FilmQuestion, Question, bug
from rfsim.explorer.tabs import TABS

EXPORTS = {"gif": "image/gif", "mp4": "video/mp4"}
LONGEST = 400  # characters of a text that is read at all
BETWEEN = 0.2  # seconds between two words on an animation's progress
log = logging.getLogger(__name__)


class Explorer(anywidget.AnyWidget):
    """The page of one session.

    `pages` describes the tabs. The browser writes `asked`: {"number", "tab", "layout", "texts"}; the widget answers
    with `shown`: {"number", "tab", "messages", "seconds"}, and unless something was refused "pictures", "tables",
    "command" and "words"; or "again", the seconds after which what is being computed may be there. What can be read is
    drawn by workers: the browser may ask anew before an answer, and then hears nothing of a question that none of them
    had begun.

    tabs: that it has. drawn_by: workers; those of the whole process by default.
    """

    _esm = resources.files("rfsim.explorer").joinpath("widget.js").read_text(encoding="utf-8")
    _css = resources.files("rfsim.explorer").joinpath("widget.css").read_text(encoding="utf-8")
    pages = traitlets.List().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)

    def __init__(self, tabs: Sequence[Tab] = TABS, drawn_by: workers.Workers | None = None) -> None:
        super().__init__(pages=[_described(tab) for tab in tabs])
        self._tabs = {tab.name: tab for tab in tabs}
        self._workers = drawn_by or workers.shared()
        self._writing = threading.Lock()  # of one animation at a time
        self._showing, self._count, self._latest = threading.Lock(), 0, 0
        self.observe(lambda change: self._answer(change["new"]), "asked")
        self.on_msg(lambda _, content, __: self._export(content))

    def _answer(self, asked: Mapping[str, Any]) -> None:
        self._count += 1
        then = partial(self._show, self._count, asked, time.perf_counter())
        try:
            tab, choice = self._choice(asked)
            question = Question(tab, tab.gather(choice), _layout(asked))
        except Refused as refused:
            then({"messages": refused.messages} | ({"again": refused.again} if isinstance(refused, Pending) else {}))
        except Exception as error:
            log.exception("a redraw failed")
            then({"messages": {"": bug(error)}})
        else:
            self._workers.ask(self, question, then)

    def _show(self, count: int, asked: Mapping[str, Any], start: float, answer: Answer) -> None:
        """Send an answer, unless a later question has had its own."""
        if trace := answer.pop("trace", ""):
            log.error("a redraw failed\n%s", trace)
        told = {"number": asked.get("number"), "tab": asked.get("tab"), "seconds": time.perf_counter() - start}
        with self._showing:
            if count > self._latest:
                self._latest = count
                self.shown = answer | told

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
            found = self._workers.film(FilmQuestion(tab, tab.gather_film(choice), kind), tell)
            if found.trace:
                log.error("an animation failed\n%s", found.trace)
            if found.refused:
                self._say(content, message=found.refused)
            else:
                self._say(content, [found.data], name=f"rfsim-{tab.name}.{kind}", type=EXPORTS[kind])
        except Refused as refused:
            self._say(content, message=str(refused))
        except Exception as error:
            log.exception("an animation failed")
            self._say(content, message=bug(error))
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
