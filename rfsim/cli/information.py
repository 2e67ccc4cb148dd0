"""What `rfsim info` tells of this machine."""

from __future__ import annotations

from typing import Any

from rfsim.cli.answers import SCHEMA
from rfsim.computing import machine


def gather() -> tuple[dict[str, Any], bool]:
    """The facts, and whether JAX has a backend to compute on."""
    try:
        devices, precision, complete = machine.devices(), _precision(), True
    except machine.NoDevice as missing:  # telling so is what this command is for
        devices, precision, complete = [f"none: {missing}"], "unknown", False
    cache = machine.cache_folder()
    facts = {
        "schema": SCHEMA,
        "versions": machine.versions(),
        "devices": devices,
        "threads": machine.threads(),
        "precision": precision,
        "memory_limit_bytes": machine.memory_limit(),
        "cache_folder": None if cache is None else str(cache),
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
        f"cache folder  {facts['cache_folder'] or 'none: there is no home folder; set RFSIM_CACHE'}",
    ]


def _precision() -> str:
    """The type in which rfsim's functions compute here, asked of JAX."""
    import jax.numpy as jnp

    from rfsim.computing.precision import in_float64

    return in_float64(lambda: str(jnp.zeros(1).dtype))()
