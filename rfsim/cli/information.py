"""What `rfsim info` tells of this machine."""

from __future__ import annotations

from typing import Any

from rfsim import machine
from rfsim.cli.answers import SCHEMA


def gather() -> tuple[dict[str, Any], bool]:
    """The facts, and whether JAX has a backend to compute on."""
    try:
        devices, precision, complete = machine.devices(), _precision(), True
    except (RuntimeError, AssertionError) as error:
        # JAX was told to use a backend that this machine lacks; telling so is what this command is for
        devices, precision, complete = [f"none: {str(error) or 'JAX found no backend to use'}"], "unknown", False
    facts = {
        "schema": SCHEMA,
        "versions": machine.versions(),
        "devices": devices,
        "threads": machine.threads(),
        "precision": precision,
        "memory_limit_bytes": machine.memory_limit(),
        "cache_folder": str(machine.cache_folder()),
    }
    return facts, complete


def lines(facts: dict[str, Any]) -> list[str]:
    """The facts for a reader."""
    return [
        "versions      " + "  ".join(f"{name} {version}" for name, version in facts["versions"].items()),
        "devices       " + "  ".join(facts["devices"]),
        f"threads       {facts['threads']}",
        f"precision     {facts['precision']} inside rfsim, whatever JAX is set to",
        f"memory limit  {facts['memory_limit_bytes'] / machine.GIB:.3g} GiB",
        f"cache folder  {facts['cache_folder']}",
    ]


def _precision() -> str:
    """The type in which rfsim's functions compute here, asked of JAX."""
    import jax.numpy as jnp

    from rfsim.precision import in_float64

    return in_float64(lambda: str(jnp.zeros(1).dtype))()
