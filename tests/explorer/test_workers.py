"""Who draws for the page: worker processes, of which none is waited for in vain and none is left behind."""

from __future__ import annotations

import errno
import logging
import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rfsim.explorer import training
from rfsim.explorer.questions import FilmQuestion, Question
from rfsim.explorer.waiting import Waiting
from rfsim.explorer.workers import Job, Workers
from tests.explorer.toys import SECONDS, Toy, count_compilations, wait_for

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

TOY = Toy()


class Session:
    """One page's: what it asks, and the answers in the order in which they came."""

    def __init__(self, workers: Workers) -> None:
        self._workers, self.answers = workers, queue.Queue()

    def ask(self, choice: str) -> None:
        self._workers.ask(self, Question(TOY, choice, "wide"), self.answers.put)

    def answer(self) -> str:
        """The next: the command that it shows, or its message."""
        found = self.answers.get(timeout=SECONDS)
        return found["command"].rpartition(" ")[2] if "command" in found else found["messages"][""]


@pytest.fixture(scope="module")
def two():
    workers = Workers(2)
    yield workers
    workers.close()


@pytest.fixture(scope="module")
def one():
    workers = Workers(1)
    yield workers
    workers.close()


def gone(pid: int) -> bool:
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


# --- whose turn it is ---------------------------------------------------------------------------------------------


class Page:
    """What has questions."""


def test_the_newest_question_of_a_session_waits_at_the_place_of_its_oldest():
    waiting, first, second = Waiting(1), Page(), Page()
    for session, question in ((first, "a"), (second, "b"), (first, "c"), (first, "d")):
        waiting.put(session, question)
    waiting.put_off(0, "work")
    assert [waiting.take(0) for _ in range(3)] == ["d", "b", "work"]
    waiting.close()
    assert waiting.take(0) is None


def test_a_session_goes_back_to_its_worker_unless_that_is_busy():
    waiting, first, second = Waiting(2), Page(), Page()
    waiting.put(first, "a")
    assert waiting.take(0) == "a"  # which has its hands full from now on
    waiting.put(first, "b")
    assert waiting.take(1) == "b"
    waiting.put(first, "c")
    waiting.put(second, "d")
    assert waiting.take(0) == "d"  # nobody's before another's
    assert waiting.take(0) == "c"


# --- what becomes of a question -----------------------------------------------------------------------------------


def test_what_is_slow_for_one_session_stops_no_other(two, tmp_path):
    slow, quick = Session(two), Session(two)
    slow.ask(f"slow:{tmp_path / 'a'}")
    wait_for(tmp_path / "a")
    for text in ("1", "2", "3"):
        quick.ask(text)
        assert quick.answer() == text
    assert slow.answers.empty()
    (tmp_path / "a.go").touch()
    assert slow.answer() == "1"


def test_a_slow_question_does_not_hold_up_the_same_session_s_next(two, tmp_path):
    session = Session(two)
    session.ask(f"slow:{tmp_path / 'a'}")
    wait_for(tmp_path / "a")
    session.ask("2")
    assert session.answer() == "2"
    (tmp_path / "a.go").touch()
    assert session.answer() == "1"


def test_a_superseded_question_is_dropped(one, tmp_path):
    session, other = Session(one), Session(one)
    session.ask(f"slow:{tmp_path / 'a'}")
    wait_for(tmp_path / "a")
    for text in ("2", "3", "4"):
        session.ask(text)
    other.ask("9")
    (tmp_path / "a.go").touch()
    assert [session.answer(), session.answer(), other.answer()] == ["1", "4", "9"]
    assert session.answers.empty()


def test_it_is_drawn_elsewhere_and_bugs_come_back_in_words(one):
    session = Session(one)
    session.ask("who")
    assert int(session.answer()) != os.getpid()
    session.ask("bug")
    found = session.answers.get(timeout=SECONDS)
    assert found["messages"] == {"": "this is a bug of rfsim, TypeError: no such thing"}
    assert 'raise TypeError("no such thing")' in found["trace"]
    session.ask("bad")
    assert session.answers.get(timeout=SECONDS) == {"messages": {"ratio": "ratio must be a number; got 'bad'"}}


def test_a_worker_that_is_killed_is_replaced_and_told_in_one_line(one, tmp_path, caplog):
    session = Session(one)
    session.ask(f"die:{tmp_path / 'died'}")
    now = session.answer()
    assert now != (tmp_path / "died").read_text()
    assert gone(int((tmp_path / "died").read_text()))
    session.ask("who")
    assert session.answer() == now
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["a process that draws ended (killed by signal 9: out of memory?); another has taken its place"]


@pytest.mark.slow
def test_what_ends_every_worker_is_said_to_the_page(one):
    session = Session(one)
    session.ask("end")
    words = "its worker died 2 times while it ran alone (it ended with status 3)"
    assert session.answer() == f"this could not be drawn: {words}"
    session.ask("2")
    assert session.answer() == "2"


# --- animations ---------------------------------------------------------------------------------------------------


