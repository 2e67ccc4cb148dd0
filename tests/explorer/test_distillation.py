"""The second tab: numbers are the entries of `rfsim.distill`'s results, which are computed once and kept on disk."""

from __future__ import annotations

import io
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import xarray as xr
from PIL import Image

import rfsim
from rfsim.disk import store
from rfsim.distillation.memorization import memorized
from rfsim.explorer import distillation
from rfsim.explorer.distillation import kept
from rfsim.explorer.distillation import numbers as page
from rfsim.explorer.distillation import systems as presets
from rfsim.explorer.distillation.controls import CONTROLS, START
from rfsim.explorer.distillation.kept import Progress, StoredResults, in_child
from rfsim.explorer.distillation.systems import DISTILL_TIMES, RIDGES, Request
from rfsim.explorer.distillation.tab import DistillationTab
from rfsim.explorer.parts import Pending, Refused
from rfsim.problem.model import Problem
from rfsim.sampled import distill
from tests.distillation.synthetic import dataset
from tests.sweeps.test_commands import parsed

TAB = distillation.TAB
QUALITY = ["memorized_fraction", "memorized_low", "memorized_high", "frechet_per_dim", "sliced_wasserstein"]


def invented(one: Request) -> xr.Dataset:
    """A result of the right shape at once, every entry of which differs from the others."""
    names = ("dim", "levels", "distill_times", "leakage_ridges", "generated")
    options = {name: one.options[name] for name in names} | {"samples": min(one.options.get("samples", 0), 12)}
    variants = [f"γ = {ridge:g}" for ridge in RIDGES]
    seed = int(one.options["teacher_time"] % 97) + one.options["dim"]
    data = dataset(Problem(**one.problem), variants=variants, transfer="transfer" in one.options, seed=seed, **options)
    if "transfer" in data:
        data["transfer"] = data.transfer.copy(data=np.random.default_rng(seed).uniform(size=data.transfer.shape))
    return data


class Ready:
    """All results at once."""

    def __init__(self):
        self.results = {}

    def find(self, one: Request) -> xr.Dataset:
        if one.key not in self.results:
            self.results[one.key] = invented(one)
        return self.results[one.key]


@pytest.fixture(scope="module")
def tab():
    return DistillationTab(Ready())


class Undrawn:
    """No pictures."""

    def all(self, shown, layout):
        return ()


@pytest.fixture
def undrawn(tab, monkeypatch):
    monkeypatch.setattr(tab, "_pictures", Undrawn())
    return tab


def choice(**texts: str):
    return TAB.read(START | texts)


def table(view, name):
    (found,) = [one for one in view.tables if one.name == name]
    return found


def numbers(rows):
    return [one.number for one in rows]


# --- what readers type --------------------------------------------------------------------------------------------


def test_the_controls_begin_with_what_they_accept():
    assert choice() == TAB.read({name: f" {text} " for name, text in START.items()})
    for control in CONTROLS:
        assert control.start in (control.steps or control.options)
        for text in control.steps or control.options:
            TAB.read(START | {control.name: text})
    assert choice(distill_time="1000000", ridge="1e-2") == choice(distill_time="1e6", ridge="0.01")
    assert TAB.moving in START


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("ridge", "", "ridge must be a number that float64 holds, or inf; got ''"),
        ("ridge", "1,5", "ridge must be a number that float64 holds, or inf; got '1,5'"),
        ("ridge", "1e400", "ridge must be a number that float64 holds, or inf; got '1e400'"),
        ("ridge", "-1", "the student's ridge must be finite and not negative; got -1"),
        ("ridge", "inf", "the student's ridge must be finite and not negative; got inf"),
        (
            "ridge",
            "0.3",
            "ridge must be one of 0, 0.001, 0.01, 0.1, 0.5, 1, 2, 10 on this page; got 0.3: rfsim distill",
        ),
        ("distill_time", "nan", "distill_time must be a number that float64 holds, or inf; got 'nan'"),
        ("distill_time", "-3", "distill_time must not be negative; got -3"),
        ("distill_time", "1e200", "distill_time must be at most 1e+100, or inf; got 1e+200"),
        ("distill_time", "5", "distill_time must be one of 1, 10, 100, 1000, 1e4, 1e5, 1e6 on this page; got 5: rfsim"),
        ("samples", "21", "samples must be one of 10, 20, 40 on this page; got 21"),
        ("teacher_time", "1e9", "teacher_time must be one of 100, 1e4, 1e8 on this page; got 1e+09"),
        ("parameterization", "os:remove", "parameterization must be one of ddim, edm; got 'os:remove'"),
        ("level", "1", "level must be one of 2, 3, 4 on this page; got 1"),
    ],
)
def test_other_texts_are_refused_in_one_line_beside_their_control(name, text, words):
    with pytest.raises(Refused) as refused:
        choice(**{name: text})
    assert list(refused.value.messages) == [name]
    message = refused.value.messages[name]
    assert message.startswith(words)
    assert "\n" not in message


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(Refused) as refused:
        TAB.read({"ridge": "a", "samples": "20", "level": "x" * 1000})
    assert list(refused.value.messages) == ["ridge", "distill_time", "teacher_time", "parameterization", "level"]
    assert all(len(message) < 200 for message in refused.value.messages.values())


