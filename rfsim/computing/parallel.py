"""Arrays over several devices: features divided over one host's devices or over processes, through JAX's own sharding.

A `DeviceLayout` says where an array's parts lie; with one device it is a plain array and nothing here costs anything.
Where the backend has no float64 decompositions, `decomposing` runs them on the host.
"""

from __future__ import annotations

import functools
import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental.multihost_utils import broadcast_one_to_all, process_allgather
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.text import digits
from rfsim.computing import machine
from rfsim.computing.precision import emulates_float64

P = ParamSpec("P")
R = TypeVar("R")
Tree: TypeAlias = Any  # a pytree of arrays

AXIS = "features"
HOST = "host"
LOCAL = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


@dataclass(frozen=True)
class DeviceLayout:
    """Where arrays lie. mesh: devices along the one axis "features"; None is a single device, nothing is sharded."""

    mesh: Mesh | None = None

    @property
    def count(self) -> int:
        """Number of devices."""
        return 1 if self.mesh is None else self.mesh.size

    @property
    def devices(self) -> list[str]:
        """In words, as `machine.devices` has them."""
        return machine.devices()[: self.count]

    @property
    def processes(self) -> int:
        """Number of processes that the devices belong to."""
        return 1 if self.mesh is None else len({device.process_index for device in self.mesh.devices.flat})

    def features(self, axis: int, ndim: int) -> NamedSharding:
        """The sharding of an array of `ndim` axes whose `axis` is divided over the devices."""
        return self._sharding(*(AXIS if k == axis % ndim else None for k in range(ndim)))

    @property
    def replicated(self) -> NamedSharding:
        """The sharding of an array that every device holds whole."""
        return self._sharding()

    def place(self, array: ArrayLike | Array, axis: int | None = None) -> Array:
        """The array on the devices, its `axis` divided over them, or whole on each of them.

        Over several processes each of them gives the whole array, the same values, and keeps its own part.
        """
        if self.mesh is None:  # `jnp.asarray` compiles a program for every shape
            return array if isinstance(array, Array) else jax.device_put(np.asarray(array))
        sharding = self.replicated if axis is None else self.features(axis, np.ndim(array))
        if isinstance(array, Array) and (self.processes == 1 or not array.is_fully_addressable):
            return jax.device_put(array, sharding)
        values = np.asarray(array)
        return jax.make_array_from_callback(values.shape, sharding, lambda part: values[part])

    def zeros(self, shape: tuple[int, ...], axis: int) -> Array:
        """Zeros whose `axis` is divided; no host holds them all."""
        if self.mesh is None:
            return jnp.zeros(shape)
        sharding = self.features(axis, len(shape))
        part = np.zeros(sharding.shard_shape(shape))
        return jax.make_array_from_callback(shape, sharding, lambda _: part)

    def place_like(self, tree: Tree, shape: tuple[int, ...], axis: int) -> Tree:
        """A pytree placed as one array is.

        Leaves of that shape, such as an optimizer's moments of the weights, by their `axis`, all others whole.
        """
        return jax.tree.map(lambda leaf: self.place(leaf, axis if np.shape(leaf) == shape else None), tree)

    def whole(self, array: ArrayLike | Array) -> NDArray:
        """The full array on the host; over several processes on every host, and all of them must call."""
        if isinstance(array, Array) and not array.is_fully_addressable:
            return process_allgather(array, tiled=True)
        return np.asarray(array)

    def agreed(self, answer: bool) -> bool:
        """Process 0's answer to what processes may answer differently; all of them must call."""
        return answer if self.processes == 1 else bool(broadcast_one_to_all(np.asarray(answer)))

    def same(self, value: int) -> bool:
        """Whether all processes hold the same value; all of them must call."""
        return self.processes == 1 or bool((process_allgather(np.asarray(value)) == value).all())

    def _sharding(self, *axes: str | None) -> NamedSharding:
        if self.mesh is None:
            raise ValueError("this layout has one device and shards nothing; take layout(count, features) with more")
        return NamedSharding(self.mesh, PartitionSpec(*axes))


def layout(count: int | None, features: int) -> DeviceLayout:
    """The first `count` devices, all of them for None, with `features` to be divided over them evenly.

    Raises ValueError where there are not as many, where they do not divide the features, and over several processes
    for anything but all of them.
    """
    devices = jax.devices()
    count = len(devices) if count is None else count
    if count < 1:
        raise ValueError(f"devices must be a positive whole number; got {count}")
    if count > len(devices):
        there = f"{len(devices)} {'is' if len(devices) == 1 else 'are'} there ({', '.join(machine.devices())})"
        raise ValueError(
            f"{count} devices were asked for and {there}; take {len(devices)}, or set "
            f"XLA_FLAGS=--xla_force_host_platform_device_count={count}, which makes virtual CPU devices, slower and "
            "for tests"
        )
    if count < len(devices) and jax.process_count() > 1:
        raise ValueError(
            f"{jax.process_count()} processes use all of their devices together; got devices {count}: take "
            f"{len(devices)}, or show JAX fewer by JAX_LOCAL_DEVICE_IDS"
        )
    if features % count:
        *fewer, last = (str(k) for k in range(1, len(devices) + 1) if features % k == 0)
        choice = f"{', '.join(fewer)} or {last}" if fewer else last
        raise ValueError(
            f"devices must divide the {features} features; got {count}: take {choice}, or another number of features"
        )
    return DeviceLayout() if count == 1 else DeviceLayout(Mesh(np.array(devices[:count]), (AXIS,)))