def test_an_animation_has_a_process_of_its_own_that_tells_how_far_it_is(one):
    told = []
    found = one.film(FilmQuestion(TOY, "2", "gif"), lambda *step: told.append(step))
    text, _, pid = found.data.decode().rpartition(" ")
    assert (text, told) == ("gif of 2 by", [(0, 3), (1, 3), (2, 3)])
    assert gone(int(pid))


# --- no process is left, none can be started ----------------------------------------------------------------------


def test_closing_ends_a_process_that_draws(tmp_path):
    workers = Workers(1)
    session = Session(workers)
    session.ask("who")
    pid = int(session.answer())
    session.ask(f"slow:{tmp_path / 'a'}")
    wait_for(tmp_path / "a")
    workers.close()
    assert gone(pid)
    assert session.answers.empty()
    session.ask("1")  # of a page that is still open: nobody answers


ASKS = """
import sys, threading, time
from rfsim.explorer import workers
from rfsim.explorer.questions import Question
from tests.explorer.toys import Toy
class Page: pass
page = Page()
def then(answer):
    print(answer["command"].split()[-1], flush=True)
workers.shared().ask(page, Question(Toy(), "who", "wide"), then)
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_its_server(end):
    """The script has no module that could be imported, as a notebook has none."""
    command = [sys.executable, "-c", ASKS, "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
        pid = int(asking.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        asking.send_signal(end)
        asking.wait(20)
    assert gone(pid)


def test_where_no_process_can_be_started_this_one_draws_and_says_so(monkeypatch, caplog):
    def refuse(*args, **options):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("rfsim.sweeps.engines.processes.subprocess.Popen", refuse)
    workers = Workers(2)
    sessions, told = [Session(workers) for _ in range(3)], []
    with caplog.at_level(logging.WARNING):
        for session in sessions:
            session.ask("who")
        assert {session.answer() for session in sessions} == {str(os.getpid())}
        found = workers.film(FilmQuestion(TOY, "2", "gif"), lambda *step: told.append(step))
    assert (found.data.decode(), len(told)) == (f"gif of 2 by {os.getpid()}", 3)
    workers.close()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(
        "pictures are drawn by the process that serves them, one at a time: no worker can be started"
    )


# --- compilations -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_new_number_of_atoms_compiles_nothing_in_a_worker_that_is_warm(one):
    start = {control.name: control.start for control in training.TAB.controls}
    session, counts = Session(one), queue.Queue()

    def draw(data: str) -> int:
        """How many programs were compiled for it."""
        before = count()
        choice = training.TAB.read(start | {"data": data})
        one.ask(session, Question(training.TAB, choice, "narrow"), session.answers.put)
        assert session.answers.get(timeout=SECONDS)["messages"] == {}
        return count() - before

    def count() -> int:
        one.give(session, Job(count_compilations, None, lambda found, failure: counts.put(found)))
        return counts.get(timeout=SECONDS)

    assert draw("atoms:0.25@1,0.25@1.1,0.25@1.2,0.25@1.3") > 0
    assert draw("atoms:0.5@1,0.25@1.1,0.25@1.2") == 0


@pytest.mark.slow
def test_what_workers_draw_first_compiles_all_there_is():
    workers = Workers(1)
    questions = [Question(training.TAB, *one) for one in training.TAB.prepare(lambda *_: None)]
    session, counts, told = Session(workers), queue.Queue(), []
    workers.warm_up(questions, lambda *step: told.append(step))
    assert told[-1][1] == len(questions) + 1

    def count() -> int:
        workers.give(session, Job(count_compilations, None, lambda found, failure: counts.put(found)))
        return counts.get(timeout=SECONDS)

    start = {control.name: control.start for control in training.TAB.controls}

    def draw(**texts: str) -> None:
        choice = training.TAB.read(start | texts)
        workers.ask(session, Question(training.TAB, choice, "wide"), session.answers.put)
        assert session.answers.get(timeout=SECONDS)["messages"] == {}, texts

    count()
    for k in range(1, 21):
        weights = [f"{1 / 32:g}"] * (k - 1) + [f"{1 - (k - 1) / 32:g}"]
        data = "atoms:" + ",".join(f"{weight}@{1 + j / 8:g}" for j, weight in enumerate(weights))
        if len(data) <= 200:
            draw(data=data)
    # other numbers of nodes and of parts, points that the solver reaches in small steps only
    for texts in (
        {"samples_per_dim": "0.5", "features_per_dim": "2", "noise_copies": "2", "ridge": "0.01"},
        {"samples_per_dim": "24", "features_per_dim": "192", "diffusion_time": "0.02", "noise_copies": "64"},
        {"samples_per_dim": "12", "features_per_dim": "512", "diffusion_time": "3", "ridge": "1e-4"},
        {"samples_per_dim": "0.75", "features_per_dim": "384", "diffusion_time": "0.002", "activation": "sine"},
        {"data": "powerlaw:2", "samples_per_dim": "24", "features_per_dim": "2", "diffusion_time": "0.3"},
        {"data": "subspace:0.3", "ridge": "0.01", "train_time": "123.4"},
        {"data": "mixture:2", "ridge": "0.01"},
    ):
        draw(**texts)
    assert count() == 0
    workers.close()
