"""What this process may use: memory, threads, devices, the compilation cache."""

from __future__ import annotations

import os
import platform
import resource
import warnings
from functools import cache
from importlib import metadata
from pathlib import Path

GIB = 2**30
PACKAGES = (
    "rfsim",
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "xarray",
    "h5netcdf",
    "matplotlib",
    "optax",
    "matfree",
    "scikit-learn",
)


def cache_folder() -> Path | None:
    """Where compiled programs are kept: $RFSIM_CACHE, else the user's cache folder.

    Returns:
        The folder; None without a home to hold one.
    """
    if chosen := os.environ.get("RFSIM_CACHE"):
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rfsim"
    except RuntimeError:  # a user without an entry in the machine's list, as containers have
        return None


def use_compilation_cache() -> None:
    """Keep JAX's compiled programs between runs; programs call this, the library never does.

    No cache is slower, not wrong: one that cannot be written, or no longer, is left without a word. One that can only
    be read is read. A cache that JAX's own variable JAX_COMPILATION_CACHE_DIR names is kept to.
    """
    import jax

    # JAX would warn for each of a run's dozens of programs
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache entry")
    if os.environ.get("JAX_COMPILATION_CACHE_DIR") or (folder := cache_folder()) is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # most programs here compile in well under a second, and a run needs dozens of them
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def release_programs(share: float = 0.5) -> bool:
    """Drop JAX's compiled programs where this process holds much of the memory maps Linux grants it.

    Each program holds some thirty, and a process that needs more than vm.max_map_count (65530 by default) ends with a
    segmentation fault: long series of runs of many shapes call this between runs.

    Args:
        share: Of the maps granted, from which on programs are dropped.

    Returns:
        Whether they were dropped; those still needed are compiled again, or read from the compilation cache.
    """
    try:
        granted = int(Path("/proc/sys/vm/max_map_count").read_text())
        held = Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:
        return False  # not Linux: no such limit
    if held <= share * granted:
        return False
    import jax

    jax.clear_caches()
    return True


@cache
def versions() -> dict[str, str]:
    """Installed versions of the packages a result depends on, Python included."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def threads() -> int:
    """Threads this process may compute with: the cores it may run on, or fewer by NPROC, which XLA reads too."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get("NPROC", "")
    return min(cores, int(given)) if given.isascii() and given.isdecimal() and int(given) else cores


class NoDevice(RuntimeError):
    """JAX has nothing to compute on, with what it was told and what to do."""


def devices() -> list[str]:
    """JAX's devices, in words.

    Returns:
        One text a device: platform, number and kind.

    Raises:
        NoDevice: In one line, where JAX was told to use what this machine lacks.
    """
    import jax

    try:
        found = jax.devices()
    except (RuntimeError, AssertionError) as error:  # the latter where a plugin is not installed
        platforms, reason = jax.config.jax_platforms, str(error).partition(" (set JAX_PLATFORMS")[0]  # type: ignore[attr-defined]
        told = (
            f"JAX finds no device{(platforms and f' for JAX_PLATFORMS={platforms}') or ''}{reason and f' ({reason})'}"
        )
        raise NoDevice(f"{told}; {'unset it or set it to cpu' if platforms else 'set JAX_PLATFORMS=cpu'}") from None
    return [f"{device.platform}:{device.id} {device.device_kind}" for device in found]


def memory_limit() -> int:
    """Bytes this process may use: the least of physical memory, its cgroups' limits and its own address limit."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_cgroup_limits(Path("/proc/self/cgroup"))]
    address = resource.getrlimit(resource.RLIMIT_AS)[0]
    if address != resource.RLIM_INFINITY:
        limits.append(address)
    return min(limits)


def available_memory() -> int:
    """Bytes this process may still take: of its limit, what other processes leave free."""
    try:
        told = Path("/proc/meminfo").read_text()
        free = 1024 * int(next(line for line in told.splitlines() if line.startswith("MemAvailable")).split()[1])
    except (OSError, StopIteration):
        return memory_limit()  # not Linux, which does not say
    return min(free, memory_limit())


def peak_memory() -> int:
    """The largest size so far, in bytes: on a device with memory of its own what was used there, else resident."""
    import jax

    if (stats := jax.local_devices()[0].memory_stats()) is not None and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"]
    try:
        # getrusage's figure survives exec: it would begin at the size of the process that started this one
        status = Path("/proc/self/status").read_text()
        return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    except (OSError, StopIteration):
        pass
    scale = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def device_memory() -> int | None:
    """Bytes that JAX may use of its first device's own memory; None where it has none of its own (CPU)."""
    import jax

    stats = jax.local_devices()[0].memory_stats()
    return None if stats is None else stats.get("bytes_limit")


def require_memory(
    needed: float,
    what: str,
    hint: str = "take fewer features or samples, or a smaller dim",
    *,
    each: float | None = None,
) -> None:
    """Refuse, before anything is allocated, what takes more memory than there is.

    Args:
        needed: Bytes of the whole.
        what: Takes them, in words.
        hint: What to do.
        each: Bytes that each device holds of them, by default all; 0 for what stays on the host, where JAX is not
            asked.

    Raises:
        MemoryError: Where the whole passes what this process may use, or a device's share the memory of its own.
    """
    limits = [(needed, memory_limit(), "this process may use")]
    if each != 0 and (own := device_memory()) is not None:
        limits.append((needed if each is None else each, own, "the device has"))
    for size, limit, whose in limits:
        if size > limit:
            raise MemoryError(f"{what} needs about {size / GIB:.3g} GiB, and {whose} {limit / GIB:.3g} GiB; {hint}")


def _cgroup_limits(membership: Path, root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Limits of this process's cgroups and all of their parents, versions 1 and 2."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory") and "memory" not in controllers.split(","):
            continue
        base, file = (root, "memory.max") if controllers == "" else (root / "memory", "memory.limit_in_bytes")
        folder = base / path.lstrip("/")
        # inside a container the path may not exist below the mount: then its root carries the limit
        for place in {base, *(p for p in (folder, *folder.parents) if p.is_relative_to(base))}:
            try:
                text = (place / file).read_text().strip()
            except OSError:
                continue
            if text.isdigit():
                limits.append(int(text))
    return limits
