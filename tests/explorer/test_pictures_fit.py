"""Words on the explorer's pictures: each has room of its own in either layout, and a saved animation names it all."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rfsim.explorer.distillation import numbers
from rfsim.explorer.distillation.pictures import Sheet, _headline, _setting
from rfsim.explorer.distillation.systems import RIDGES, DistillationChoice
from rfsim.explorer.training import TAB, pictures
from rfsim.plotting import plain_text
from tests.distillation.synthetic import dataset
from tests.plotting.reading import faults

MEASURES = dict.fromkeys(numbers.MEASURES, 0.123456)
WORDS = ("teacher, 10 steps", "teacher, 1 step", "student, 1 step", "student, 10 steps")


def shown():
    """Long numbers all over, and samples outside of the squares."""
    cloud = numbers.Cloud(np.array([[0.0, 0.0], [90.0, 0.0]]), np.array([True, False]))
    models = tuple(numbers.Model(str(k), words, MEASURES, cloud) for k, words in enumerate(WORDS))
    choice = DistillationChoice(RIDGES[1], 1e6, 40, 1e8, "ddim", 1)
    return SimpleNamespace(choice=choice, models=models, points=np.eye(2), plane=dataset(dim=2))


@pytest.mark.parametrize(("layout", "whole"), [("narrow", False), ("wide", False), ("wide", True)])
def test_headlines_and_title_stand_apart(layout, whole):
    sheet = Sheet(layout, 2.0, whole=whole)
    sheet.move(shown())
    assert not faults(sheet.figure)


def test_the_sliced_distance_keeps_its_name_whatever_lies_outside():
    (one, *_), outside = shown().models, 12
    assert "sliced W₂ 0.123" in _headline(one, 0)
    assert "sliced W₂ 0.123" in _headline(one, outside)
    assert "12 outside" in _headline(one, outside)


def test_a_saved_animation_names_every_setting(monkeypatch):
    told = ", ".join(plain_text(piece) for piece in _setting(shown(), whole=True))
    for piece in ("ψ_n=", "ψ_p=", "t=0.02–3 in 3 levels", "τ=10⁸", "γ=0.001", "τ_S=10⁶", "σ=tanh", "isotropic data"):
        assert piece in told
    pieces = [r"$\psi_n=8$", r"$\gamma=10^{-3}$", r"$\sigma=\mathrm{tanh}$", r"$d\to\infty$"]
    monkeypatch.setattr(pictures, "problem_line", lambda curves: pieces)
    monkeypatch.setattr(pictures, "PANELS", {})
    film = pictures.film(SimpleNamespace(curves=None))
    film.move(1e3)
    (title,) = film.figure.texts
    assert title.get_text() == "training time τ = 1000\nψ_n=8, γ=10⁻³, σ=tanh, d→∞"
    assert TAB.moving == "train_time"