def join() -> None:
    """Make this process one of several, by `jax.distributed.initialize`, before JAX computes anything.

    On Slurm, Open MPI, Kubernetes and TPU pods JAX finds the others itself. Elsewhere every process has
    JAX_COORDINATOR_ADDRESS (host:port of process 0), JAX_NUM_PROCESSES and JAX_PROCESS_ID in its environment; JAX
    itself reads the first of these alone. A coordinator on the loopback interface listens there and not on all
    interfaces. Does nothing where the process has joined already.

    Raises ValueError, and nothing is started, where neither is there or one of the three is not what it should be.
    """
    if jax.distributed.is_initialized():
        return
    address, bind = os.environ.get(LOCAL[0]), os.environ.get("JAX_COORDINATOR_BIND_ADDRESS")
    count, number = (_number(name) for name in LOCAL[1:])
    if address:
        host, separator, port = address.rpartition(":")
        if not (separator and digits(port) is not None):
            raise ValueError(f"{LOCAL[0]} must be host:port of process 0; got {address!r}")
        if bind is None and (own := _loopback(host)):
            bind = f"{own}:{port}"
    if count is not None and number is not None and number >= count:
        raise ValueError(f"{LOCAL[2]} must be below {LOCAL[1]} = {count}; got {number}")
    # what is set is meant: a cluster is looked for only where something is missing
    method = None if None in (address, count, number) else "deactivate"
    try:
        jax.distributed.initialize(
            address, count, number, cluster_detection_method=method, coordinator_bind_address=bind
        )
    except ValueError as error:
        raise ValueError(
            "several processes were asked for, and JAX finds neither a cluster (Slurm, Open MPI, Kubernetes, a TPU "
            f"pod) nor {LOCAL[0]} (host:port of process 0), {LOCAL[1]} and {LOCAL[2]} in the environment; set all "
            f"three in every process ({str(error).rstrip('.')})"
        ) from None


def leads() -> bool:
    """Whether this is process 0: the one that prints and writes."""
    return jax.process_index() == 0


def led(check: Callable[[], object]) -> None:
    """Run `check` in process 0 alone; all processes must call, and where it raises ValueError there, all of them do."""
    refusal = None
    if leads():
        try:
            check()
        except ValueError as error:
            refusal = error
    if jax.process_count() > 1 and broadcast_one_to_all(np.asarray(refusal is not None)) and not leads():
        raise ValueError("process 0 refuses what was asked for, and says why")
    if refusal is not None:
        raise refusal


def per_device_memory(compiled: jax.stages.Compiled) -> int:
    """Bytes of each device that a compiled program holds: arguments, temporaries and outputs, what they share once."""
    found = compiled.memory_analysis()
    if found is None:
        raise ValueError(f"the backend {jax.default_backend()!r} does not say what a compiled program holds")
    held = found.argument_size_in_bytes + found.temp_size_in_bytes + found.output_size_in_bytes
    return held - found.alias_size_in_bytes


def decomposes_on() -> str:
    """Where float64 matrices are decomposed: "host" where the backend cannot (TPU), else the backend's name."""
    return HOST if emulates_float64() else jax.default_backend()


def decomposing(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, of arrays that it decomposes or factorizes in float64, run where `decomposes_on` says.

    On the host its arrays are moved to the CPU device and what it returns is moved back; elsewhere it is called as it
    is. Not to be called inside a compiled function.
    """

    @functools.wraps(function)
    def placed(*args: P.args, **kwargs: P.kwargs) -> R:
        if decomposes_on() != HOST:
            return function(*args, **kwargs)
        host, back = jax.local_devices(backend="cpu")[0], jax.local_devices()[0]
        args, kwargs = jax.device_put((args, kwargs), host)
        with jax.default_device(host):
            found = function(*args, **kwargs)
        return jax.device_put(found, back)

    return placed


def _loopback(host: str) -> str | None:
    """The loopback address that a host's name or number is, if it is one."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return host if ipaddress.ip_address(host.strip("[]")).is_loopback else None
    except ValueError:
        return None


def _number(name: str) -> int | None:
    text = os.environ.get(name)
    value = None if text is None else digits(text.strip())
    if text is not None and value is None:
        raise ValueError(f"{name} must be a whole number; got {text!r}")
    return value
