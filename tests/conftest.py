"""Shared by all tests: a core to itself for each worker, double precision for the core, which never switches it on."""

from __future__ import annotations

import gc
import os
import signal

# before the libraries that count cores are imported: two processes with two threads each are slower than one
if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % len(cores)]})

import jax
import pytest
import threadpoolctl

from rfsim.computing import garbage, machine

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in the background of a shell; tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:  # a plugin may have imported NumPy, which counts cores only then
    threadpoolctl.threadpool_limits(1)

gc.set_threshold(garbage.RARELY, 20, 20)  # as programs have it, and older objects less often still

LONGEST = "tests/test_reproduce.py"  # its slow test takes as long as all others of a worker
OFTEN = 100  # programs, of some thirty memory maps each, after which these are counted: 10 ms of each test else
programs = 0  # since then


def pytest_configure(config: pytest.Config) -> None:
    """Programs compiled by one worker, by a process that a test starts or by an earlier run are read by all others."""
    if cache := getattr(config, "cache", None):  # not with -p no:cacheprovider
        for name, value in {
            "jax_compilation_cache_dir": str(cache.mkdir("programs")),
            "jax_persistent_cache_min_compile_time_secs": 0.0,
            "jax_persistent_cache_min_entry_size_bytes": 0,
        }.items():
            jax.config.update(name, value)
            os.environ[name.upper()] = str(value)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that no worker ends with it alone (with --no-loadscope-reorder)."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@jax.monitoring.register_event_duration_secs_listener
def _count(event: str, *_, **__) -> None:
    global programs
    programs += event.endswith("jaxpr_to_mlir_module_duration")


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No test changes JAX's configuration for the next; a worker's programs stay below the limit on memory maps."""
    global programs
    monkeypatch.setattr(machine, "use_compilation_cache", lambda: None)
    yield
    if programs >= OFTEN:
        machine.release_programs()
        programs = 0


@pytest.fixture(scope="module")
def cache_of_its_own():
    """A process that is killed may leave half of a program behind, which nobody else must read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
        yield


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield
