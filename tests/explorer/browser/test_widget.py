"""The widget by itself: what it answers to what a browser may send."""

from __future__ import annotations

import logging
import time

import pytest

from rfsim.explorer.parts import Pending
from rfsim.explorer.workers import Workers
from tests.explorer.toys import SECONDS, Toy, wait_for


@pytest.fixture(scope="module")
def workers():
    found = Workers(2)
    yield found
    found.close()


@pytest.fixture
def widget(workers):
    from rfsim.explorer.widget import Explorer

    return Explorer([Toy()], workers)


@pytest.fixture
def ask(widget):
    def answer(text: object, **others: object) -> dict:
        number = widget.asked.get("number", 0) + 1
        widget.asked = {"number": number, "tab": "toy", "layout": "wide", "texts": {"ratio": text}} | others
        return shown(widget, number)

    return answer


def shown(widget, number: int) -> dict:
    """The answer to a question."""
    end = time.monotonic() + SECONDS
    while widget.shown.get("number") != number:
        assert time.monotonic() < end, f"no answer to {number}"
        time.sleep(0.005)
    return widget.shown


def test_an_answer_holds_pictures_tables_and_the_command(ask):
    shown = ask("2")
    assert shown["messages"] == {}
    assert shown["pictures"] == [{"name": "one", "alt": "wide", "source": "data:image/svg+xml;base64,PHN2Zy8+"}]
    assert shown["tables"][0]["rows"] == [{"name": "ratio", "cells": [["2", "2.0"], ["∞", "inf"], ["—", ""]]}]
    assert shown["command"] == "rfsim toy --ratio 2"
    assert ask("1", layout="narrow")["pictures"][0]["alt"] == "narrow"


def test_a_refusal_holds_messages_alone(ask):
    shown = ask("bad")
    assert shown["messages"] == {"ratio": "ratio must be a number; got 'bad'"}
    assert "pictures" not in shown
    assert "again" not in shown


def test_what_is_being_computed_is_asked_for_again(ask):
    assert ask("later")["again"] == Pending.again


def test_a_bug_is_said_and_the_page_lives_on(ask, caplog):
    with caplog.at_level(logging.ERROR):
        assert ask("bug")["messages"] == {"": "this is a bug of rfsim, TypeError: no such thing"}
        assert ask("unread")["messages"] == {"": "this is a bug of rfsim, TypeError: no such text"}
    assert caplog.text.count("a redraw failed") == 2
    assert 'raise TypeError("no such thing")' in caplog.text
    assert ask("2")["messages"] == {}


@pytest.mark.parametrize("others", [{"tab": "other"}, {"tab": None}, {"texts": 3}, {"texts": None}])
def test_what_no_page_sends_is_refused(ask, others):
    assert "load it again" in ask("1", **others)["messages"][""]


def test_texts_without_end_are_not_read(ask):
    assert "shorter than" in ask("9" * 10_000)["messages"]["ratio"]


def test_an_answer_that_a_later_one_has_overtaken_is_not_shown(ask, widget, tmp_path):
    asked = {"tab": "toy", "layout": "wide", "texts": {"ratio": f"slow:{tmp_path / 'a'}"}}
    widget.asked = asked | {"number": 1}
    wait_for(tmp_path / "a")
    assert ask("2")["command"] == "rfsim toy --ratio 2"
    (tmp_path / "a.go").touch()
    assert ask("3")["number"] == 3
    time.sleep(0.1)
    assert widget.shown["number"] == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bad", "no such animation"),
        ("bug", "this is a bug of rfsim, TypeError: no such film"),
        ("later", "being computed"),
        ("2", ""),
    ],
)
def test_an_animation_is_sent_or_why_there_is_none(widget, monkeypatch, text, words):
    sent = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=(): sent.append((content, list(buffers))))
    widget._export({"export": "gif", "tab": "toy", "texts": {"ratio": text}})
    end = time.monotonic() + SECONDS
    while not sent or "total" in sent[-1][0]:
        assert time.monotonic() < end
        time.sleep(0.005)
    content, buffers = sent[-1]
    if words:
        assert (content["message"], buffers) == (words, [])
    else:
        assert content["name"] == "rfsim-toy.gif"
        assert buffers[0].startswith(b"gif of 2 by ")
