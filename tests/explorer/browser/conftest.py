"""A served explorer and a headless Chromium; without either the tests skip and say which is missing."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest

NEEDED = ("marimo", "anywidget", "zmq", "playwright")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START = 300  # seconds that preparing may take where nothing is compiled yet
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    why = f"not installed: {', '.join(MISSING)} (rfsim[browser])" if MISSING else "no Chromium is installed"
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")
            if MISSING or CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=why))


READY = 600  # seconds that preparing the page may take


class Served(NamedTuple):
    """A running `rfsim explore`: its process and its URL with the token."""

    process: subprocess.Popen
    url: str


@contextlib.contextmanager
def serving(cache: Path, *flags: str):
    """Run `rfsim explore` in a process of its own until the block ends."""
    command = [sys.executable, "-m", "rfsim", "explore", "--no-browser", "--quiet", *flags]
    settings = os.environ | {"RFSIM_CACHE": str(cache)}
    settings.pop("JAX_COMPILATION_CACHE_DIR", None)  # what is ended while it compiles leaves half a program
    with (
        (cache / "explore.log").open("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=settings) as process,
    ):
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http"), (url, (cache / "explore.log").read_text())
            with urllib.request.urlopen(url, timeout=READY):  # the address is told first, and answers once it is ready
                pass
            yield Served(process, url)
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def served(cache):
    with serving(cache) as found:
        yield found


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser, served):
    """Opens the page at a width; at the end nothing may have gone wrong in the browser."""
    from tests.explorer.browser.driver import Driver

    with contextlib.ExitStack() as stack:

        def open_at(width: int, height: int = 900) -> Driver:
            context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
            stack.callback(context.close)
            driver = Driver(context.new_page())
            stack.callback(lambda: driver.check())
            driver.open(served.url)
            return driver

        yield open_at
