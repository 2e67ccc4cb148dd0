"""What docstrings say of a result's variables and their dimensions, held against results."""

from __future__ import annotations

import inspect
import math
import re
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


def test_every_room_that_the_readme_names_is_there():
    """`import rfsim` gives each, when it is asked for."""
    told = {*re.findall(r"`rfsim((?:\.\w+)+)", (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8"))}
    assert len(told) > 20
    for path in told:
        found = rfsim
        for name in path.split(".")[1:]:
            found = getattr(found, name)
    for name in ("sampling", "memorization", "machine", "training"):
        assert inspect.ismodule(getattr(rfsim, name))
    for name in ("nothing", "_nothing", "a.b", "__wrapped__"):
        assert not hasattr(rfsim, name)
