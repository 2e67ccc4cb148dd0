"""The experiments of a checkout: their files, figures and claims."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

import rfsim
from rfsim.checking.text import nearest
from rfsim.claims import Claim
from rfsim.reproduce.cells import Cell

SIZES = ("quick", "paper")


class Experiment(NamedTuple):
    """One experiment file of a checkout and the figure file that belongs to it.

    Attributes:
        name: Of the file, without its suffix.
        module: The experiment, loaded.
        drawing: The figure file.
    """

    name: str
    module: ModuleType
    drawing: Path

    @property
    def figures(self) -> Mapping[str, str]:
        """Figure name → source."""
        return self.module.FIGURES

    @property
    def claims(self) -> Sequence[Claim]:
        """The claims that it decides."""
        return self.module.CLAIMS

    @property
    def core(self) -> bool:
        """Whether it is run where no figure is named."""
        return getattr(self.module, "CORE", False)

    def cells(self, size: str) -> list[Cell]:
        """All cells of one size.

        Args:
            size: "quick" or "paper".

        Returns:
            The cells.
        """
        return self.module.cells(size)

    def seconds(self, size: str) -> float:
        """Measured wall seconds of all cells on two cores.

        Args:
            size: "quick" or "paper".

        Returns:
            The seconds.
        """
        return self.module.SECONDS[size]


def checkout() -> Path:
    """The root of the checkout that holds the experiments: the package's own, or the current folder.

    Returns:
        The folder.

    Raises:
        ValueError: In one line, outside of one.
    """
    for root in (Path(rfsim.__file__).resolve().parents[1], Path.cwd()):
        if (root / "experiments").is_dir() and (root / "figures").is_dir() and (root / "rfsim").is_dir():
            return root
    raise ValueError(
        "rfsim reproduce needs a checkout of rfsim, the folder with experiments/ and figures/; "
        "run it there after python -m pip install -e '.[data]'"
    )


def experiments(root: Path) -> list[Experiment]:
    """All experiments of a checkout, in order of their numbers; those below 10 are tutorials.

    Args:
        root: Of the checkout.

    Returns:
        The experiments, loaded.
    """
    return [experiment(file) for file in sorted((root / "experiments").glob("[1-9][0-9]_*.py"))]


def experiment(file: Path) -> Experiment:
    """The experiment of a file.

    Args:
        file: In the folder `experiments` of a checkout.

    Returns:
        The experiment, loaded.
    """
    return Experiment(file.stem, module_of(file), file.parents[1] / "figures" / file.name)


def select(
    found: Sequence[Experiment], names: Sequence[str], *, everything: bool = False
) -> list[tuple[Experiment, list[str]]]:
    """The experiments behind names, each with the figures asked for.

    Args:
        found: All experiments.
        names: Of figures, or of experiments for all of theirs; where none is given, those of the core.
        everything: All figures instead.

    Returns:
        Experiments and their figures.

    Raises:
        ValueError: For an unknown figure, names beside `everything`, or where nothing is marked as core.
    """
    known = [name for one in found for name in one.figures]
    whole = {one.name: [*one.figures] for one in found}
    names = [figure for name in names for figure in whole.get(name, [name])]
    for name in names:
        if name not in known:
            raise ValueError(f"unknown figure {name!r}; choose among {', '.join(known)}{nearest(name, known)}")
    if names and everything:
        raise ValueError(f"--all takes no names; got {', '.join(names)}: give either")
    if not names and not everything:
        names = [name for one in found if one.core for name in one.figures]
        if not names:
            raise ValueError("no experiment here is marked with CORE = True: name figures of --list, or give --all")
    wanted = [(one, [name for name in one.figures if everything or name in names]) for one in found]
    return [(one, figures) for one, figures in wanted if figures]


def describe(experiment: Experiment) -> str:
    """The first line of an experiment's docstring: its claim.

    Args:
        experiment: The experiment.

    Returns:
        The line.
    """
    return (inspect.getdoc(experiment.module) or experiment.name).splitlines()[0]


def module_of(path: Path) -> ModuleType:
    """A file of the checkout, run as a module.

    Args:
        path: Of an experiment, or of what draws its figures.

    Returns:
        The module.
    """
    name = f"rfsim_{path.parent.name}_{path.stem}"
    loader = _AsItIs(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


class _AsItIs(SourceFileLoader):
    """A file as it is now: bytecode kept beside it is taken for its own if the second and the size are the same."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)
