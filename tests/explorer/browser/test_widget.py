"""The widget by itself: what it answers to what a browser may send."""

from __future__ import annotations

import math

import pytest

from rfsim.explorer.parts import Control, Pending, Picture, Refused, Table, TabView, Value


class Toy:
    """A tab that shows the number in its one control."""

    name, title, moving = "toy", "Toy: one number", "ratio"
    controls = (Control("ratio", "a ratio", "1", steps=("1", "2")),)

    def read(self, texts):
        if texts["ratio"] == "bug":
            raise TypeError("no such thing")
        return texts["ratio"]

    def view(self, choice, layout):
        if choice == "bad":
            raise Refused({"ratio": "ratio must be a number; got 'bad'"})
        if choice == "later":
            raise Pending({"": "being computed"})
        cells = (Value(choice, float(choice)), Value("∞", math.inf), Value("—"))
        table = Table("numbers", "Numbers", ("what", "is", "never", "none"), ("is", "never", "none"), {"ratio": cells})
        return TabView((Picture("one", "image/svg+xml", b"<svg/>", layout),), (table,), f"rfsim toy --ratio {choice}")


@pytest.fixture
def ask():
    from rfsim.explorer.widget import Explorer

    widget = Explorer([Toy()])

    def answer(text: object, **others: object) -> dict:
        number = widget.asked.get("number", 0) + 1
        widget.asked = {"number": number, "tab": "toy", "layout": "wide", "texts": {"ratio": text}} | others
        assert widget.shown["number"] == number
        return widget.shown

    return answer


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
    assert ask("bug")["messages"] == {"": "this is a bug of rfsim, TypeError: no such thing"}
    assert "a redraw failed" in caplog.text
    assert ask("2")["messages"] == {}


@pytest.mark.parametrize("others", [{"tab": "other"}, {"tab": None}, {"texts": 3}, {"texts": None}])
def test_what_no_page_sends_is_refused(ask, others):
    assert "load it again" in ask("1", **others)["messages"][""]


def test_texts_without_end_are_not_read(ask):
    assert "shorter than" in ask("9" * 10_000)["messages"]["ratio"]