# --- what is shown ------------------------------------------------------------------------------------------------


def test_every_number_is_an_entry_of_the_results(undrawn):
    chosen = choice(ridge="0.5", distill_time="100", level="3", teacher_time="1e4")
    view = undrawn.view(undrawn.gather(chosen), "wide")
    plane, crossed = (invented(one(chosen)).isel(seed=0) for one in (presets.plane, presets.crossed))
    own = plane.isel(variant=RIDGES.index(0.5)).sel(distill_time=100.0)
    expected = {
        "teacher, 10 steps": own.teacher_steps.sel(steps=10),
        "teacher, 1 step": own.teacher_steps.sel(steps=1),
        "student, 1 step": own.student_steps.sel(steps=1),
        "student, 10 steps": own.student_steps.sel(steps=10),
        "early teacher, 10 steps": own.early_teacher,
        "regression on the teacher's ends, 1 step": own.regression,
        "true law": own.reference,
    }
    samples = table(view, "samples")
    assert list(samples.rows) == list(expected)
    for name, values in expected.items():
        assert numbers(samples.rows[name]) == values.sel(quality=list(samples.keys)).values.tolist()
    assert list(samples.keys[:5]) == QUALITY

    transfer = table(view, "transfer")
    shares = crossed.transfer.sel(ridge=0.5, level=3).values
    order = [crossed.part.values.tolist().index(key) for key in transfer.keys]
    assert [numbers(row) for row in transfer.rows.values()] == shares[np.ix_(order, order)].tolist()

    leakage = table(view, "leakage")
    assert len(leakage.rows) == len(RIDGES) + 1
    assert numbers(leakage.rows["γ = 0.5, chosen"]) == [
        crossed.leakage_all.sel(ridge=0.5, part="gen").item(),
        crossed.leakage_all_error.sel(ridge=0.5, part="gen").item(),
        *(crossed.leakage_all.sel(ridge=0.5, part=part).item() for part in ("main", "mini", "null")),
    ]
    assert numbers(leakage.rows["γ⋆, the least with less than 0.01"])[0] == crossed.gamma_star.item()

    suppression = table(view, "suppression")
    levels = crossed.suppression.isel(variant=RIDGES.index(0.5)).sel(distill_time=100.0, part="mini").values
    assert numbers(suppression.rows["mini"]) == [np.median(levels), levels.min(), levels.max()]


def test_no_number_is_shown_where_there_is_none(undrawn, monkeypatch):
    one = presets.crossed(choice())
    without = undrawn._kept.find(one).copy()
    without["gamma_star"] = xr.full_like(without.gamma_star, math.nan)
    monkeypatch.setitem(undrawn._kept.results, one.key, without)
    star = table(undrawn.view(undrawn.gather(choice()), "narrow"), "leakage").rows["γ⋆, the least with less than 0.01"]
    assert (star[0].text, star[0].number) == ("–", None)


def test_sessions_at_once_see_their_own_numbers(undrawn):
    choices = [choice(ridge=ridge, distill_time=time) for ridge in ("0", "0.5") for time in ("1", "100", "1e6")]
    alone = [undrawn.view(undrawn.gather(one), "narrow") for one in choices]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda one: undrawn.view(undrawn.gather(one), "narrow"), choices)) == alone


def test_pictures_say_what_they_show(tab):
    view = tab.view(tab.gather(choice()), "narrow")
    assert [one.name for one in view.pictures] == ["samples", "leakage", "transfer"]
    for one in view.pictures:
        assert one.kind == "image/png"
        Image.open(io.BytesIO(one.data)).verify()
    share = table(view, "samples").rows["teacher, 10 steps"][0].text
    assert f"teacher, 10 steps: {share}," in view.pictures[0].alt
    leaked = table(view, "leakage").rows["γ = 0.5, chosen"][0].text
    assert f"{leaked} at the chosen 0.5;" in view.pictures[1].alt


@pytest.mark.slow
def test_pictures_follow_the_controls_that_they_depend_on(tab):
    first = tab.view(tab.gather(choice()), "narrow").pictures
    for texts, changed in (
        ({"ridge": "1"}, (True, True, True)),
        ({"distill_time": "1"}, (True, False, False)),
        ({"samples": "40"}, (True, False, False)),
        ({"teacher_time": "100"}, (True, True, True)),
        ({"level": "4"}, (False, False, True)),
    ):
        now = tab.view(tab.gather(choice(**texts)), "narrow").pictures
        assert tuple(a.data != b.data for a, b in zip(first, now, strict=True)) == changed


