from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfsim.sweeps.expressions import DEEPEST, LONGEST, expression

NAMES = {"a": 3.0, "samples_per_dim": 0.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4 * samples_per_dim", 2.0),
        ("1 - 2 - 3", -4.0),
        ("12 / 3 / 2", 2.0),
        ("1 + 2 * a - -a", 10.0),
        ("-(a + 1) * 2", -8.0),
        ("1e3 − .5", 999.5),
        ("((2))", 2.0),
        ("+a/2.", 1.5),
    ],
)
def test_arithmetic_has_its_usual_order(text, value):
    assert expression(text).value(NAMES) == value


def test_arrays_broadcast_and_division_by_zero_is_infinite():
    found = expression("a * b + 1").value({"a": np.arange(3.0)[:, None], "b": np.arange(2.0)})
    np.testing.assert_array_equal(found, np.arange(3)[:, None] * np.arange(2) + 1)
    assert expression("1 / b").value({"b": 0.0}) == math.inf
    assert np.isnan(expression("b / b").value({"b": 0.0}))


@pytest.mark.parametrize(
    "text",
    ["", "2 a", "a **2", "a // 2", "f(a)", "a.real", "a[0]", "__import__('os').system('x')", "(a", "a)", "1 +", "a % 2",
     "a if a else 1", "lambda: 1", "'a'", "a, a", "1_000 _",
     "1_000", "0x10", "1j", "True", "...", "()", "not a", "1or 2", "a # b", "ª + 1", "١", "a\\\n+ 1", "a := 1", "*a"],
)  # fmt: skip
def test_anything_else_is_refused_where_it_stands(text):
    with pytest.raises(ValueError, match="is no arithmetic: numbers, names"):
        expression(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [("a + f(a)", "f(a)"), ("2 * a ** 2", "a ** 2"), (" 1 + 'a'", "'a'"), ("1 − True", "True"), ("a; a", "; a")],
)
def test_a_refusal_says_where(text, where):
    with pytest.raises(ValueError, match=f'stuck at "{re.escape(where)}"'):
        expression(text)


def test_whole_numbers_past_float64_and_lines_are_read():
    assert expression("1" * 400).value({}) == math.inf
    assert expression("\n a\n + 1 \n").value(NAMES) == 4.0
    assert expression("-" * (LONGEST - 2) + "1").value({}) == 1.0


def test_only_short_texts_are_parsed():
    with pytest.raises(ValueError, match=f"at most {LONGEST} characters"):
        expression("1" * (LONGEST + 1))
    with pytest.raises(ValueError, match="an expression is a text"):
        expression(4)  # type: ignore[arg-type]
    assert expression("+".join(["1"] * (LONGEST // 2))).value({}) == LONGEST // 2
    with pytest.raises(ValueError, match=f"nests more than {DEEPEST} deep"):
        expression("(" * DEEPEST + "1" + ")" * DEEPEST)


LEAVES = st.sampled_from(["a", "samples_per_dim", "2", "0.25", "1e1"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(TREES)
def test_values_are_those_of_python(text):
    try:
        expected = eval(text, {}, NAMES)  # a text that this test made
    except ZeroDivisionError:
        return
    assert expression(text).value(NAMES) == pytest.approx(expected, nan_ok=True)
