"""What stands on the page fits it: the widget's own page in a browser, over answers that need no server."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from rfsim.explorer.distillation import numbers
from rfsim.explorer.parts import TabView

# a model that answers every question with the same tables
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>body {{ margin: 0 }} {css}</style><div id="here"></div><script type="module">
const state = {{ pages: {pages} }}, answer = {shown}, heard = {{}};
const model = {{
  get: (name) => state[name],
  set: (name, value) => (state[name] = value),
  on: (name, call) => (heard[name] = call),
  off: () => {{}},
  send: () => {{}},
  save_changes: () => setTimeout(() => {{
    state.shown = {{ ...answer, number: state.asked.number, tab: state.asked.tab }};
    heard["change:shown"]();
  }}),
}};
const source = new Blob([{module}], {{ type: "text/javascript" }});
const widget = (await import(URL.createObjectURL(source))).default;
widget.render({{ model, el: document.getElementById("here") }});
</script>"""


def samples_table():
    """The widest table of the page, with numbers as long as they get."""
    words = ("teacher, 10 steps", "student, 1 step", "regression on the teacher's ends, 1 step", "true law")
    measures = dict.fromkeys(numbers.MEASURES, 0.000123456)
    models = tuple(numbers.Model(str(k), word, measures, None) for k, word in enumerate(words))
    shown = SimpleNamespace(models=models, points=np.zeros((40, 2)), plane=SimpleNamespace(sizes={"sample": 500}))
    return numbers._samples(shown)


@pytest.fixture
def page(browser):
    from rfsim.explorer import questions
    from rfsim.explorer.widget import Explorer, _described

    def opened(width: int):
        found = browser.new_page(viewport={"width": width, "height": 900})
        shown = {"messages": {}, "seconds": 0.0} | questions.plain(TabView((), (samples_table(),), "rfsim distill"))
        pages = [_described(tab) for tab in Explorer()._tabs.values()]
        texts = {"pages": json.dumps(pages), "shown": json.dumps(shown), "module": json.dumps(Explorer._esm)}
        found.set_content(PAGE.format(css=Explorer._css, **texts))
        found.locator(".rfsim[aria-busy='false'] table").first.wait_for()
        return found

    return opened


@pytest.mark.parametrize("width", [1024, 1280, 1440, 1920])
def test_no_column_of_a_table_is_cut_on_a_desk(page, width):
    tables = page(width).locator(".scroll:visible")
    assert tables.count() == 1
    assert tables.first.evaluate("one => one.scrollWidth <= one.clientWidth"), width


@pytest.mark.parametrize("width", [390, 640, 1440])
def test_the_page_itself_never_scrolls_sideways(page, width):
    found = page(width)
    assert found.evaluate("() => document.scrollingElement.scrollWidth") <= width
    heads = found.locator(".rfsim header > *, .rfsim .tabs button").evaluate_all(
        "all => all.filter((one) => !one.querySelector('button')).map((one) => one.getBoundingClientRect().toJSON())"
    )
    for k, one in enumerate(heads):
        for other in heads[k + 1 :]:
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
