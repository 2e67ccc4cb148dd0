"""The first tab in a browser: every control moved, numbers held against the library, refusals, play, save, copy."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path

import numpy as np
import pytest

import rfsim
from rfsim.checking.text import number
from rfsim.explorer import training
from rfsim.explorer.parts import Refused
from rfsim.problem.model import Problem

WIDTHS = (390, 1440)
CONTROLS = {control.name: control for control in training.TAB.controls}
START = {name: control.start for name, control in CONTROLS.items()}
NUMBERS = ("samples_per_dim", "features_per_dim", "diffusion_time", "noise_copies", "ridge")
LOSSES = {"L_train": "train", "L_test": "test", "E_score": "score"}
MOVED = {
    "samples_per_dim": "5.3",
    "features_per_dim": "41",
    "diffusion_time": "0.033",
    "noise_copies": "5",
    "ridge": "0.0123",
    "train_time": "777",
}
BAD = {
    "samples_per_dim": ("-1", "0", "four", "nan", "", "1e400", "1,5"),
    "features_per_dim": ("-2", "x"),
    "diffusion_time": ("0", "-0.1", "inf"),
    "noise_copies": ("0", "2.5", "-1"),
    "ridge": ("-0.1", "nan"),
    "train_time": ("-1", "soon"),
    "data": ("istropic", "isotropic:-1", "/etc/passwd", "eigenvalues:/etc/passwd", "atoms:0.5@0.5", "x" * 500),
}


def expected(texts: dict[str, str]) -> dict[tuple[str, str, str], float]:
    """What the library says for the texts in the controls."""
    values = {name: number(texts[name]) for name in NUMBERS}
    problem = Problem(**values, data=texts["data"], activation=texts["activation"])
    found = rfsim.theory.curves(problem, [number(texts["train_time"]), math.inf])
    parts = {
        ("parts", str(name), key): float(found[variable][k])
        for k, name in enumerate(found.part.values)
        for key, variable in (("mass", "mass"), ("lower", "lower"), ("upper", "upper"))
    }
    losses = {
        ("losses", row, key): float(found[name][k])
        for row, name in LOSSES.items()
        for k, key in enumerate(("now", "end"))
    }
    times = {
        ("timescales", "τ_gen, mean of gen", "train_time"): float(found.tau_gen.sel(gen_route="spectrum")),
        ("timescales", "τ_mini, median of mini", "train_time"): float(found.tau_mem.sel(mem_route="mini")),
    }
    constants = {("constants", row, "value"): float(found[name]) for row, name in {"a": "a", "v²": "v2"}.items()}
    return parts | losses | times | constants


def compare(driver) -> None:
    """Every number on the page that the library says, within what solving twice may differ by."""
    shown, wanted = driver.numbers(), expected(driver.texts())
    assert len(shown) > len(wanted)
    for key, value in wanted.items():
        if math.isnan(value):
            continue  # what has no value here may have no row
        assert shown[key] == pytest.approx(value, rel=1e-7, abs=1e-12), key


@pytest.fixture(scope="module")
def driver(browser, served):
    from tests.explorer.browser.driver import Driver

    page = Driver(browser.new_page(viewport={"width": 1440, "height": 900}))
    page.open(served.url)
    yield page
    page.check()
    page.page.close()


def back(driver) -> None:
    """All controls as at first."""
    for name, text in START.items():
        if driver.texts()[name] != text:
            if name == "activation":
                driver.choose(name, text)
            else:
                driver.type(name, text)


def test_the_first_picture_has_the_numbers_of_the_library(driver):
    assert driver.texts() == START
    compare(driver)


@pytest.mark.parametrize("control", [name for name, one in CONTROLS.items() if one.steps])
def test_a_slider_moves_by_the_keyboard(driver, control):
    back(driver)
    steps = CONTROLS[control].steps
    before, pictures, command = steps.index(driver.texts()[control]), driver.pictures(), driver.command()
    key, step = ("ArrowLeft", -1) if before == len(steps) - 1 else ("ArrowRight", 1)
    driver.press(control, key)
    assert driver.texts()[control] == steps[before + step]
    assert not driver.messages()
    assert driver.command() != command
    assert all(driver.pictures()[name] != picture for name, picture in pictures.items())
    compare(driver)


@pytest.mark.parametrize("control", MOVED)
def test_a_number_is_typed(driver, control):
    back(driver)
    driver.type(control, MOVED[control])
    assert not driver.messages()
    compare(driver)


@pytest.mark.parametrize("data", CONTROLS["data"].suggestions[1:])
def test_populations(driver, data):
    back(driver)
    driver.type("data", data)
    assert not driver.messages()
    compare(driver)


@pytest.mark.parametrize("activation", CONTROLS["activation"].options)
def test_activations(driver, activation):
    back(driver)
    if activation != driver.texts()["activation"]:
        driver.choose("activation", activation)
    assert not driver.messages()
    compare(driver)


@pytest.mark.parametrize(("control", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_bad_input_shows_the_message_and_keeps_the_picture(driver, control, text):
    back(driver)
    pictures, numbers, command = driver.pictures(), driver.numbers(), driver.command()
    driver.type(control, text)
    try:
        training.TAB.read(driver.texts())
        own = None
    except Refused as refused:
        own = refused.messages
    if len(text) < 400:
        assert own is not None
        assert driver.messages() == own
    assert list(driver.messages()) == [control]
    box = driver.panel.locator(f"input[data-control={control}]")
    assert box.get_attribute("aria-invalid") == "true"
    assert (driver.pictures(), driver.command()) == (pictures, command)
    assert repr(driver.numbers()) == repr(numbers)
    driver.type(control, START[control])
    assert not driver.messages()
    assert box.get_attribute("aria-invalid") == "false"


def test_a_combination_that_the_library_refuses(driver):
    back(driver)
    driver.type("samples_per_dim", "2")
    driver.type("noise_copies", "4")
    pictures = driver.pictures()
    driver.type("features_per_dim", "8")  # p = n m without a ridge
    with pytest.raises(ValueError, match="give a ridge") as refused:
        rfsim.theory.curves(
            Problem(
                samples_per_dim=2, features_per_dim=8, noise_copies=4, diffusion_time=float(START["diffusion_time"])
            ),
            [1.0],
        )
    assert driver.messages() == {"ridge": str(refused.value)}
    assert driver.pictures() == pictures
    driver.type("ridge", "0.01")
    assert not driver.messages()
    compare(driver)


def test_two_mistakes_are_said_at_once(driver):
    back(driver)
    driver.type("samples_per_dim", "-1")
    driver.type("ridge", "much")
    assert set(driver.messages()) == {"samples_per_dim", "ridge"}


DRAGGED = """async (slider, positions) => {
    for (const position of positions) {
        slider.value = position;
        slider.dispatchEvent(new Event('input'));
        await new Promise(resolve => setTimeout(resolve, 20));
    }
}"""


def test_a_slider_that_is_dragged_asks_now_and_then_and_ends_at_its_last_choice(driver):
    back(driver)
    steps, before = CONTROLS["ridge"].steps, int(driver.root.get_attribute("data-number"))
    driver.panel.locator("[data-slider=ridge]").evaluate(DRAGGED, [1 + k % 12 for k in range(40)] + [7])
    driver.page.locator(".rfsim[aria-busy='false']").wait_for(timeout=60_000)
    assert driver.texts()["ridge"] == steps[7]
    assert not driver.messages()
    compare(driver)
    assert int(driver.root.get_attribute("data-number")) - before < 40  # those between are not asked for


def test_play_moves_the_training_time_to_its_end_and_stops(driver):
    back(driver)
    steps = CONTROLS["train_time"].steps
    driver.type("train_time", steps[-4])
    button = driver.panel.locator("[data-action=play]")
    button.click()
    button.filter(has_text="Play").wait_for(timeout=60_000)
    assert driver.texts()["train_time"] == steps[-1]
    compare(driver)


def test_play_can_be_stopped(driver):
    back(driver)
    driver.type("train_time", "1")
    button = driver.panel.locator("[data-action=play]")
    driver.after(button.click)
    driver.page.wait_for_timeout(500)
    button.click()
    driver.page.locator(".rfsim[aria-busy='false']").wait_for()
    stopped = driver.texts()["train_time"]
    driver.page.wait_for_timeout(700)
    assert driver.texts()["train_time"] == stopped != "1"
    compare(driver)


def test_save_as_gif(driver):
    from PIL import Image

    back(driver)
    with driver.page.expect_download(timeout=120_000) as download:
        driver.panel.locator("[data-action=gif]").click()
    assert download.value.suggested_filename == "rfsim-training.gif"
    image = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert image.n_frames >= 30


def test_copy_as_command(driver):
    back(driver)
    driver.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    driver.panel.locator("[data-action=copy]").click()
    driver.panel.get_by_text("copied", exact=True).wait_for()
    assert driver.page.evaluate("() => navigator.clipboard.readText()") == driver.command()


def test_every_control_has_a_name_and_is_reached_by_tab(driver):
    back(driver)
    for control in training.TAB.controls:
        assert driver.panel.get_by_label(control.label, exact=True).count() == 1
    driver.page.locator("[data-tab=training]").focus()
    reached = []
    for _ in range(40):
        driver.page.keyboard.press("Tab")
        read = """() => { let at = document.activeElement;
            while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
            return at?.dataset?.slider ?? at?.dataset?.control ?? at?.dataset?.action ?? ''; }"""
        reached.append(driver.page.evaluate(read))
    assert set(CONTROLS) <= set(reached)
    assert {"play", "gif", "mp4", "copy"} <= set(reached)


@pytest.mark.parametrize("width", WIDTHS)
def test_screenshots(opened, tmp_path, width):
    from PIL import Image

    driver = opened(width, 844 if width < 600 else 900)
    assert driver.root.get_attribute("data-layout") == ("narrow" if width < 600 else "wide")
    folder = Path(os.environ.get("RFSIM_SCREENSHOTS", tmp_path))
    for name in ("training", "distillation"):
        if name != "training":
            driver.tab(name)
        fits = "root => root.scrollWidth <= root.clientWidth && document.body.scrollWidth <= window.innerWidth"
        assert driver.root.evaluate(fits)
        sizes = driver.panel.locator("[data-picture] img").evaluate_all(
            "images => images.map(image => [image.naturalWidth, image.clientWidth, image.alt.length])"
        )
        assert sizes
        assert all(natural > 0 and shown > 0.5 * min(width, 640) and alt > 20 for natural, shown, alt in sizes)
        path = folder / f"explore-{name}-{width}.png"
        driver.page.screenshot(path=path)
        assert np.asarray(Image.open(path).convert("L")).std() > 10
