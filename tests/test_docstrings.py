"""What docstrings say of a result's variables and their dimensions, held against results."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
import pkgutil
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import rfsim
from rfsim import Problem, theory

LISTED = re.compile(r"((?:\w+(?:, and |, | and ))*\w+) \((\w+(?:, \w+)*)[;)]")
SAMPLE = Problem(samples_per_dim=3, features_per_dim=5)
RESULTS = {
    "train": lambda: (rfsim.train, rfsim.train(SAMPLE, [1, math.inf], dim=4, by_part=True, trainer="descent:1")),
    "spectrum": lambda: (rfsim.spectrum, rfsim.spectrum(SAMPLE, dim=4)),
    "simulate": lambda: (rfsim.simulate, rfsim.simulate(SAMPLE, dim=4, steps=3)),
    "distill": lambda: (rfsim.distill, rfsim.distill(SAMPLE, [1.0], dim=3, levels=2, generated=16)),
    "density": lambda: (rfsim.density, rfsim.density(SAMPLE, dim=8)),
    "theory.spectrum": lambda: (theory.spectrum, theory.spectrum(SAMPLE)),
    "theory.curves": lambda: (theory.curves, theory.curves(SAMPLE, [1.0], by_part=True)),
    "theory.ridge": lambda: (theory.ridge, theory.ridge(SAMPLE, [0.1])),
    "theory.mini_gap": lambda: (
        theory.mini_gap,
        theory.mini_gap(Problem(), samples_per_dim=[8], diffusion_times=[0.1]),
    ),
    "theory.diagram": lambda: (
        theory.diagram,
        theory.diagram(Problem(), samples_per_dim=[2], features_per_dim=[4], train_times=[1]),
    ),
}


@pytest.mark.parametrize(
    "name", [name if name == "theory.mini_gap" else pytest.param(name, marks=pytest.mark.slow) for name in RESULTS]
)
def test_docstrings_name_dimensions_as_results_have_them(name):
    function, result = RESULTS[name]()
    returned = inspect.getdoc(function).partition("Returns")[2].partition("Raises")[0]
    checked = 0
    for names, dims in LISTED.findall(" ".join(returned.split())):
        told = dims.split(", ")
        if not {*told} & {*map(str, result.dims)}:
            continue  # not about dimensions
        for variable in re.split(r", and |, | and ", names):
            if variable in result:
                found = [str(dim) for dim in result[variable].dims]
                # where "(seed, …)" heads the list a variable's own dimensions are told
                own = [dim for dim in found if dim in told] if "(seed, …)" in returned else found
                assert told == own, variable
                checked += 1
    assert checked or name == "theory.ridge"  # which says it in words


def test_completion_offers_what_is_public():
    assert [name for name in dir(rfsim) if not name.startswith("_")] == sorted(rfsim.__all__)
    for name in rfsim.__all__:
        assert getattr(rfsim, name) is not None


def test_rooms_are_there_when_they_are_asked_for():
    for name in ("distillation", "learning", "limit", "sample"):
        assert inspect.ismodule(getattr(rfsim, name))
    for name in ("nothing", "_nothing", "a.b", "__wrapped__"):
        assert not hasattr(rfsim, name)


DOCUMENTED = re.compile(r"^(?:\*{0,2})(\w+): ", re.M)
SECTION = r"^{}:\n((?:(?:    .*)?\n)*)"
TAGGED = re.compile(r"\bT\d|\bD\d|\bW\d|§\d|\[ours\]|\[derived\]|no equation")
PACKAGE = Path(rfsim.__file__).parent
MATHEMATICS = (
    "filters",
    "problem.diffusion",
    "ranks",
    "sampling",
    "memorization",
    "moments",
    "spectra",
    "training",
    "theory",
)


def entries(text: str, section: str) -> list[str]:
    """Names that a section of a Google-style docstring tells, in order."""
    found = re.search(SECTION.format(section), text + "\n", re.M)
    return [] if found is None else DOCUMENTED.findall(inspect.cleandoc("\n" + found[1]))


def members() -> Iterator[tuple[str, object]]:
    """Functions, classes and methods without an underscore that rfsim defines, by their names."""
    for one in pkgutil.walk_packages([str(PACKAGE)], "rfsim."):
        if one.name.startswith(("rfsim.cli.", "rfsim.explorer.page", "rfsim.explorer.widget", "rfsim.__main__")):
            continue
        module = importlib.import_module(one.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != one.name:
                continue
            thing = inspect.unwrap(thing) if callable(thing) else thing
            if inspect.isfunction(thing) or inspect.isclass(thing):
                yield f"{one.name}.{name}", thing
            if inspect.isclass(thing):
                for inner, method in vars(thing).items():
                    if inspect.isfunction(method) and not inner.startswith("_"):
                        yield f"{one.name}.{name}.{inner}", method


def arguments(thing: object) -> list[str]:
    return [name for name in inspect.signature(thing).parameters if name not in ("self", "cls")]


def in_order(named: list[str], thing: object) -> bool:
    """Whether these are all arguments, those that may be given by place in their order, keywords in any."""
    keywords = {name for name, one in inspect.signature(thing).parameters.items() if one.kind is one.KEYWORD_ONLY}
    told, given = ([name for name in names if name not in keywords] for names in (named, arguments(thing)))
    return told == given and sorted(named) == sorted(arguments(thing))


def fields(thing: object) -> list[str]:
    if dataclasses.is_dataclass(thing):
        return [one.name for one in dataclasses.fields(thing)]
    return list(getattr(thing, "_fields", ())) or ([*thing.__annotations__] if typing.is_typeddict(thing) else [])


def test_docstrings_tell_arguments_and_fields_as_they_are():
    """Each of them, in order, where any is told; what is returned beside them."""
    wrong, told = [], 0
    for name, thing in members():
        text = inspect.cleandoc(thing.__doc__ or "")
        if named := entries(text, "Attributes"):
            told += 1
            wrong += [name] if named != fields(thing) else []
        if named := entries(text, "Args"):
            told += 1
            wrong += [] if in_order(named, thing) else [name]
            gives = inspect.isfunction(thing) and thing.__annotations__.get("return") != "None"
            wrong += [f"{name} returns"] if gives and not re.search(r"^(Returns|Yields):$", text, re.M) else []
    assert not wrong
    assert told > 300


# beside what `__all__` of a room names: modules whose functions users call by the module
MODULES = (
    "problem.diffusion",
    "distillation.stochastic",
    "explorer.hosts",
    "explorer.server",
    "learning.filters",
    "computing.machine",
    "distillation.memorization",
    "learning.protocol",
    "problem.ranks",
    "reproduce",
    "distillation.sampling",
    "maps.export",
    "sweeps.merging",
    "maps.views",
    "limit.maps",
    "limit.minimizer",
    "limit.solver",
    "limit.tables",
    "learning.clocks",
    "learning.curves",
    "learning.losses",
    "learning.noisy",
    "learning.published",
    "learning.timescales",
)


def offered() -> Iterator[tuple[str, object]]:
    """What users call, by where it is defined."""
    defined = dict(members())
    named = {name for name in defined if name.rpartition(".")[0].removeprefix("rfsim.") in MODULES}
    for module in (rfsim, *(sys.modules.get(one.name) for one in pkgutil.walk_packages([str(PACKAGE)], "rfsim."))):
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            named.add(f"{getattr(thing, '__module__', '')}.{getattr(thing, '__name__', '')}")
    for name, thing in defined.items():
        if name in named or name.rpartition(".")[0] in named:
            yield name, thing


def is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, BaseException)


def test_docstrings_of_what_users_call_tell_every_argument_and_field():
    """Those of mathematics say where their equation stands, or that there is none."""
    found, lacking = dict(offered()), []
    for name, thing in found.items():
        text = inspect.cleandoc(thing.__doc__ or "")
        owner, _, method = name.rpartition(".")
        bases = found[owner].__mro__[1:] if inspect.isclass(found.get(owner)) else ()
        if any(hasattr(base, method) for base in bases):
            continue  # as its base tells it
        if inspect.isfunction(thing):
            lacking += [f"{name}: Args"] if arguments(thing) and not entries(text, "Args") else []
        else:
            lacking += [f"{name}: Attributes"] if fields(thing) and not entries(text, "Attributes") else []
        if name.removeprefix("rfsim.").startswith(MATHEMATICS) and owner not in found and not is_error(thing):
            lacking += [] if TAGGED.search(text) else [f"{name}: equation"]
    assert not lacking
    assert len(found) > 300
