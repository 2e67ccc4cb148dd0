"""What messages advise exists where they are read."""

from __future__ import annotations

import pickle

import pytest

from rfsim.computing.precision import Unresolved, ridge_named
from rfsim.sampled import distill
from rfsim.simulation.optimizers import names, read
from tests.commands import assert_refused
from tests.commands import place as place


def test_a_distillation_names_the_ridge_of_its_teacher(capsys, monkeypatch):
    """The ridge of the problem is the student's there, and does not help."""

    def take(*_):
        raise Unresolved("it needs more orders", "use fewer features or a larger {ridge}")

    monkeypatch.setattr(distill, "take", take)
    small = ["--dim", "3", "--samples", "6", "--features", "6", "--levels", "2", "--generated", "16"]
    assert_refused(capsys, "distill", *small, "--quiet", "--json", match="more orders; use .* a larger teacher_ridge$")
    with pytest.raises(Unresolved, match="add a ridge$"):
        raise Unresolved("U", "add a {ridge}")


def test_an_unresolved_matrix_is_told_by_workers_too():
    with pytest.raises(Unresolved, match="U; add a teacher_ridge$") as caught, ridge_named("teacher_ridge"):
        raise pickle.loads(pickle.dumps(Unresolved("U", "add a {ridge}")))
    assert str(pickle.loads(pickle.dumps(caught.value))) == "U; add a teacher_ridge"


def test_every_optimizer_names_the_flag_of_its_rate():
    for name in names():
        for setting in ("learning_rate", "rate", "lr"):
            with pytest.raises(ValueError, match=r"given beside it, as rate \(--rate\)$"):
                read(f"{name}:{setting}=0.1")
