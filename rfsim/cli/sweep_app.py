"""`rfsim sweep`: a quantity over a grid of its parameters, from a TOML file to a store that resumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from rfsim.cli import streams, terminal
from rfsim.cli.flags import folder_flag, from_one, read_as, switch, text_flag
from rfsim.cli.statuses import DONE, UNCONVERGED

Kind = Literal["serial", "processes", "dask"]


def sweep(
    file: str | None = None,
    /,
    *,
    out: Annotated[Path | None, folder_flag("The store, a zarr folder; FILE with the suffix .zarr.")] = None,
    status: Annotated[bool, switch("Say how far the store is, and compute nothing.")] = False,
    resume: Annotated[
        bool, Parameter(negative="--no-resume", help="Go on with a store that is there, or refuse it.")
    ] = True,
    retry_failed: Annotated[bool, switch("Also compute cells again that did not end well.")] = False,
    workers: Annotated[int | None, read_as(from_one, "How many groups are computed at once; 1.")] = None,
    executor: Annotated[
        Kind | None, text_flag("serial, processes of this machine, or dask; processes where there are workers.")
    ] = None,
    scheduler: Annotated[str | None, text_flag("Address of a dask scheduler, tcp://HOST:PORT.")] = None,
    export: Annotated[Path | None, folder_flag("Also write the result to FILE.nc or FILE.csv.")] = None,
    force: Annotated[bool, switch("Replace a file of --export that is something else.")] = False,
    merge: Annotated[
        tuple[Path, ...],
        Parameter(
            consume_multiple=True,
            negative=(),
            help="Instead of FILE: stores of one sweep, but for values along its axes, to join as the store --out; "
            "cells that none of them has wait for the file written beside it.",
        ),
    ] = (),
    allow_import: Annotated[
        bool, switch("Let FILE name activations by module:attribute, found beside it too, and so run their code.")
    ] = False,
    json: Annotated[bool, switch("Print one JSON object.")] = False,
    quiet: Annotated[bool, switch("No progress and no tables; errors still print.")] = False,
) -> int:
    """A quantity over a grid of its parameters, stored as it is computed: phase diagrams."""
    from rfsim.checking import notes
    from rfsim.cli import answers
    from rfsim.computing import machine
    from rfsim.disk import store
    from rfsim.sweeps import front
    from rfsim.sweeps.engines.choice import end_if_starting
    from rfsim.sweeps.request import prepare
    from rfsim.sweeps.summary import summary

    if merge:
        flags = {
            "FILE": file is not None,
            "--status": status,
            "--no-resume": not resume,
            "--retry-failed": retry_failed,
            "--workers": workers is not None,
            "--executor": executor is not None,
            "--scheduler": scheduler is not None,
            "--export": export is not None,
        }
        return _merge(merge, out, [name for name, given in flags.items() if given], json=json, quiet=quiet)
    if file is None:
        raise ValueError("give FILE, a sweep written in TOML, or --merge A.zarr B.zarr --out C.zarr")
    place = out or front.default_store(file)
    with notes.recorded() as heard:
        request = prepare(file, allow_import=allow_import, read_only=status)
    write = _writer(export, force=force)
    if not status:
        machine.use_compilation_cache()
        terminal.say(heard, quiet=quiet)
        with terminal.noting(heard, quiet=True), terminal.bar("sweep", quiet=quiet) as report:
            how = (executor, workers, scheduler)
            end_if_starting()
            mended = front.fill(request, place, how, resume=resume, retry_failed=retry_failed, report=report)
        terminal.say([f"{place}: {mended}"] if mended else (), quiet=quiet)
    found = summary(place, request)
    if write is not None and export is not None:
        terminal.say(write(store.load(place), export) or (), quiet=quiet)
    if json:
        streams.tell(answers.text({"schema": answers.SCHEMA, **found}))
    else:
        terminal.say(lines(found), quiet=quiet and not status)
    if "damaged" in found:
        terminal.complain(f"{place}: {found['damaged']}; run the same command without --status to mend that")
    return UNCONVERGED if found["unconverged"] or found["failed"] or "damaged" in found else DONE


def _merge(stores: Sequence[Path], out: Path | None, others: Sequence[str], *, json: bool, quiet: bool) -> int:
    from rfsim.cli import answers
    from rfsim.disk.store import atomic
    from rfsim.sweeps.merging import merge
    from rfsim.sweeps.request import SweepRequest
    from rfsim.sweeps.summary import summary

    if others:
        raise ValueError(f"--merge joins stores and computes nothing; leave out {', '.join(others)}")
    if out is None:
        raise ValueError("--merge needs --out, the store to write")
    joined = merge(stores, out)
    file = out.with_suffix(".toml")
    if not file.exists() and "array" not in joined.settings:
        with atomic(file) as temporary:
            temporary.write_text(joined.text, encoding="utf-8")
    found = summary(out, SweepRequest(joined.plan, joined.settings, None))
    terminal.say([*joined.words, *lines(found)], quiet=quiet)
    if json:
        streams.tell(answers.text({"schema": answers.SCHEMA, **found}))
    return UNCONVERGED if found["unconverged"] or found["failed"] else DONE


def complete(read: Mapping[Path, Any]) -> int:
    """The exit status of what stores were read for; says so where some of their cells are not what was written."""
    from rfsim.disk.sweep_files import BROKEN
    from rfsim.sweeps.summary import damaged

    found = {place: broken for place, data in read.items() if (broken := data.attrs.get(BROKEN, 0))}
    for place, broken in found.items():
        words = "and count as waiting; run rfsim sweep again to compute them"
        terminal.complain(f"{place}: {damaged(broken)}, {words}")
    return UNCONVERGED if found else DONE


def _writer(export: Path | None, *, force: bool) -> Callable[[Any, Path], list[str] | None] | None:
    """What writes a file of that kind; asked before anything is computed."""
    from rfsim.disk import store
    from rfsim.maps.export import to_csv, to_netcdf

    if export is None:
        return None
    writers = {".nc": to_netcdf, ".csv": to_csv}
    if export.suffix not in writers:
        raise ValueError(f"--export writes {' and '.join(writers)} files; got {export}")
    store.check_writable(export.parent)
    if export.exists() and not force and not _exported(export):
        raise store.StoreError(f"{export} exists and is no sweep; use --force to replace it or another --export")
    return writers[export.suffix]


def _exported(path: Path) -> bool:
    """Whether a file is what --export wrote: the result of a sweep, or a table whose last column is the command."""
    from rfsim.disk import store

    try:
        if path.suffix == ".nc":
            return store.load(path).attrs[store.KIND] == "sweep"
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip().endswith(",command")
    except (OSError, ValueError):
        return False


def lines(found: dict[str, Any]) -> list[str]:
    """A summary for a reader."""
    words = ", ".join(f"{found[name]} {name}" for name in ("done", "unconverged", "failed", "waiting") if found[name])
    groups, counted = found["groups"], found["decompositions"]
    told = [
        f"{found['store']}: {words} of {found['cells']} cells",
        f"{groups['total'] - groups['waiting']} of {groups['total']} groups; {counted['done']} of "
        f"{counted['announced']} decompositions of U; {found['seconds']:.3g} s of work",
    ]
    return told + ([f"being written by {found['holder']}"] if found["holder"] else [])
