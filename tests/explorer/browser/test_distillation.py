"""The second tab in a browser: controls moved, numbers held against the library, what is not kept yet, refusals."""

from __future__ import annotations

import math

import pytest

from rfsim.explorer import distillation
from tests.explorer.browser.driver import Driver

CONTROLS = {control.name: control for control in distillation.TAB.controls}
START = {name: control.start for name, control in CONTROLS.items()}
FREE = ("ridge", "distill_time", "level")  # of what is computed at the start already


@pytest.fixture(scope="module")
def driver(browser, served, cache):
    # results are kept beside the compiled programs: the library's numbers are not computed a second time here
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RFSIM_CACHE", str(cache))
        page = Driver(browser.new_page(viewport={"width": 1440, "height": 900}))
        page.open(served.url)
        page.tab("distillation")
        yield page
        page.check()
        page.page.close()


def compare(driver: Driver) -> None:
    """Every number on the page is the tab's for the texts on it, whose own tests hold it against `rfsim.distill`."""
    tab = distillation.TAB
    tab.prepare(lambda done, total: None)
    tables = tab.view(tab.gather(tab.read(driver.texts())), "wide").tables
    wanted = {
        (table.name, row, key): math.nan if value.number is None else value.number
        for table in tables
        for row, values in table.rows.items()
        for key, value in zip(table.keys, values, strict=True)
    }
    shown = driver.numbers()
    assert shown.keys() == wanted.keys()
    assert all(shown[key] == pytest.approx(value, rel=1e-12, nan_ok=True) for key, value in wanted.items())
    assert sum(math.isfinite(value) for value in shown.values()) > 20


def back(driver: Driver) -> None:
    for name, text in START.items():
        if driver.texts()[name] != text:
            (driver.choose if CONTROLS[name].options else driver.type)(name, text)


def test_the_first_pictures_have_the_numbers_of_the_library(driver):
    assert driver.texts() == START
    assert len(driver.pictures()) == 3
    compare(driver)


@pytest.mark.parametrize("name", FREE)
def test_controls_move(driver, name):
    back(driver)
    before = driver.pictures()
    if CONTROLS[name].options:
        driver.choose(name, next(text for text in CONTROLS[name].options if text != START[name]))
    else:
        driver.press(name, "ArrowLeft")
    assert not driver.messages()
    assert driver.texts()[name] != START[name]
    assert driver.pictures() != before
    compare(driver)


@pytest.mark.parametrize("name", [name for name in CONTROLS if name not in FREE])
def test_what_is_not_kept_is_computed_while_the_picture_stays(driver, name):
    back(driver)
    before = driver.pictures(), driver.command()
    driver.choose(name, next(text for text in CONTROLS[name].options if text != START[name]))
    if message := driver.message(""):
        assert "computed for the first time" in message
        assert (driver.pictures(), driver.command()) == before
        driver.panel.locator("[data-message='']").filter(has_text="computed").wait_for(state="hidden", timeout=240_000)
    assert not driver.messages()
    assert driver.command() != before[1]
    compare(driver)


@pytest.mark.parametrize("text", ["-1", "much", "0.3", "nan"])
def test_bad_input_keeps_the_picture(driver, text):
    back(driver)
    before = driver.pictures(), driver.command()
    driver.type("ridge", text)
    with pytest.raises(ValueError, match="ridge") as refused:
        distillation.TAB.read(driver.texts())
    assert driver.messages() == {"ridge": str(refused.value)}
    assert (driver.pictures(), driver.command()) == before
    back(driver)
    assert not driver.messages()
