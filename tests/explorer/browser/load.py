"""Many sessions at once, each a page of its own that moves its controls: whose numbers stand there, how fast, how much
memory. By hand: python -m tests.explorer.browser.load --sessions 10 --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

import rfsim
from rfsim.checking.text import number
from rfsim.explorer import training
from rfsim.problem.model import Problem

SETTLED = 20  # seconds after which memory shall be flat
MOVED = ("train_time", "features_per_dim", "train_time", "diffusion_time", "train_time", "ridge")  # in turns
# one move: a slider at a position, and what the page says once it is answered
MOVE = """async (root, [control, position]) => {
    const before = Number(root.dataset.number);
    const panel = root.querySelector('.page:not([hidden])');
    const slider = panel.querySelector(`[data-slider=${control}]`);
    slider.value = position;
    slider.dispatchEvent(new Event('input'));
    const since = performance.now();
    while (Number(root.dataset.number) === before || root.getAttribute('aria-busy') !== 'false') {
        if (performance.now() - since > 60000) throw new Error('no answer in a minute');
        await new Promise(resolve => setTimeout(resolve, 5));
    }
    const boxes = [...panel.querySelectorAll('[data-control]')];
    const texts = Object.fromEntries(boxes.map(box => [box.dataset.control, box.value]));
    const place = cell => [cell.closest('table').dataset.table, cell.parentElement.dataset.row, cell.dataset.key];
    const cells = [...panel.querySelectorAll('td')].map(cell => [place(cell).join('/'), cell.dataset.value]);
    const said = [...panel.querySelectorAll('[data-message]')].map(one => one.textContent);
    const messages = said.filter(text => text);
    return {milliseconds: Number(root.dataset.milliseconds), seconds: Number(root.dataset.seconds), texts, messages,
        command: panel.querySelector('[data-command]').textContent, cells: Object.fromEntries(cells)};
}"""
CHECKED = {"L_train": "train", "L_test": "test"}


class Redraw(NamedTuple):
    """One answer as its page saw it: the control that moved, seconds since the start, milliseconds that it took, all
    that stood there."""

    session: int
    control: str
    at: float
    milliseconds: float
    told: dict


class Load(NamedTuple):
    """What a run found; memory is (seconds, MiB resident) of the server and of who draws."""

    redraws: list[Redraw]
    memory: list[tuple[float, float]]

    @property
    def latency(self) -> tuple[float, float]:
        """Median and 95% quantile of the milliseconds."""
        found = np.quantile([one.milliseconds for one in self.redraws], [0.5, 0.95])
        return float(found[0]), float(found[1])

    def grown(self) -> float:
        """MiB from the mean of the seconds after SETTLED to that of the last ones; NaN where the run was shorter."""
        late = [held for at, held in self.memory if at > SETTLED]
        third = len(late) // 3
        return float(np.mean(late[-third:]) - np.mean(late[:third])) if third else math.nan


class Clock:
    """Seconds since the last of the sessions had its page."""

    def __init__(self, sessions: int) -> None:
        self.open = asyncio.Barrier(sessions + 1)
        self._start = math.nan

    def seconds(self) -> float:
        if math.isnan(self._start):
            self._start = time.monotonic()
        return time.monotonic() - self._start


def own(session: int) -> str:
    """A samples_per_dim that no other session has."""
    return f"{6 + 0.25 * session:g}"


def foreign(redraws: list[Redraw]) -> list[str]:
    """What does not belong to the session that shows it: other texts, another command, numbers that are not the
    library's for them."""
    wrong = []
    for one in redraws:
        texts, told = one.told["texts"], one.told
        if (
            texts["samples_per_dim"] != own(one.session)
            or f"--samples-per-dim {own(one.session)} " not in told["command"]
        ):
            wrong.append(f"session {one.session} shows {texts['samples_per_dim']}: {told['command']}")
        if told["messages"]:
            continue  # nothing was drawn for these texts
        names = ("samples_per_dim", "features_per_dim", "diffusion_time", "ridge")
        problem = Problem(**{name: number(texts[name]) for name in names})
        wanted = rfsim.theory.curves(problem, [number(texts["train_time"])])
        for row, name in CHECKED.items():
            shown = float(told["cells"][f"losses/{row}/now"])
            if not math.isclose(shown, float(wanted[name][0]), rel_tol=1e-6, abs_tol=1e-9):
                wrong.append(f"session {one.session}: {row} {shown} is not {float(wanted[name][0])} at {texts}")
    return wrong


