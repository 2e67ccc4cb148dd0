from __future__ import annotations

import dataclasses
import io
import math
import re
import shlex
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib.textpath import TextToPath
from PIL import Image

from rfsim import Problem, theory
from rfsim.cli import commands, main
from rfsim.cli.drawn import with_grids
from rfsim.cli.options import ask
from rfsim.explorer import animation
from rfsim.explorer.parts import Refused
from rfsim.explorer.training import TAB, numbers, pictures
from rfsim.explorer.training.controls import TrainingChoice
from rfsim.explorer.training.tab import command_line
from rfsim.learning.filters import flow, learned_share
from rfsim.plotting import canvas, styled

START = {control.name: control.start for control in TAB.controls}


def refused(**texts) -> dict[str, str]:
    with pytest.raises(Refused) as found:
        TAB.read(START | texts)
    return found.value.messages


def test_every_start_and_every_step_is_a_choice_and_steps_ascend():
    assert TAB.read(START).problem == Problem(8, 64, 0.01)
    assert TAB.moving in START
    for control in TAB.controls:
        texts = control.steps or control.options or control.suggestions
        assert control.start in texts
        for text in texts:
            TAB.read(START | {control.name: text})
        values = [float(text) for text in control.steps]
        assert values == sorted(set(values))
        assert not control.steps or 14 <= len(values) <= 90


NUMBERS = ("samples_per_dim", "features_per_dim", "diffusion_time", "noise_copies", "ridge", "train_time")
NO_NUMBER = ("", " ", "abc", "1,5", "nan", "1e400", "-1", "--1", "1 2", "__import__('os')", "0x10", "-inf", "٣x")


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_one_line_beside_its_control(name):
    for text in NO_NUMBER:
        messages = refused(**{name: text})
        assert set(messages) == {name}
        assert messages[name].startswith(name)
        assert "\n" not in messages[name]
        assert len(messages[name]) < 200


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("samples_per_dim", "0", "must be positive and finite; got 0"),
        ("features_per_dim", "inf", "must be positive and finite; got inf"),
        ("diffusion_time", "301", "must be at most 300"),
        ("noise_copies", "1.5", "must be a whole number of at least 1"),
        ("noise_copies", "1e10", "must be a whole number"),
        ("ridge", "inf", "must be finite and not negative"),
        ("train_time", "1e101", "must be at most 1e\\+100, or inf"),
        ("activation", "thanh", "did you mean 'tanh'"),
        ("activation", "os:system", "must be one of"),
        ("data", "digits", "data must be isotropic"),
        ("data", "digits:3", "data must be isotropic"),
        ("data", "eigenvalues:values.npy", "data must be isotropic"),
        ("data", "/etc/passwd.npy", "data must be isotropic"),
        ("data", "isotropc", "did you mean 'isotropic'"),
        ("data", "isotropic:-1", "the variance must be positive"),
        ("data", "atoms:0.5@1", "weights sum to 0.5"),
        ("data", "atoms:" + ",".join(["0.01@1"] * 100), "data must be isotropic"),
        ("data", "", "data must be isotropic"),
    ],
)
def test_what_the_library_refuses_is_its_own_message_beside_the_control(name, text, match):
    messages = refused(**{name: text})
    assert set(messages) == {name}
    assert re.search(match, messages[name])
    assert "\n" not in messages[name]


def test_no_file_is_read_and_no_code_run(monkeypatch):
    def never(*_):
        raise AssertionError("touched")

    for where in ("populations.files.load", "covariances.load", "activations.catalog.attribute"):
        monkeypatch.setattr(f"rfsim.problem.{where}", never)
    monkeypatch.setattr("rfsim.disk.files.numbers.is_file", never)
    files = ("x.npy", "eigenvalues:x.csv", "covariance:x.csv", "./x")
    for texts in (*({"data": one} for one in files), {"activation": "os:getcwd"}):
        assert set(refused(**texts)) == set(texts)


