"""Files that a sweep names as data: looked up beside the sweep's own file first, and told whole to whoever computes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rfsim.disk.files import is_file
from rfsim.problem import populations
from rfsim.sweeps.spec import Spec


def whole(text: str, folder: Path) -> str:
    """Data with the whole path of their file, which lies in `folder` or else where the process stands; other data as
    they are, and files that are in neither.

    >>> whole("atoms:0.5@1,0.5@2", Path())
    'atoms:0.5@1,0.5@2'
    """
    data = populations.in_file(text)
    if data is None:
        return text
    return next((data.moved(one.resolve()) for one in (folder / data.path, data.path) if is_file(one)), text)


def located(spec: Spec, folder: Path, known: Mapping[str, str] | None = None) -> Spec:
    """The sweep with whole paths, those known or found, which are its files in all but its settings and coordinates."""
    paths: dict[str, str] = {}

    def found(value: Any) -> Any:
        path = whole((known or {}).get(value, value), folder) if isinstance(value, str) else value
        if path != value:
            paths[path] = value
        return path

    fixed = {name: found(value) if name == "data" else value for name, value in spec.fixed.items()}
    axes = tuple(
        axis._replace(values={name: _all(found, name, values) for name, values in axis.values.items()})
        for axis in spec.axes
    )
    return spec._replace(fixed=fixed, axes=axes, written=paths)


def named(spec: Spec) -> dict[str, str]:
    """Every data of the sweep as it may be read, by how its file names it."""
    values = [spec.fixed.get("data"), *(one for axis in spec.axes for one in axis.values.get("data", ()))]
    return {spec.written.get(one, one): one for one in values if isinstance(one, str)}


def _all(found: Any, name: str, values: tuple) -> tuple:
    return tuple(map(found, values)) if name == "data" else values
