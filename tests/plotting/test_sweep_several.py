"""Several quantities of a sweep in one panel, and the axis that values are on."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import LogNorm, Normalize

import rfsim
from rfsim.maps.names import quantities
from rfsim.plotting.looks import LOSS_LOOKS, sequence
from tests.sweeps.synthetic import sampled


@pytest.fixture(scope="module")
def data():
    found = sampled()
    return found.assign(train=(0.1 * found.gen).assign_attrs(found.gen.attrs))


def texts(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_quantities_over_one_axis_have_their_own_looks(data):
    held = {"features_per_dim": 64, "train_time": 1e3}
    figure = rfsim.plot(data, quantity="train,test", x="samples_per_dim", at=held)
    (ax,) = figure.axes
    for line, name in zip(ax.lines, ("train", "test"), strict=False):
        values = data[name].sel(held).mean("seed")
        np.testing.assert_allclose(line.get_ydata(), values)
        assert line.get_color() == LOSS_LOOKS[name].color
    assert texts(figure) == [f"{LOSS_LOOKS[name].label} per dimension" for name in ("train", "test")]
    labels = [LOSS_LOOKS[name].label for name in ("train", "test")]
    assert ax.get_ylabel() == f"{labels[0]}, {labels[1]} per dimension"


def test_a_family_has_colors_and_quantities_have_dashes(data):
    figure = rfsim.plot(data, quantity=["train", "test"])
    (ax,) = figure.axes
    members = data.features_per_dim.size
    curves = [line for line in ax.lines if len(line.get_xdata()) == data.samples_per_dim.size]
    assert [line.get_color() for line in curves] == sequence(members) * 2
    dashes = [line.get_linestyle() for line in curves]
    assert {*dashes[:members]} == {"-"}
    assert {*dashes[members:]} == {"--"}
    assert len(texts(figure)) == members + 2


def test_what_is_held_of_either_is_in_the_title(data):
    figure = rfsim.plot(data, quantity="gen,tau_mem[formula]", x="samples_per_dim", at={"features_per_dim": 64})
    assert "mem route formula" in figure.get_suptitle()
    assert "last of 2" in figure.get_suptitle()


def test_the_axis_of_values_is_as_asked_for(data):
    held = {"features_per_dim": 1, "train_time": 1e3}
    for log, scale in ((None, "log"), (True, "log"), (False, "linear")):
        figure = rfsim.plot(data, quantity="gen", x="samples_per_dim", at=held, log=log)
        assert figure.axes[0].get_yscale() == scale
    narrow = data.assign(gen=(1 + data.gen).assign_attrs(data.gen.attrs))
    for log, scale in ((None, "linear"), (True, "log")):
        assert rfsim.plot(narrow, quantity="gen", x="samples_per_dim", log=log).axes[0].get_yscale() == scale
    for log, norm in ((True, LogNorm), (False, Normalize)):
        (_, bar) = rfsim.plot(narrow, quantity="gen", log=log).axes
        (mesh, *_) = [one for one in bar.collections if one.get_array() is not None]
        assert type(mesh.norm) is norm


def test_the_family_is_one_that_all_have(data):
    both = rfsim.plot(data, quantity="gen,tau_mem", x="samples_per_dim")
    assert [text for text in texts(both) if "psi_p" in text] == [rf"$\psi_p={k}$" for k in (1, 4, 16, 64)]
    alone = rfsim.plot(data, quantity="gen", x="samples_per_dim", facet="", at={"train_time": 1e3})
    assert len(alone.axes[0].lines) == 1
    assert "last of 4" in alone.get_suptitle()


def test_names_are_read_between_commas_outside_of_labels():
    assert quantities("gen, energy[main,0.1],test") == ["gen", "energy[main,0.1]", "test"]
    for wrong in ("gen,", ",", ["gen", 3]):
        with pytest.raises(ValueError, match="quantity must be a name, or several, such as train,test; got "):
            quantities(wrong)