def test_all_that_is_wrong_is_said_at_once():
    messages = refused(samples_per_dim="x", data="digits", train_time="-1")
    assert set(messages) == {"samples_per_dim", "data", "train_time"}


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"train_time": "inf", "ridge": "1e-3"},
        {"noise_copies": "3", "data": "atoms:0.5@0.5,0.5@1.5", "activation": "relu", "train_time": "0.123456789012345"},
    ],
)
def test_the_command_asks_for_what_is_shown(monkeypatch, texts):
    choice, asked = TAB.read(START | texts), []
    monkeypatch.setattr(commands, "compute", lambda *given: asked.append(given[:3]) or 0)
    lines = command_line(choice).split(" && ")
    for line in lines:
        program, *words = shlex.split(line)
        assert (program, main(words)) == ("rfsim", 0)
    assert [quantity.typed for quantity, *_ in asked] == ["theory spectrum", "theory curves"]
    spectral = dataclasses.replace(choice.problem, ridge=0.0)  # a spectrum takes none
    assert [ask(quantity, values).problem for quantity, values, _ in asked] == [spectral, choice.problem]
    times = np.sort(with_grids(*asked[1])["train_times"])  # those of the drawn curve, and what the tables show
    assert np.isclose(times, choice.train_time).any()
    assert times[-1] == math.inf
    assert len(np.unique(times)) == len(times)
    drawn = numbers.STEPS[1:-1]
    assert (times[np.isfinite(times)].min(), times[np.isfinite(times)].max()) == pytest.approx((drawn[0], drawn[-1]))
    gaps = np.diff(np.log10(times[np.isfinite(times)]))
    assert gaps.max() < 1.01 * np.diff(np.log10(drawn)).max()


def test_lines_of_other_choices_write_other_folders():
    lines = [
        line
        for texts in ({}, {"ridge": "0.1"}, {"train_time": "0.123"})
        for line in command_line(TAB.read(START | texts)).split(" && ")
    ]
    folders = [words[words.index("--out") + 1] for words in map(shlex.split, lines)]
    assert len(set(folders)) == len(set(lines)) == 4  # a spectrum has neither a ridge nor a train_time


def test_the_learned_share_is_the_filter_times_the_eigenvalue():
    import jax

    lam = np.array([0.0, 1e-12, 1e-3, 0.3, 50.0])
    with jax.enable_x64(True):
        for tau in (0.0, 1e-3, 10.0, 1e9, 1e100, math.inf):
            for ridge in (0.0, 0.1):
                expected = lam * np.asarray(flow(tau, 0.01, ridge)(lam))
                np.testing.assert_allclose(learned_share(lam, tau, 0.01, ridge), expected, rtol=1e-13, atol=1e-300)


def test_an_animation_has_a_frame_per_step_and_tells_of_each():
    figure, axes = canvas(style="screen")
    (dot,) = axes[0, 0].plot([0.5], [0.5], "o")
    axes[0, 0].set_xlim(0, 1)
    told = []
    moves = [lambda at=at: dot.set_xdata([at]) for at in (0.2, 0.5, 0.8)]
    data = animation.animation(figure, moves, "gif", lambda *step: told.append(step))
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.n_frames) == ("GIF", 3)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_mp4_without_ffmpeg_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(animation.FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    figure, _ = canvas(style="screen")
    with pytest.raises(Refused, match="ffmpeg, which is not on this machine"):
        animation.animation(figure, [], "mp4", lambda *_: None)
    with pytest.raises(Refused, match="got 'webm'"):
        animation.animation(figure, [], "webm", lambda *_: None)


def table(view, name):
    (found,) = (one for one in view.tables if one.name == name)
    assert all(len(row) == len(found.keys) == len(found.columns) - 1 for row in found.rows.values())
    return {row: [one.number for one in values] for row, values in found.rows.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"train_time": "1234.5"},
        {"noise_copies": "2", "ridge": "1e-3", "data": "atoms:0.5@0.5,0.5@1.5", "train_time": "inf"},
    ],
)
def test_the_numbers_are_those_of_the_library(texts):
    choice = TAB.read(START | texts)
    problem, tau = choice
    view = TAB.view(choice, "wide")
    spectral = dataclasses.replace(problem, ridge=0.0)  # a spectrum takes none
    curves, spectrum = theory.curves(problem, [tau, math.inf]), theory.spectrum(spectral)
    parts = table(view, "parts")
    assert list(parts) == spectrum.part.values.tolist()
    for k, name in enumerate(("mass", "lower", "upper", "mean")):
        np.testing.assert_array_equal([row[k] for row in parts.values()], spectrum[name].values)
    kappa = table(view, "constants")["κ"][0]
    share = learned_share(spectrum["mean"].values, tau, kappa, problem.ridge)
    np.testing.assert_array_equal([row[5] for row in parts.values()], share)
    np.testing.assert_allclose(
        [row[4] for row in parts.values()], 1 / (kappa * (spectrum["mean"].values + problem.ridge)), rtol=1e-15
    )
    losses = table(view, "losses")
    for name, words in numbers.LOSSES.items():
        if np.isnan(curves[name].values).all():
            assert words not in losses
        else:
            np.testing.assert_allclose(np.array(losses[words], float), curves[name].values, rtol=1e-7, atol=1e-8)
    times = table(view, "timescales")
    for (name, route), words in numbers.TIMES.items():
        expected = float(curves[name].sel({f"{name.removeprefix('tau_')}_route": route}))
        assert times[words][0] is None if math.isnan(expected) else times[words][0] == pytest.approx(expected, rel=1e-6)
    for name, symbol in (("a", "a"), ("b", "b"), ("v2", "v²"), ("s2", "s²")):
        assert table(view, "constants")[symbol][0] == float(spectrum[name])
    for picture in view.pictures:
        assert ElementTree.fromstring(picture.data).tag.endswith("svg")
        assert value_of(tau) in picture.alt


