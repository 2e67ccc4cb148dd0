"""Executors: every task's outcome once, whatever is killed meanwhile; settings; one thread and float64 in workers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rfsim.computing import machine
from rfsim.sweeps.engines import cluster as cluster_engine
from rfsim.sweeps.engines.choice import executor
from rfsim.sweeps.engines.local import PATIENCE
from rfsim.sweeps.engines.outcome import Executor, Lost
from rfsim.sweeps.engines.worker import answer, question, read, version
from tests.sweeps import tasks
from tests.sweeps.clusters import cluster, until

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

ROOT = Path(__file__).parents[2]
SPAWNED = ["processes", "dask"]
both = pytest.mark.parametrize("kind", SPAWNED)
all_cores = sorted(os.sched_getaffinity(0))


def payloads(count: int, notes: Path, seconds: float = 0.05) -> Iterator[tuple[int, tasks.Noted]]:
    return ((number, tasks.Noted(number, str(notes), seconds)) for number in range(count))


def begun(notes: Path) -> list[int]:
    return [int(line.split()[0]) for line in notes.read_text().splitlines()] if notes.exists() else []


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """Computing processes: neither multiprocessing's tracker nor a scheduler."""
    found = []
    for child in process.children(recursive=True):
        try:
            words = " ".join(child.cmdline())
        except psutil.NoSuchProcess:
            continue
        if "engines.worker" in words or "spawn_main" in words:
            found.append(child)
    return found


def gone(processes: list[psutil.Process], seconds: float = 5.0) -> bool:
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def check_bound(engine: Executor, notes: Path, count: int = 30) -> None:
    """All outcomes, each once and right, and never more tasks taken than allowed."""
    taken = given = most = 0

    def work() -> Iterator[tuple[int, tasks.Noted]]:
        nonlocal taken, most
        for item in payloads(count, notes, 0.01):
            taken += 1
            most = max(most, taken - given)
            yield item

    numbers = []
    for outcome in engine.outcomes(tasks.noted_square, work()):
        given += 1
        numbers.append(outcome.number)
        assert (outcome.value, outcome.failure) == (outcome.number**2, "")
    assert sorted(numbers) == sorted(begun(notes)) == list(range(count))
    assert most <= engine.in_flight


# settings


def test_kinds_are_chosen_by_what_is_given():
    from rfsim.sweeps.engines.choice import chosen

    assert chosen(None, None, None) == chosen(None, 1, None) == "serial"
    assert chosen(None, 2, None) == "processes"
    assert chosen(None, 1, "tcp://127.0.0.1:1") == "dask"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "proceses"}, r"must be one of serial, processes, dask; got 'proceses'; did you mean 'processes'\?"),
        ({"workers": 0}, "workers must be a positive integer; got 0"),
        ({"workers": 2.0}, "workers must be a positive integer; got 2.0"),
        ({"workers": True}, "workers must be a positive integer; got True"),
        ({"kind": "serial", "workers": 2}, "'serial' is this process alone; with workers=2 take 'processes' or 'dask'"),
        ({"kind": "serial", "scheduler": "tcp://a:1"}, "a scheduler is for executor 'dask'; got executor 'serial'"),
        ({"kind": "processes", "scheduler": "tcp://a:1"}, "a scheduler is for executor 'dask'"),
        ({"workers": 3, "scheduler": "tcp://a:1"}, "the scheduler at tcp://a:1 has its own workers"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, words):
    with pytest.raises(ValueError, match=words), executor(**settings):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"install the extra rfsim\[cluster\]"), executor("dask"):
        pass


def test_threads_follow_nproc_down_not_up(monkeypatch):
    monkeypatch.delenv("NPROC", raising=False)
    cores = machine.threads()
    for given, expected in [("1", 1), (str(cores + 1), cores), ("0", cores), ("many", cores), ("", cores)]:
        monkeypatch.setenv("NPROC", given)
        assert machine.threads() == expected


# in this process


def test_serial_outcomes_one_at_a_time(tmp_path):
    with executor() as engine:
        check_bound(engine, tmp_path / "notes")
        assert engine.words == "in this process"
        steps = engine.outcomes(tasks.noted_square, payloads(3, tmp_path / "lazy", 0.0))
        assert begun(tmp_path / "lazy") == []
        next(steps)
        assert begun(tmp_path / "lazy") == [0]


def test_serial_failure_is_one_line():
    with executor() as engine:
        failures = [outcome.failure for outcome in engine.outcomes(tasks.wrong, enumerate(range(3)))]
    assert failures == ["", "bug: ValueError: odd number", ""]


