"""What `rfsim.plot` is handed: paths, axes of others, and everything that is no result, told in one line."""

from __future__ import annotations

import pytest
import xarray as xr
from matplotlib.figure import Figure

import rfsim
from rfsim.disk import store
from tests.plotting.synthetic import density, ridge, sample
from tests.plotting.test_forms import assert_same
from tests.sweeps.synthetic import sampled


def test_a_path_is_read(tmp_path):
    store.save(density(), tmp_path / "result.nc")
    whole = rfsim.plot(density())
    for path in (tmp_path / "result.nc", str(tmp_path / "result.nc")):
        assert_same(whole, rfsim.plot(path))
    with pytest.raises(store.StoreError, match=r"none\.nc is not a file"):
        rfsim.plot(tmp_path / "none.nc")


def test_one_panel_is_drawn_on_axes_of_another_figure():
    figure = Figure(figsize=(8, 3))
    left, right = figure.subplots(1, 2)
    assert rfsim.plot(density(), ax=left) is figure
    assert left.get_xlabel() == r"eigenvalue $\lambda$ of $U$"
    assert not right.get_xlabel()
    alone = ridge().assign(bias2=ridge().bias2 * float("nan"))
    rfsim.plot(alone, ax=right)
    assert right.get_xlabel() == r"ridge $\gamma$"


def test_one_panel_of_several_is_drawn_alone_or_on_axes():
    alone = rfsim.plot(sample(), panel="losses")
    (ax,) = alone.axes
    assert ax.get_ylabel() == "loss per dimension"
    figure = Figure()
    given = figure.subplots()
    assert rfsim.plot(sample(), ax=given, panel="losses") is figure
    losses = [[list(line.get_ydata()) for line in one.lines if "L_" in line.get_label()] for one in (given, ax)]
    assert losses[0] == losses[1] != []


AXES = Figure().subplots()
REFUSED = {
    "several": (lambda: rfsim.plot([sample(), sample()]), "got a list; draw them one by one, or join the seeds"),
    "a mapping": (lambda: rfsim.plot({"a": sample()}), "got a dict; draw them one by one"),
    "a variable": (lambda: rfsim.plot(sample().test), "got a DataArray; a variable alone is none"),
    "nothing": (lambda: rfsim.plot(None), "got None"),
    "an array": (lambda: rfsim.plot(sample().test.values), "got a ndarray"),
    "unlabelled": (lambda: rfsim.plot(xr.Dataset({"a": 1})), "an unlabelled dataset, without .*'rfsim_kind', which"),
    "another kind": (lambda: rfsim.plot(sample().assign_attrs(rfsim_kind="checkpoint")), "got checkpoint"),
    "no settings": (lambda: rfsim.plot(_without(sample(), "settings")), "has lost its settings"),
    "settings": (lambda: rfsim.plot(sample().assign_attrs(settings="[1]")), "has lost its settings"),
    "few settings": (lambda: rfsim.plot(sample().assign_attrs(settings='{"dim": 3}')), "lack samples_per_dim, feat"),
    "style": (lambda: rfsim.plot(sample(), style="poster"), "style must be one of paper, talk, screen; got 'poster'"),
    "style list": (lambda: rfsim.plot(sample(), style=["paper"]), r"style must be one of .*; got \['paper'\]"),
    "width": (lambda: rfsim.plot(sample(), width="wide"), "width must be single, double or .*; got 'wide'"),
    "several panels": (lambda: rfsim.plot(sample(), ax=AXES), r"4 panels \(losses, gap, energy, log\); name the"),
    "a sweep's axes": (lambda: rfsim.plot(sampled(), ax=AXES), "the figure of a sweep has .*; leave out ax"),
    "axes and style": (lambda: rfsim.plot(density(), ax=AXES, style="talk"), "style cannot be given with ax"),
    "no axes": (lambda: rfsim.plot(density(), ax=Figure()), "ax must be matplotlib axes; got a Figure: such as"),
    "an array of axes": (
        lambda: rfsim.plot(density(), ax=Figure().subplots(2, 2)), r"got a ndarray: give one of them, such as axes\[0"
    ),
    "no such panel": (lambda: rfsim.plot(sample(), panel="loss"), "has the panels losses, .*; got 'loss'; did you"),
    "a sweep's panel": (lambda: rfsim.plot(sampled(), panel="gen"), "a sweep is one figure; leave out panel"),
    "no sweep": (lambda: rfsim.plot(sample(), quantity="gen"), "quantity choose what is drawn of a sweep"),
    "quantity": (lambda: rfsim.plot(sampled(), quantity="gne"), "'gne' is no quantity .*; did you mean 'gen'"),
    "quantities": (
        lambda: rfsim.plot(sampled(), quantity="gen,tset"), "'tset' is no quantity .*; did you mean 'test'"
    ),
    "a quantity twice": (lambda: rfsim.plot(sampled(), quantity=["gen", "gen"]), "names gen more than once"),
    "quantities on a map": (
        lambda: rfsim.plot(sampled(), quantity="gen,test", x="samples_per_dim", y="features_per_dim"),
        "several quantities are curves along x; got gen, test with y: leave out y",
    ),
    "quantities beside": (
        lambda: rfsim.plot(sampled(), quantity="gen,test", over=sampled()), "got gen, test with over: leave out over"
    ),
    "quantity 3": (lambda: rfsim.plot(sampled(), quantity=3), "quantity must be a name; got 3"),
    "x 3": (lambda: rfsim.plot(sampled(), x=3), "x must be a name; got 3"),
    "at": (lambda: rfsim.plot(sampled(), at="seed=1"), "at must be a mapping of names to values, .*; got 'seed=1'"),
    "at nothing": (lambda: rfsim.plot(sampled(), at={"sed": 1}), "'sed' is no axis of this sweep; did you mean 'seed'"),
    "at no number": (lambda: rfsim.plot(sampled(), at={"seed": "x"}), "seed is a number; got 'x'"),
    "contours": (lambda: rfsim.plot(sampled(), contours="gen"), "a contour is QUANTITY=LEVEL, .*; got 'gen'"),
    "contours 3": (lambda: rfsim.plot(sampled(), contours=[3]), "contours must be a name; got 3"),
    "over": (lambda: rfsim.plot(sampled(), over=sample()), "a sweep is needed; got train"),
    "over 3": (lambda: rfsim.plot(sampled(), over=3), "got an int"),
}  # fmt: skip


def _without(data, name):
    return data.assign_attrs({}).drop_attrs(deep=False).assign_attrs({k: v for k, v in data.attrs.items() if k != name})


@pytest.mark.parametrize(("call", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_drawn_is_told_in_one_line(call, said):
    with pytest.raises(ValueError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_an_unknown_argument_is_told_with_the_nearest():
    with pytest.raises(TypeError, match=r"plot has no 'quantiy'; did you mean 'quantity'\?; it takes style, width, ax"):
        rfsim.plot(sample(), quantiy="gen")