def value_of(tau: float) -> str:
    return numbers.value(tau).text


@pytest.mark.slow
def test_a_moved_training_time_solves_nothing_and_equal_views_are_equal(monkeypatch):
    choice = TAB.read(START)
    view = TAB.view(choice, "narrow")
    monkeypatch.setattr(numbers.theory, "curves", lambda *_: pytest.fail("solved again"))
    moved = TAB.view(choice._replace(train_time=1e5), "narrow")
    assert moved.pictures[0].data != view.pictures[0].data
    assert TAB.view(choice, "narrow") == view


@pytest.mark.slow
def test_what_theory_refuses_is_its_message_beside_the_ridge():
    with pytest.raises(Refused) as found:
        TAB.view(TAB.read(START | {"noise_copies": "8"}), "wide")
    assert set(found.value.messages) == {"ridge"}
    assert "eigenvalues reach down to 0" in found.value.messages["ridge"]
    with pytest.raises(Refused) as found:
        TAB.view(TAB.read(START | {"data": "isotropic:1e9"}), "wide")
    assert set(found.value.messages) == {""}


@pytest.mark.slow
def test_threads_get_their_own_numbers():
    choices = [TAB.read(START | {"samples_per_dim": text, "train_time": "3200"}) for text in ("6", "12", "16", "24")]
    with ThreadPoolExecutor(4) as pool:
        views = list(pool.map(lambda choice: TAB.view(choice, "wide"), choices * 2))
    for choice, view, again in zip(choices, views[:4], views[4:], strict=True):
        assert view == again == TAB.view(choice, "wide")
        expected = theory.curves(choice.problem, [3200.0])
        assert table(view, "losses")["L_test"][0] == pytest.approx(float(expected.test[0]), abs=1e-8)
    assert len({view.pictures[0].data for view in views}) == 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gif", "mp4"])
def test_the_animation_goes_along_the_steps(monkeypatch, kind):
    if kind == "mp4" and not animation.FFMpegWriter.isAvailable():
        pytest.skip("no ffmpeg on this machine")
    monkeypatch.setattr(numbers, "STEPS", numbers.STEPS[::16])
    choice, told = TAB.read(START), []
    data = TAB.animation(choice, kind, lambda *step: told.append(step))
    assert told[-1] == (numbers.STEPS.size, numbers.STEPS.size)
    if kind == "gif":
        with Image.open(io.BytesIO(data)) as image:
            assert image.n_frames == numbers.STEPS.size
    else:
        assert data[4:8] == b"ftyp"


@pytest.mark.slow
def test_a_picture_keeps_inside_its_frame():
    choice = TAB.read(START | {"noise_copies": "2", "ridge": "1e-3"})
    for layout in ("narrow", "wide"):
        for name in pictures.PANELS:
            figure = pictures.draw(pictures.Key(choice, name, layout)).figure
            figure.draw_without_rendering()
            box = figure.get_tightbbox()
            assert box.x0 >= -0.02
            assert box.y0 >= -0.02
            assert box.x1 <= figure.get_figwidth() + 0.02
            assert box.y1 <= figure.get_figheight() + 0.02


def test_letters_that_are_laid_out_once_are_matplotlib_s_own(monkeypatch):
    def drawn() -> list[str]:
        figure, axes = canvas(style="screen")
        with styled("screen"):
            axes[0, 0].set(xlabel="training time, τ", title="aVo, aVo", yscale="log", ylim=(1e-3, 1e3))
            return [pictures._svg(figure, [figure])[0] for _ in range(2)]

    ours = drawn()
    monkeypatch.setattr(pictures, "LETTERS", TextToPath())
    assert drawn() == ours


def test_a_choice_is_a_key():
    assert hash(TrainingChoice(Problem(), 1.0)) == hash(TrainingChoice(Problem(), 1.0))