def family(pid: int) -> list[int]:
    """A process and those that it has started, who draw."""
    started = Path(f"/proc/{pid}/task").glob("*/children")
    return [pid, *(int(child) for one in started for child in one.read_text().split())]


def resident(pid: int) -> float:
    """MiB of a process's memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def processor(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _session(browser, url: str, number_: int, clock: Clock, seconds: float, pause: float, found: list[Redraw]):
    steps = {control.name: len(control.steps) for control in training.TAB.controls}
    random = np.random.default_rng(number_)
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await page.goto(url)
    root = page.locator(".rfsim")
    await page.locator(".rfsim[aria-busy='false']").wait_for(timeout=120_000)
    box = page.locator(".rfsim .page:visible input[data-control=samples_per_dim]")
    await box.fill(own(number_))
    await box.press("Enter")
    await page.wait_for_timeout(1000)
    await page.locator(".rfsim[aria-busy='false']").wait_for(timeout=120_000)
    await clock.open.wait()  # for the others: what is measured begins with all of them there
    turn = 0
    while (now := clock.seconds()) < seconds:
        control = MOVED[turn % len(MOVED)]
        turn += 1
        position = int(random.integers(1, steps[control] - 1))
        if str(position) == await page.locator(f".rfsim .page:visible [data-slider={control}]").input_value():
            position += 1
        told = await root.evaluate(MOVE, [control, position])
        found.append(Redraw(number_, control, now, told["milliseconds"], told))
        await asyncio.sleep(random.exponential(pause))
    await context.close()


async def _watch(pid: int, clock: Clock, seconds: float, memory: list[tuple[float, float]]) -> None:
    await clock.open.wait()
    while (now := clock.seconds()) < seconds:
        memory.append((now, sum(map(resident, family(pid)))))
        await asyncio.sleep(0.5)


async def _run(url: str, pid: int, chromium: str, sessions: int, seconds: float, pause: float) -> Load:
    from playwright.async_api import async_playwright

    found: list[Redraw] = []
    memory: list[tuple[float, float]] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        clock = Clock(sessions)
        moving = [_session(browser, url, k, clock, seconds, pause, found) for k in range(sessions)]
        await asyncio.gather(*moving, _watch(pid, clock, seconds, memory))
        await browser.close()
    return Load(found, memory)


def run(url: str, pid: int, chromium: str, *, sessions: int = 10, seconds: float = 60, pause: float = 1.0) -> Load:
    """`sessions` pages for `seconds`, each moving a control, waiting for the answer and then `pause` s on average."""
    # in a thread: the tests' own browser already runs a loop in theirs
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _run(url, pid, chromium, sessions, seconds, pause)).result()


def main() -> None:
    from tests.explorer.browser.conftest import CHROMIUM, serving

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sessions", type=int, default=10)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--pause", type=float, default=1.0)
    asked.add_argument("--cache", type=Path, help="folder of compiled programs and results; a new one")
    flags = vars(asked.parse_args())
    with tempfile.TemporaryDirectory() as folder, serving(flags.pop("cache") or Path(folder)) as served:
        everyone = family(served.process.pid)
        before = np.array([processor(one) for one in everyone])
        load = run(served.url, served.process.pid, CHROMIUM or "", **flags)
        taken = np.array([processor(one) for one in everyone]) - before
    median, late = load.latency
    pages = flags["sessions"]
    print(f"{len(load.redraws)} redraws of {pages} sessions: median {median:.0f} ms, 95% within {late:.0f} ms")
    for control in dict.fromkeys(MOVED):
        took = np.quantile([one.milliseconds for one in load.redraws if one.control == control], [0.5, 0.95])
        print(f"  {control}: {took[0]:.0f}, {took[1]:.0f} ms")
    each = ", ".join(f"{1000 * seconds / len(load.redraws):.0f}" for seconds in taken)
    print(f"processor time of the server and of each who draws: {each} ms a redraw, pages opened included")
    print(f"in the server: {np.quantile([one.told['seconds'] for one in load.redraws], [0.5, 0.95])} s")
    print("MiB:", ", ".join(f"{held:.0f} at {at:.0f} s" for at, held in load.memory[::10]))
    print(f"from {SETTLED} s on it grew by {load.grown():.1f} MiB")
    wrong = foreign(load.redraws)
    print(f"{len(wrong)} that do not belong to their session", *wrong[:5], sep="\n")


if __name__ == "__main__":
    main()
