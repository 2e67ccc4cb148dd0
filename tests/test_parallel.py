"""One device and what needs none; several devices and processes are in test_devices.py."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.computing import machine, parallel
from rfsim.computing.parallel import DeviceLayout, layout
from rfsim.sample.spectra.eigen import eigh


@pytest.fixture
def eight(monkeypatch):
    """Eight devices, as far as counting them goes."""
    monkeypatch.setattr(jax, "devices", lambda: [f"device {k}" for k in range(8)])
    monkeypatch.setattr(machine, "devices", lambda: [f"cpu:{k} cpu" for k in range(8)])


@pytest.fixture
def asked(monkeypatch):
    """What `jax.distributed.initialize` is called with, in an environment without variables of ours."""
    for name in (*parallel.LOCAL, "JAX_COORDINATOR_BIND_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    calls = []

    def initialize(address, count, number, **settings):
        if address is None:
            raise ValueError("coordinator_address should be defined.")
        calls.append((address, count, number, settings))

    monkeypatch.setattr(jax.distributed, "initialize", initialize)
    return calls


def test_one_device_is_a_plain_array():
    one = layout(1, 7)
    assert one == DeviceLayout() == layout(None, 7)
    assert hash(one) == hash(DeviceLayout())
    assert (one.count, one.processes, one.devices) == (1, 1, machine.devices()[:1])
    values = np.arange(6.0).reshape(2, 3)
    for axis in (None, 0, 1):
        placed = one.place(values, axis)
        assert placed.dtype == np.float64
        np.testing.assert_array_equal(one.whole(placed), values)
    tree = one.place_like({"a": values, "step": np.int32(3)}, (2, 3), 1)
    assert {name: leaf.dtype for name, leaf in tree.items()} == {"a": np.float64, "step": np.int32}
    with pytest.raises(ValueError, match=r"this layout has one device and shards nothing; take layout\(count"):
        one.features(0, 2)
    with pytest.raises(ValueError, match="shards nothing"):
        one.replicated  # noqa: B018


def test_more_devices_than_there_are():
    with pytest.raises(
        ValueError,
        match=r"8 devices were asked for and 1 is there \(cpu:0 .*\); take 1, or set "
        r"XLA_FLAGS=--xla_force_host_platform_device_count=8, which makes virtual CPU devices, slower and for tests",
    ):
        layout(8, 1000)


@pytest.mark.parametrize("count", [0, -2])
def test_no_devices(count):
    with pytest.raises(ValueError, match=f"devices must be a positive whole number; got {count}"):
        layout(count, 1000)


def test_a_count_that_does_not_divide_the_features(eight):
    with pytest.raises(
        ValueError,
        match="devices must divide the 1000 features; got 7: take 1, 2, 4, 5 or 8, or another number of features",
    ):
        layout(7, 1000)
    with pytest.raises(ValueError, match="the 13 features; got 8: take 1, or another number of features"):
        layout(None, 13)
    with pytest.raises(ValueError, match=r"9 devices were asked for and 8 are there \(cpu:0 cpu, cpu:1 cpu, "):
        layout(9, 1000)


def test_processes_use_all_of_their_devices(eight, monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(ValueError, match="2 processes use all of their devices together; got devices 4: take 8, or"):
        layout(4, 1000)


def test_joining_without_a_cluster_says_what_to_set(asked, monkeypatch):
    with pytest.raises(
        ValueError,
        match=r"nor JAX_COORDINATOR_ADDRESS \(host:port of process 0\), JAX_NUM_PROCESSES and JAX_PROCESS_ID in the "
        "environment; set all three in every process",
    ):
        parallel.join()
    for name, value, message in (
        ("JAX_NUM_PROCESSES", "two", "JAX_NUM_PROCESSES must be a whole number; got 'two'"),
        ("JAX_PROCESS_ID", "-1", "JAX_PROCESS_ID must be a whole number; got '-1'"),
        ("JAX_COORDINATOR_ADDRESS", "127.0.0.1", "JAX_COORDINATOR_ADDRESS must be host:port of process 0; got '127"),
    ):
        with monkeypatch.context() as patch, pytest.raises(ValueError, match=message):
            patch.setenv(name, value)
            parallel.join()
    assert asked == []


@pytest.mark.parametrize(
    ("address", "bind"),
    [
        ("127.0.0.1:4000", "127.0.0.1:4000"),
        ("localhost:4000", "127.0.0.1:4000"),
        ("[::1]:4000", "[::1]:4000"),
        ("10.0.0.1:4000", None),
        ("node7:4000", None),
    ],
)
def test_a_coordinator_on_loopback_listens_there(asked, monkeypatch, address, bind):
    for name, value in zip(parallel.LOCAL, (address, "2", "1"), strict=True):
        monkeypatch.setenv(name, value)
    parallel.join()
    settings = {"cluster_detection_method": "deactivate", "coordinator_bind_address": bind}
    assert asked == [(address, 2, 1, settings)]
    monkeypatch.setenv("JAX_PROCESS_ID", "2")
    with pytest.raises(ValueError, match="JAX_PROCESS_ID must be below JAX_NUM_PROCESSES = 2; got 2"):
        parallel.join()


def test_the_bind_address_that_is_set_wins_and_a_cluster_is_looked_for_where_something_is_missing(asked, monkeypatch):
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "127.0.0.1:4000")
    monkeypatch.setenv("JAX_COORDINATOR_BIND_ADDRESS", "127.0.0.2:4000")
    parallel.join()
    settings = {"cluster_detection_method": None, "coordinator_bind_address": "127.0.0.2:4000"}
    assert asked == [("127.0.0.1:4000", None, None, settings)]


def test_who_has_joined_joins_no_more(asked, monkeypatch):
    monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
    parallel.join()
    assert asked == []


def test_a_single_process_leads():
    assert parallel.leads()


def test_memory_of_a_compiled_program():
    """x, x² and x³ at once; a total that is donated counts once."""
    x = jnp.ones((500, 500))
    cubed = jax.jit(lambda x: (x @ x) @ x).lower(x).compile()
    assert parallel.per_device_memory(cubed) == 3 * x.nbytes
    add = jax.jit(lambda total, x: total + x, donate_argnums=0).lower(x, x).compile()
    assert parallel.per_device_memory(add) == 2 * x.nbytes


def test_decomposing_is_the_function_itself_where_the_backend_can():
    assert parallel.decomposes_on() == jax.default_backend() == "cpu"
    seen = []
    same = parallel.decomposing(lambda *given, **named: seen.append((given, named)))
    array = np.eye(2)
    same(array, other=array)
    assert seen[0][0][0] is array
    assert seen[0][1]["other"] is array


def test_a_tpu_decomposes_on_the_host(monkeypatch):
    root = np.random.default_rng(1).standard_normal((6, 6))
    matrix = jnp.asarray(root @ root.T)
    here = eigh(matrix)
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    seen = []

    def function(first, *, second):
        seen.append((first.device.platform, second.device.platform))
        return first + second

    assert parallel.decomposes_on() == "host"
    found = parallel.decomposing(function)(np.ones(3), second=matrix[0, :3])
    assert seen == [("cpu", "cpu")]
    np.testing.assert_array_equal(found, 1 + matrix[0, :3])
    assert found.device == jax.local_devices()[0]
    for one, other in zip(eigh(matrix), here, strict=True):
        np.testing.assert_array_equal(one, other)
