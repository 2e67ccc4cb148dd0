"""Driving the page as a reader does, and reading what stands on it."""

from __future__ import annotations

import math
from collections.abc import Mapping

ANSWERED_SINCE = """(root, before) => new Promise((resolve, reject) => {
    const since = performance.now();
    const look = () => {
        if (Number(root.dataset.number) > before && root.getAttribute('aria-busy') === 'false') {
            resolve(Number(root.dataset.milliseconds));
        } else if (performance.now() - since > 60000) reject(new Error('no answer in a minute'));
        else setTimeout(look, 5);
    };
    look();
})"""


class Driver:
    """One open page; `problems` gathers what the browser complains of."""

    def __init__(self, page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("console", lambda said: said.type == "error" and self.problems.append(said.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("requestfailed", lambda request: self.problems.append(f"{request.url} {request.failure}"))
        page.on("response", lambda got: got.status >= 400 and self.problems.append(f"{got.url} {got.status}"))

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.locator(".rfsim[aria-busy='false']").wait_for(timeout=60_000)

    def check(self) -> None:
        assert not self.problems, self.problems

    @property
    def root(self):
        return self.page.locator(".rfsim")

    @property
    def panel(self):
        """The tab that is open."""
        return self.page.locator(".rfsim .page:visible")

    def tab(self, name: str) -> None:
        self.after(lambda: self.page.locator(f"[data-tab={name}]").click())

    def after(self, act) -> float:
        """Do something that asks for another picture, and wait until it is there; milliseconds as the page saw it."""
        before = int(self.root.get_attribute("data-number") or 0)
        act()
        return self.root.evaluate(ANSWERED_SINCE, before)

    def type(self, control: str, text: str) -> float:
        box = self.panel.locator(f"input[data-control={control}]")

        def act() -> None:
            box.fill(text)
            box.press("Enter")

        self._unlike(box, text)
        return self.after(act)

    def choose(self, control: str, option: str) -> float:
        box = self.panel.locator(f"select[data-control={control}]")
        self._unlike(box, option)
        return self.after(lambda: box.select_option(option))

    def _unlike(self, box, text: str) -> None:
        """The page asks for nothing where a control is given what it holds already: a test would wait in vain."""
        assert box.input_value() != text, f"{text!r} stands there already"

    def press(self, control: str, key: str) -> float:
        """A key on the slider of a control."""
        return self.after(lambda: self.panel.locator(f"[data-slider={control}]").press(key))

    def texts(self) -> dict[str, str]:
        """What stands in the controls."""
        boxes = self.panel.locator("[data-control]")
        return {
            box.get_attribute("data-control"): box.input_value() for box in (boxes.nth(k) for k in range(boxes.count()))
        }

    def message(self, control: str) -> str:
        return self.panel.locator(f"[data-message='{control}']").text_content() or ""

    def messages(self) -> Mapping[str, str]:
        found = self.panel.locator("[data-message]")
        said = {one.get_attribute("data-message"): one.text_content() or "" for one in found.all()}
        return {name: text for name, text in said.items() if text}

    def numbers(self) -> dict[tuple[str, str, str], float]:
        """(table, row, column) → the number on the page; NaN where there is none."""
        read = """tables => tables.flatMap(table => [...table.querySelectorAll('td')].map(cell =>
            [table.dataset.table, cell.parentElement.dataset.row, cell.dataset.key, cell.dataset.value]))"""
        found = self.panel.locator("[data-table]").evaluate_all(read)
        return {(table, row, key): float(value) if value else math.nan for table, row, key, value in found}

    def command(self) -> str:
        return self.panel.locator("[data-command]").text_content()

    def pictures(self) -> dict[str, str]:
        read = "figures => figures.map(figure => [figure.dataset.picture, figure.querySelector('img').src])"
        return dict(self.panel.locator("[data-picture]").evaluate_all(read))
