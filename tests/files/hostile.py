"""Every command that reads a file, run on every kind of file that is none of its own: one process, one line each.

Prints JSON: what went wrong, by command and file.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import signal
import socket
import struct
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np

from rfsim.cli import main
from rfsim.computing import machine
from rfsim.disk import netcdf, store
from rfsim.disk.files import text

LIMIT = 2**28  # bytes that the process is told it may use: files of a few MB can ask for more
SECONDS, ROOM = 30, LIMIT  # a command may take, and bytes by which the process may grow
SUFFIXES = (".npy", ".npz", ".csv", ".tsv.gz", ".toml", ".nc", "")
READERS = {
    "config": lambda name: ["train", "--config", name],
    "sweep": lambda name: ["sweep", name],
    "sweep status": lambda name: ["sweep", name, "--status"],
    "show": lambda name: ["show", name],
    "plot": lambda name: ["plot", name],
    "over": lambda name: ["plot", "good.nc", "--over", name],
    "data": lambda name: ["train", "--data", name],
    "data of the limit": lambda name: ["theory", "curves", "--data", name],
    "eigenvalues": lambda name: ["theory", "spectrum", "--data", f"eigenvalues:{name}"],
    "covariance": lambda name: ["spectrum", "--data", f"covariance:{name}"],
    "a key": lambda name: ["distill", "--data", f"{name}:x"],
    "simulate": lambda name: ["simulate", "--data", name],
}


def header(shape: str, start: bytes = b"\x93NUMPY\x01\x00") -> bytes:
    told = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return start + struct.pack("<H", len(told)) + told


def archive(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", content)


def zeros(path: Path) -> None:
    """A netCDF file of few bytes that declares many, its coordinate too."""
    with h5py.File(path, "w") as file:
        for name in ("x", "values"):
            file.create_dataset(name, (2**26,), "f8", chunks=(2**16,), compression="gzip", fillvalue=0.0)
        file["x"].make_scale("x")
        file["values"].dims[0].attach_scale(file["x"])
        file.attrs.update(rfsim_kind="train", rfsim_schema=1, settings="{}", versions="{}", wall_time_seconds=1.0)


def listen(path: Path) -> None:
    here = socket.socket(socket.AF_UNIX)
    here.bind(path.name)  # an address is short
    here.close()


WRITERS = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "terminal": lambda path: path.symlink_to("/dev/tty"),
    "folder": Path.mkdir,
    "socket": listen,
    "missing": lambda path: None,
    "circle": lambda path: path.symlink_to(path.name),
    "empty": Path.touch,
    "noise": lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)),
    "nothing": lambda path: path.write_bytes(bytes(5000)),
    "deep": lambda path: path.write_text("a = " + "[" * 10**5),
    "dots": lambda path: path.write_text(".".join("a" * 10**5) + " = 1"),
    "long": lambda path: path.write_text("a = 1\n" * 10**6),
    "keys": lambda path: path.write_text("\n".join(f"a{k} = 1" for k in range(10**4))),
    "brackets": lambda path: path.write_bytes(header("(" * 9000)),
    "minus": lambda path: path.write_bytes(header("-" * 9000 + "1")),
    "huge": lambda path: path.write_bytes(header("(1000000, 1000000)") + bytes(100)),
    "negative": lambda path: path.write_bytes(header("(-4, 2)") + bytes(100)),
    "future": lambda path: path.write_bytes(header("(4, 2)", b"\x93NUMPY\x09\x00") + bytes(64)),
    "long header": lambda path: path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + bytes(99)),
    "bomb": lambda path: archive(path, header("(8388608, 2)") + bytes(2**27)),
    "brackets inside": lambda path: archive(path, header("(" * 9000)),
    "huge inside": lambda path: archive(path, header("(1000000, 1000000)") + bytes(100)),
    "text bomb": lambda path: path.write_bytes(gzip.compress(b"0,1.5\n" * (LIMIT // 40))),
    "zeros": zeros,
}

TOML, NUMPY, ARCHIVE = (".toml", ".csv"), (".npy", ".toml"), (".npz", ".npy")
OWN = {  # suffixes of those that any other reader refuses by their first bytes
    **dict.fromkeys(("deep", "dots", "long", "keys"), TOML),
    **dict.fromkeys(("brackets", "minus", "huge", "negative", "future", "long header"), NUMPY),
    **dict.fromkeys(("bomb", "brackets inside", "huge inside"), ARCHIVE),
    "text bomb": (".csv.gz", ".nc"),
    "zeros": (".nc", ".npz"),
}


class Late(BaseException):
    """More seconds than a command may take."""


def late(*_: object) -> None:
    raise Late


def run(words: list[str]) -> str:
    """What is wrong with how a command ends; "" where it is refused in one line."""
    out, err, started = io.StringIO(), io.StringIO(), time.monotonic()
    before = machine.peak_memory()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words)
    except BaseException as error:
        return f"{type(error).__name__} after {time.monotonic() - started:.0f} s: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    said = err.getvalue()
    if status != 2 or out.getvalue() or said.count("\n") != 1 or not said.startswith("rfsim: ") or "Traceback" in said:
        return f"status {status}: {out.getvalue()[:100]}{said[:300]}"
    grown = machine.peak_memory() - before
    return f"took {grown} bytes" if grown > ROOM else ""


def trials() -> dict[str, object]:
    wrong, count = {}, 0
    for kind, write in WRITERS.items():
        if sys.argv[1:] and kind not in sys.argv[1:]:  # for a look at some
            continue
        for suffix in OWN.get(kind, SUFFIXES):
            path = Path(f"{kind}{suffix}")
            write(path)
            for reader, words in READERS.items():
                count += 1
                if problem := run(words(str(path))):
                    wrong[f"{reader} of {path.name}"] = problem
    for name in (b"caf\xe9.npy", b"caf\xe9.toml", b"caf\xe9.nc"):  # no text in UTF-8
        for reader, words in READERS.items():
            count += 1
            if problem := run(words(os.fsdecode(name))):
                wrong[f"{reader} of {name!r}"] = problem
    return {"trials": count, "wrong": wrong}


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, late)
    with contextlib.redirect_stdout(sys.stderr):  # whatever loads, loads before memory is measured
        assert main(["train", "--dim", "4", "--features", "8", "--samples", "8", "--out", "a", "--quiet"]) == 0
    Path("a/result.nc").rename("good.nc")
    for room in (machine, text, netcdf, store):
        room.memory_limit = lambda: LIMIT
    json.dump(trials(), sys.stdout)