def test_ctrl_c_in_a_task_passes():
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with executor() as engine, pytest.raises(KeyboardInterrupt):
        next(engine.outcomes(interrupted, [(0, 0)]))


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (tasks.wrong, "bug: ValueError: odd number"),
        (tasks.unsendable, "bug: its result cannot be sent back: cannot pickle"),
        (tasks.unreadable, "bug: its result cannot be read here: "),
        (lambda number: number, "bug: TypeError: it cannot be sent to a worker: "),
    ],
)
def test_failures_of_a_worker_are_one_line(task, words):
    value, failure = read(answer(question(task, 1)))
    assert value is None
    assert failure.startswith(words)
    assert "\n" not in failure


# workers


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture(scope="module", params=SPAWNED)
def engine(request) -> Iterator[Executor]:
    before = environment()
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # workers must not need pinning to use one thread
    try:
        with executor(request.param, workers=2) as engine:
            yield engine
            mine = workers_of(psutil.Process())
            start = time.monotonic()
        assert time.monotonic() < start + 5
        assert gone(mine)
        assert environment() == before
    finally:
        os.sched_setaffinity(0, all_cores)


@pytest.mark.slow
def test_outcomes_are_complete_and_taken_as_there_is_room(engine, tmp_path):
    assert engine.words in ("in 2 processes", "with dask on this machine (2 workers)")
    assert engine.in_flight == (3 if "processes" in engine.words else 5)
    check_bound(engine, tmp_path / "notes")


@pytest.mark.slow
def test_workers_compute_in_float64_with_one_thread(engine):
    for outcome in engine.outcomes(tasks.surroundings, enumerate(range(2))):
        share = outcome.value.pop("share")
        assert outcome.value == {"dtype": "float64", "blas": {1}, "xla": 1, "threads": 1}
        assert share < 1.2


@pytest.mark.slow
def test_one_task_that_fails_is_one_failure(engine):
    for task, words in [(tasks.wrong, "odd number"), (tasks.unsendable, "sent back"), (tasks.unreadable, "read here")]:
        outcomes = sorted(engine.outcomes(task, enumerate(range(3))), key=lambda outcome: outcome.number)
        assert [outcome.value for outcome in outcomes] == [0, None, 2]
        assert words in outcomes[1].failure


@pytest.mark.slow
def test_a_task_that_kills_its_worker_fails_alone(engine):
    outcomes = {outcome.number: outcome for outcome in engine.outcomes(tasks.poisoned, enumerate(range(30)))}
    assert sorted(outcomes) == list(range(30))
    poison = outcomes.pop(13)
    assert poison.failure.startswith("its worker died 2 times while it ran alone (")
    assert "out of memory?" in poison.failure
    assert all(outcome.value == number**2 for number, outcome in outcomes.items())


@pytest.mark.slow
def test_killed_workers_cost_only_what_they_computed(engine, tmp_path):
    notes, kills, count = tmp_path / "notes", 4, 120
    chance = random.Random(0)

    def kill() -> None:
        for _ in range(kills):
            time.sleep(chance.uniform(0.3, 1.0))
            if workers := workers_of(psutil.Process()):
                chance.choice(workers).kill()

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = list(engine.outcomes(tasks.noted_square, payloads(count, notes)))
    killer.join()
    assert sorted(outcome.number for outcome in outcomes) == list(range(count))
    assert all(outcome.value == outcome.number**2 for outcome in outcomes), [o for o in outcomes if o.failure]
    again = Counter(begun(notes)).total() - count
    assert again <= kills * engine.in_flight


@pytest.mark.slow
def test_tasks_not_asked_for_any_more_end(engine, tmp_path):
    steps = engine.outcomes(tasks.noted_square, payloads(100, tmp_path / "notes"))
    next(steps)
    steps.close()
    check_bound(engine, tmp_path / "others")


# the whole run is killed or interrupted

SCRIPT = """
import sys, time
from rfsim.sweeps.engines import cluster as cluster_engine
from rfsim.sweeps.engines.choice import executor
from tests.sweeps import tasks

def main():
    with executor(sys.argv[1], workers=2) as engine:
        list(engine.outcomes(tasks.square, enumerate(range(4))))
        print("ready", flush=True)
        try:
            list(engine.outcomes(tasks.busy, [(0, 1500), (1, 1500), (2, 1500)]))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""
GUARD = '\nif __name__ == "__main__":\n    main()\n'


@pytest.fixture
def run(tmp_path):
    """Starts a script in a session of its own; what it leaves is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *arguments: str) -> subprocess.Popen[str]:
        script = tmp_path / "script.py"
        script.write_text(text)
        process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