@pytest.mark.slow
def test_a_picture_is_the_same_whatever_was_drawn_before_it(tab):
    choices = [choice(ridge=ridge, distill_time=time) for ridge in ("0", "0.5") for time in ("1", "1e6")]
    for layout in ("narrow", "wide"):
        alone = [DistillationTab(tab._kept).view(tab.gather(one), layout) for one in choices]
        shared = DistillationTab(tab._kept)
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(partial(shared.view, layout=layout), map(tab.gather, choices))) == alone


def test_filled_dots_are_the_memorized_share(tab):
    shown = page.shown(tab.gather(choice(samples="10")))
    for one in shown.models[:4]:
        samples = one.cloud.samples
        assert one.cloud.memorized.tolist() == memorized(samples, shown.points).tolist()


def test_the_command_computes_what_is_shown():
    chosen = choice(ridge="0.5", distill_time="100", samples="10")
    lines = distillation.tab.command_line(chosen).split(" && ")
    for line, one in zip(lines, (presets.plane(chosen), presets.crossed(chosen)), strict=True):
        _, found = parsed(line)
        options = {name: one.options[name] for name in one.options if name not in ("variants", "samples", "transfer")}
        options |= {"distill_times": (100.0,), "leakage_ridges": RIDGES, "ridge": 0.5, **one.problem}
        assert {name: found[name] for name in options} == options
    folders = {parsed(line)[1]["out"] for line in lines}
    assert len(folders) == 2  # one would refuse the second command
    assert folders.isdisjoint(parsed(line)[1]["out"] for line in distillation.tab.command_line(choice()).split(" && "))


@pytest.mark.parametrize("samples", ["10", "40"])
def test_what_is_asked_for_is_accepted(samples):
    for one in (presets.plane(choice(samples=samples)), presets.crossed(choice(parameterization="edm"))):
        options = {name: value for name, value in one.options.items() if name not in ("dim", "transfer")}
        plan = distill.plan(Problem(**one.problem), **options)
        assert [student.ridge for student in plan.students] == list(RIDGES)
        assert plan.distill_times == DISTILL_TIMES
        assert Request.of(one.key) == one


# --- what is kept -------------------------------------------------------------------------------------------------

SMALL = Request({"samples_per_dim": 2.0}, {"levels": 3, "dim": 2})


def small(value: float) -> xr.Dataset:
    data = xr.Dataset({"x": ("at", np.array([value, 2.0]))}, attrs={"undefined": "{}"})
    return store.label(data, "distill", {}, wall_time=0.0)


class Counting:
    """Writes `value` and counts; waits for `go`."""

    def __init__(self):
        self.count, self.value, self.go = 0, 1.0, threading.Event()
        self.go.set()

    def __call__(self, one, path, tell):
        self.count += 1
        tell(1, one.steps)
        assert self.go.wait(10)
        kept.keep(small(self.value), path)


@pytest.fixture
def compute():
    return Counting()


def test_a_result_is_computed_once_for_all_who_ask(compute, tmp_path):
    shelf = StoredResults(compute, lambda: tmp_path)
    compute.go.clear()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(shelf.wait, SMALL, lambda done, steps: None) for _ in range(4)]
        assert isinstance(shelf.find(SMALL), Progress)
        compute.go.set()
        found = [one.result() for one in waiting]
    assert compute.count == 1
    assert all(one is found[0] for one in found)
    # another process finds it on disk
    other = StoredResults(compute, lambda: tmp_path)
    xr.testing.assert_identical(other.find(SMALL), found[0])
    assert compute.count == 1


@pytest.mark.parametrize("how", ["altered", "cut", "foreign"])
def test_a_file_that_is_not_what_was_written_is_computed_again(compute, tmp_path, how):
    StoredResults(compute, lambda: tmp_path).wait(SMALL, lambda done, steps: None)
    (path,) = tmp_path.glob("*.nc")
    if how == "altered":
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    else:
        path.write_bytes(path.read_bytes()[:100] if how == "cut" else b"x")
    assert kept.stored(path) is None
    found = StoredResults(compute, lambda: tmp_path).wait(SMALL, lambda done, steps: None)
    assert found.x.values.tolist() == [1.0, 2.0]
    assert compute.count == 2


def test_other_settings_and_other_code_have_files_of_their_own(monkeypatch):
    names = {SMALL.name(), SMALL._replace(options={"levels": 4, "dim": 2}).name()}
    monkeypatch.setattr(presets.provenance, "of_module", lambda name: "other")
    assert len({*names, SMALL.name()}) == 3


