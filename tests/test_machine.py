from __future__ import annotations

import os
import warnings

import jax
import jax.numpy as jnp
import pytest
from threadpoolctl import threadpool_info

from rfsim.computing import machine
from rfsim.computing.machine import use_compilation_cache  # as it is before any test replaces it


def test_the_tightest_cgroup_limit_counts(tmp_path):
    for path, limit in (("", "max"), ("user", str(3 * 2**30)), ("user/job", str(8 * 2**30))):
        (tmp_path / path).mkdir(exist_ok=True)
        (tmp_path / path / "memory.max").write_text(limit + "\n")
    membership = tmp_path / "membership"
    membership.write_text("0::/user/job\n")
    assert min(machine._cgroup_limits(membership, tmp_path)) == 3 * 2**30


def test_version_one_groups_are_read_too(tmp_path):
    (tmp_path / "memory" / "job").mkdir(parents=True)
    (tmp_path / "memory" / "job" / "memory.limit_in_bytes").write_text("1048576\n")
    membership = tmp_path / "membership"
    membership.write_text("5:cpu,cpuacct:/job\n4:memory:/job\n")
    assert machine._cgroup_limits(membership, tmp_path) == [1048576]


def test_no_cgroups_is_no_limit(tmp_path):
    assert machine._cgroup_limits(tmp_path / "absent", tmp_path) == []


def test_memory_beyond_the_limit_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(machine, "memory_limit", lambda: 2 * 2**30)
    machine.require_memory(2**30, "a small run")
    with pytest.raises(MemoryError, match="a large run needs about 3 GiB, and this process may use 2 GiB"):
        machine.require_memory(3 * 2**30, "a large run")


def test_memory_of_the_device_counts_for_what_lies_on_it(monkeypatch):
    monkeypatch.setattr(machine, "memory_limit", lambda: 8 * 2**30)
    monkeypatch.setattr(machine, "device_memory", lambda: 2 * 2**30)
    machine.require_memory(6 * 2**30, "a divided run", each=2**30)
    with pytest.raises(MemoryError, match="a run needs about 6 GiB, and the device has 2 GiB"):
        machine.require_memory(6 * 2**30, "a run")
    with pytest.raises(MemoryError, match="a divided run needs about 9 GiB, and this process may use 8 GiB"):
        machine.require_memory(9 * 2**30, "a divided run", each=2**30)


def test_the_process_fits_in_its_own_limit():
    assert 0 < machine.peak_memory() < machine.memory_limit()
    assert machine.threads() >= 1
    assert machine.devices()
    assert {"python", "rfsim", "jax", "numpy"} <= machine.versions().keys()


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("RFSIM_CACHE", str(tmp_path))
    assert machine.cache_folder() == tmp_path
    monkeypatch.delenv("RFSIM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    assert machine.cache_folder() == tmp_path / "rfsim"


def test_a_compilation_cache_that_jax_was_told_of_is_kept_to(monkeypatch, tmp_path):
    told = {}
    monkeypatch.setattr(jax.config, "update", told.__setitem__)
    monkeypatch.setenv("RFSIM_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "theirs"))
    with warnings.catch_warnings():
        use_compilation_cache()
        assert told == {}
        monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
        use_compilation_cache()
    assert told["jax_compilation_cache_dir"] == str(tmp_path / "ours")


def test_compiled_programs_are_dropped_before_the_limit_on_memory_maps():
    program = jax.jit(lambda x: x + 1)
    program(jnp.zeros(()))
    assert not machine.release_programs(share=1.0)
    assert program._cache_size() == 1
    assert machine.release_programs(share=0.0)
    assert program._cache_size() == 0


def test_blas_has_no_more_threads_than_this_process_has_cores():
    """Those of a worker of the tests would wait for each other at full speed."""
    for library in threadpool_info():
        assert library["num_threads"] <= machine.threads()