@both
def test_workers_die_with_a_killed_parent(run, kind):
    process = run(SCRIPT + GUARD, kind)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(workers_of(psutil.Process(process.pid))) == 2
    process.kill()
    assert gone(family, 3.0)
    said = process.communicate()[1].splitlines()
    # the standard library's tracker, which outlives its parent, counts dask's semaphores
    assert not [line for line in said if "resource_tracker" not in line and "warnings.warn" not in line]


@pytest.mark.slow
@both
def test_ctrl_c_ends_workers_quietly(run, kind):
    process = run(SCRIPT + GUARD, kind)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    family = psutil.Process(process.pid).children(recursive=True)
    start = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() < start + 8
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)
    assert gone(family)


@pytest.mark.slow
def test_processes_need_no_guard_in_a_script(run):
    text = SCRIPT.replace("(0, 1500), (1, 1500), (2, 1500)", "(0, 2)")
    out, err = run(text + "\nmain()\n", "processes").communicate(timeout=60)
    assert (out, err) == ("ready\n", "")


@pytest.mark.slow
def test_dask_here_without_a_guard_is_one_line(run):
    out, err = run(SCRIPT + "\nmain()\n", "dask").communicate(timeout=60)
    assert out == ""
    assert 'under `if __name__ == "__main__":`' in err.splitlines()[-1]
    assert err.count("Traceback") == 1


def give_up(engine: cluster_engine.Cluster) -> None:
    """What dask does with its workers where they are killed while they start."""
    started = engine._client.cluster
    for nanny in list(started.workers.values()):
        started.sync(nanny.close)
    until(lambda: not started.workers)


@pytest.mark.slow
def test_workers_that_dask_gave_up_are_started_anew(monkeypatch):
    with executor("dask", workers=2) as engine:
        give_up(engine)
        assert sorted(one.value for one in engine.outcomes(tasks.square, enumerate(range(4)))) == [0, 1, 4, 9]
        monkeypatch.setattr(cluster_engine, "GIVEN_UP", 0)
        give_up(engine)
        with pytest.raises(Lost, match="ended before they could compute, again and again; run the same command again"):
            list(engine.outcomes(tasks.square, [(0, 0)]))


@pytest.mark.slow
def test_workers_that_cannot_start_are_said_in_one_line(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with executor("processes", workers=1) as engine, pytest.raises(Lost, match="3 workers in a row ended before"):
        list(engine.outcomes(tasks.square, [(0, 0)]))


# a cluster that others started


@pytest.fixture
def behind(tmp_path):
    with cluster(tmp_path) as found:
        yield found


def wait_for_workers(engine: Executor) -> None:
    until(lambda: "(2 workers)" in engine.words)


@pytest.mark.slow
def test_a_given_scheduler_serves_and_its_death_is_one_line(behind, tmp_path, capfd):
    address, scheduler, workers = behind
    with executor(scheduler=address) as engine:
        wait_for_workers(engine)
        assert engine.words == f"with dask at {address} (2 workers)"
        check_bound(engine, tmp_path / "notes")
        outcome = next(engine.outcomes(tasks.surroundings, [(0, 0)]))
        assert outcome.value["dtype"] == "float64"
        assert outcome.value["blas"] == {1}

        killed = workers_of(psutil.Process(workers.pid))[0]
        steps = engine.outcomes(tasks.noted_square, payloads(60, tmp_path / "killed"))
        next(steps)
        killed.kill()
        assert len(list(steps)) == 59

        steps = engine.outcomes(tasks.noted_square, payloads(100, tmp_path / "lost"))
        next(steps)
        start = time.monotonic()
        scheduler.kill()
        with pytest.raises(Lost, match=f"the dask scheduler at {address} is gone .*; run the same command again"):
            list(steps)
        assert time.monotonic() < start + 30
        time.sleep(PATIENCE + 1)  # dask tries to connect again meanwhile, and would say that it failed
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_workers_of_another_version_are_refused(behind, monkeypatch):
    address, *_ = behind
    with executor(scheduler=address) as engine:
        wait_for_workers(engine)
        here = version()
        monkeypatch.setattr(machine, "versions", lambda: {"rfsim": "0.0.1"})
        (outcome,) = engine.outcomes(tasks.square, [(0, 3)])
        assert outcome.failure == f"its worker has rfsim {here}, not 0.0.1: install the same version for both"
    words = f"have rfsim {here}, this process 0.0.1; install the same"
    with pytest.raises(ValueError, match=words), executor(scheduler=address):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9", "nonsense://127.0.0.1:9", "tcp://"])
def test_a_scheduler_that_does_not_answer_is_refused(address):
    start = time.monotonic()
    with (
        pytest.raises(ConnectionError, match="no dask scheduler answers at .*give the address"),
        executor(scheduler=address),
    ):
        pass
    assert time.monotonic() < start + 15