def test_a_failure_is_told_once_and_tried_again(tmp_path, compute):
    def fail(one, path, tell):
        compute.count += 1
        raise ValueError("U has the eigenvalue 0")

    shelf = StoredResults(fail, lambda: tmp_path)
    with pytest.raises(ValueError, match="eigenvalue"):
        shelf.wait(SMALL, lambda done, steps: None)
    with pytest.raises(ValueError, match="eigenvalue"):
        shelf.wait(SMALL, lambda done, steps: None)
    assert compute.count == 2


def test_memory_and_disk_are_bounded(compute, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FILES", 3)
    shelf = StoredResults(compute, lambda: tmp_path, most=2)
    for levels in range(2, 7):
        shelf.wait(SMALL._replace(options={"levels": levels}), lambda done, steps: None)
    assert len(shelf._held) == 2
    assert len(list(tmp_path.glob("*.nc"))) == 3


def test_the_page_says_what_is_being_computed(compute, tmp_path):
    def computed(one, path, tell):
        compute(one, path, tell)
        kept.keep(invented(one), path)

    tab = DistillationTab(StoredResults(computed, lambda: tmp_path))
    tab._pictures = Undrawn()
    compute.go.clear()
    with pytest.raises(Pending) as pending:
        tab.view(tab.gather(choice()), "narrow")
    assert list(pending.value.messages) == [""]
    assert "step" in pending.value.messages[""]
    compute.go.set()
    tab.prepare(lambda done, steps: None)
    assert compute.count == 2
    assert tab.view(tab.gather(choice()), "narrow").tables


@pytest.mark.slow
def test_a_process_of_its_own_computes_what_the_public_function_does(tmp_path, monkeypatch):
    monkeypatch.setenv("RFSIM_CACHE", str(tmp_path))
    options = {"dim": 2, "levels": 2, "generated": 16, "distill_times": [1.0], "teacher_ridge": 1e-3}
    one = Request(
        {"samples_per_dim": 2.0, "features_per_dim": 3.0, "data": "isotropic:4", "activation": "sine"}, options
    )
    steps = []
    in_child(one, tmp_path / "a.nc", lambda done, of: steps.append((done, of)))
    found, direct = kept.stored(tmp_path / "a.nc"), rfsim.distill(Problem(**one.problem), **options)
    assert found is not None
    for name in direct.data_vars:
        np.testing.assert_array_equal(found[name], direct[name])
    assert steps[-1] == (one.steps, one.steps)
    with pytest.raises(ValueError, match="teacher_time must be"):
        in_child(one._replace(options=options | {"teacher_time": -1.0}), tmp_path / "b.nc", lambda done, of: None)


@pytest.mark.slow
def test_the_animation_goes_through_all_distillation_times(tab):
    told = []
    data = tab.animation(tab.gather_film(choice()), "gif", lambda done, of: told.append((done, of)))
    frames = Image.open(io.BytesIO(data))
    assert frames.n_frames >= len(DISTILL_TIMES)
    assert told[-1][0] == told[-1][1]


@pytest.mark.slow
def test_what_the_tab_starts_with_is_what_the_public_function_gives(tmp_path):
    """The presets themselves, as a reader sees them; a process of its own gives the same, as is tested above."""
    given = {}

    def compute(one, path, tell):
        given[one.key] = one.run()
        kept.keep(given[one.key], path)

    tab = DistillationTab(StoredResults(compute, lambda: tmp_path))
    tab.prepare(lambda done, steps: None)
    view, chosen = tab.view(tab.gather(choice()), "wide"), choice()
    plane, crossed = (given[one(chosen).key].isel(seed=0) for one in (presets.plane, presets.crossed))
    own = plane.isel(variant=RIDGES.index(chosen.ridge)).sel(distill_time=chosen.distill_time)
    rows, keys = table(view, "samples").rows, list(table(view, "samples").keys)
    teacher, student = rows["teacher, 10 steps"], rows["student, 1 step"]
    assert numbers(teacher) == pytest.approx(own.teacher.sel(quality=keys).values.tolist(), rel=1e-6)
    assert numbers(student) == pytest.approx(own.student.sel(quality=keys).values.tolist(), rel=1e-6)
    assert teacher[0].number > 0.3
    assert student[0].number < own.reference.sel(quality="memorized_high").item()
    leaked = table(view, "leakage").rows["γ = 0.5, chosen"][0].number
    assert leaked == pytest.approx(crossed.leakage_all.sel(ridge=0.5, part="gen").item(), rel=1e-6)
    # every dot that is drawn filled counts towards the share that is said
    shown = page.shown(tab.gather(chosen))
    for one in shown.models[:4]:
        assert one.cloud.memorized.mean() == pytest.approx(one.measures["memorized_fraction"], abs=1e-12)
