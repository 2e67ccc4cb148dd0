"""A quantity that is registered, with two parameters of its own, is everywhere without another line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import rfsim
from rfsim.cli import main
from rfsim.quantities import catalog, reference
from tests.quantities.toys import WAVES

SHORT = ["tide", "waves", "--samples-per-dim", "3"]


@pytest.fixture(autouse=True)
def toy(monkeypatch, tmp_path):
    """The toy among all quantities, and a folder of its own to work in."""
    from rfsim.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RFSIM_CACHE", str(tmp_path / ".cache"))
    catalog.register(WAVES)
    yield
    del catalog.QUANTITIES[WAVES.name], catalog.PAGES[WAVES.kind]
    if "tide" in app.app:
        del app.app["tide"]


def said(capsys, *arguments):
    status = main([*arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_it_is_a_command_with_its_flags(capsys):
    status, out, _ = said(capsys, "tide", "waves", "--help")
    assert status == 0
    assert "Heights of waves." in out
    assert "--wavelengths FLOAT..." in out
    assert "[default: 1,2,200]" in out
    assert "Damping δ of the waves. [default: 0.5]" in " ".join(out.replace("│", " ").split())
    assert "waves" in said(capsys, "tide", "--help")[1]


def test_it_answers_in_json_and_in_lines(capsys):
    status, out, err = said(capsys, *SHORT, "--wavelengths", "1:4:3", "--wave-damping", "0.25", "--json", "--quiet")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["wavelength"] == [1, 2, 4]
    np.testing.assert_allclose(found["height"], 3 * np.exp(-0.25 * np.array([1, 2, 4])), rtol=1e-14)
    assert found["highest"] == found["height"][0]
    assert (found["schema"], found["problem"]["wave_damping"]) == (1, 0.25)
    assert "wavelengths" not in found["problem"]  # which are an axis of the answer
    status, out, err = said(capsys, *SHORT, "--wavelengths", "1,2")
    assert (status, out) == (0, "")
    assert err.startswith("waves\nhighest 1.81959\n")
    assert "wavelength  height\n1           1.81959\n2           1.10364\n" in err


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--wavelengths", "1,,2"], "--wavelengths: must be numbers separated by single commas"),
        (["--wave-damping", "x"], "--wave-damping: must be a number that float64 holds, or inf; got 'x'"),
        (["--wave-damping", "-1"], "wave_damping must be finite and not negative; got -1"),
        (["--wave-dampin", "1"], "--wave-damping"),
        (["--samples", "7"], "--samples-per-dim and --samples are two forms of one quantity"),
        (["--features", "7"], "--samples and --features are counts of a dimension, which the limit has none of"),
    ],
)
def test_what_it_does_not_take_is_refused_in_a_line(capsys, given, line):
    status, out, err = said(capsys, *SHORT, *given)
    assert (status, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1


def test_a_settings_file_has_its_keys(capsys):
    Path("a.toml").write_text("[tide.waves]\nwave_damping = 0.125\nwavelengths = [8]\n")
    found = json.loads(said(capsys, *SHORT, "--config", "a.toml", "--json")[1])
    assert (found["problem"]["wave_damping"], found["wavelength"]) == (0.125, [8])


def test_its_result_is_stored_guarded_shown_and_drawn(capsys):
    assert said(capsys, *SHORT, "--quiet") == (0, "", "")
    folder = Path("rfsim-out/tide-waves")
    assert sorted(one.name for one in folder.iterdir()) == ["figure.pdf", "figure.png", "result.nc"]
    status, out, _ = said(capsys, "show", str(folder / "result.nc"))
    assert status == 0
    assert out.startswith("tide-waves result, schema 1")
    assert "wave_damping" in out
    assert "height of a wave" in out
    status, _, err = said(capsys, *SHORT, "--quiet", "--wave-damping", "1")
    assert status == 2
    assert "other settings; use --force" in err
    figure = rfsim.plot(rfsim.load(folder / "result.nc"))
    (ax,) = figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("wavelength ℓ [cm]", "height of a wave [m]")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    title = figure.get_suptitle()
    assert r"$\psi_n=3$" in title
    assert r"$\delta=0.5$ 1/s" in title
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 3 * np.exp(-0.5 * np.array([1, 2, 200])))


SWEEP = """command = "tide waves"
[problem]
wavelengths = [1.0, 3.0]
[axes]
wave_damping = {linear = [0.0, 1.0], points = 3}
samples_per_dim = [2, 4]
"""


def test_it_is_mapped_and_the_map_is_drawn(capsys):
    Path("map.toml").write_text(SWEEP)
    status, _, err = said(capsys, "sweep", "map.toml", "--quiet")
    assert (status, err) == (0, "")
    data = rfsim.load("map.zarr")
    expected = np.array([2, 4])[None, :, None] * np.exp(-np.array([0, 0.5, 1])[:, None, None] * np.array([1.0, 3.0]))
    np.testing.assert_allclose(data.height.transpose("wave_damping", "samples_per_dim", "wavelength"), expected)
    assert data.wave_damping.attrs == {"long_name": "damping of the waves δ", "units": "1/s"}
    assert (data.status == 1).all()
    figure = rfsim.plot(data, x="wave_damping", y="samples_per_dim", quantity="highest")
    assert "damping of the waves" in figure.axes[0].get_xlabel()
    assert said(capsys, "show", "map.toml")[1].startswith("sweep result")
    assert said(capsys, "sweep", "map.toml", "--export", "map.csv", "--quiet")[0] == 0
    line = Path("map.csv").read_text().splitlines()[-1]
    assert "rfsim tide waves --wavelengths 1,3 --samples-per-dim 4 --wave-damping 1" in line


def test_an_axis_of_its_list_is_a_dimension_of_the_result():
    spec = {"command": "tide.waves", "axes": {"wavelengths": [1, 2, 4], "wave_damping": [0, 1]}}
    data = rfsim.sweep(spec, out="lists.zarr")
    assert dict(data.height.sizes) == {"wave_damping": 2, "wavelength": 3}


@pytest.mark.parametrize(
    ("axes", "line"),
    [
        ({"wave_dampings": [0, 1]}, "did you mean 'wave_damping'"),
        ({"wave_damping": [-1, 1]}, "wave_damping must be finite and not negative; got -1"),
    ],
)
def test_a_sweep_of_it_that_is_none_is_refused(axes, line):
    with pytest.raises(ValueError, match=line):
        rfsim.sweep({"command": "tide.waves", "axes": axes}, out="none.zarr")


def test_it_is_in_the_reference_and_in_the_glossary():
    text = reference.page()
    assert "## tide.waves {#tide.waves}" in text
    assert "Asked for by `rfsim.tide.waves`, `rfsim tide waves`." in text
    assert "| `wave_damping` | `--wave-damping` | 0.5 | Damping δ of the waves. |" in text
    assert "| `wavelengths` | `--wavelengths` | 1,2,200 | Wavelengths ℓ. Along `wavelength` of the result. |" in text
    assert "| `wave_damping` | damping of the waves | δ | 1/s |" in text
