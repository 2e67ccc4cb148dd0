from __future__ import annotations

import re

import pytest

from rfsim.sweeps.spec import read

pytestmark = pytest.mark.usefixtures("use")

TEXT = """
command = "train"
[problem]
dim = 50
[axes]
samples_per_dim = {log = [1, 64], points = 4}
train_times = [1e3, 1e4, inf]
seed = {range = [0, 5]}
[zip]
ridge = [0.0, 0.1]
word = ["a", "b"]
[derive]
features_per_dim = "4 * samples_per_dim"
"""


def test_a_file_of_the_readmes_form(tmp_path):
    (tmp_path / "grid.toml").write_text(TEXT)
    spec = read(tmp_path / "grid.toml")
    assert spec.quantity.name == "train"
    assert spec.fixed == {"dim": 50}
    assert [(axis.dim, axis.size, axis.own) for axis in spec.axes] == [
        ("samples_per_dim", 4, False),
        ("train_time", 3, True),
        ("seed", 5, False),
        ("ridge", 2, False),
    ]
    assert spec.axes[0].values["samples_per_dim"] == pytest.approx((1, 4, 16, 64))
    assert spec.axes[2].values["seed"] == (0, 1, 2, 3, 4)
    assert spec.axes[3].values == {"ridge": (0.0, 0.1), "word": ("a", "b")}
    assert spec.derived["features_per_dim"].names == {"samples_per_dim"}


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"linear": [0, 1], "points": 3}, (0, 0.5, 1)),
        ({"range": [1, 2], "step": 0.25}, (1, 1.25, 1.5, 1.75)),
        ({"range": [0, 7], "step": 3}, (0, 3, 6)),
        ({"range": [1, 1.3], "step": 0.1}, (1, 1.1, 1.2)),
        ([3], (3,)),
    ],
)
def test_forms_of_an_axis(given, values):
    (axis,) = read({"command": "train", "axes": {"ridge": given}}).axes
    assert axis.values["ridge"] == values


def test_a_command_may_be_spelled_as_on_the_command_line():
    assert read({"command": "rfsim theory curves", "axes": {"samples_per_dim": [1]}}).quantity.name == "theory.curves"


def test_derived_parameters_follow_from_each_other():
    table = {"features_per_dim": "2 * ridge", "ridge": "samples_per_dim + dim"}
    spec = read({"command": "train", "problem": {"dim": 3}, "axes": {"samples_per_dim": [1, 2]}, "derive": table})
    assert list(spec.derived) == ["ridge", "features_per_dim"]


def test_a_range_is_written_as_on_the_command_line():
    (axis,) = read({"command": "train", "axes": {"ridge": "0,0.1:10:3"}}).axes
    assert axis.values == {"ridge": (0.0, 0.1, 1.0, 10.0)}


REFUSED = [
    ({"axes": {"ridge": [0]}}, r"command is missing; choose among .*, train$"),
    ({"command": "trian", "axes": {"ridge": [0]}}, r"unknown command 'trian'.*did you mean 'train'"),
    ({"axis": {}, "axes": {"ridge": [0]}}, r"unknown key 'axis'; did you mean 'axes'"),
    ({"ridge": [0], "axes": {"seed": [0]}}, r"unknown key 'ridge'; parameters belong in \[problem\] or \[axes\]"),
    ({"axes": [1]}, r"axes must be a table, \[axes\]; got \[1\]"),
    ({"axes": {}}, r"there is nothing to vary"),
    ({"axes": {"rigde": [0]}}, r"\[axes\] rigde is no parameter of train; did you mean 'ridge'"),
    ({"problem": {"ridge": 0}, "axes": {"ridge": [0]}}, r"ridge stands in \[problem\] and in \[axes\]; give it once"),
    ({"problem": {"dim": {"a": 1}}, "axes": {"ridge": [0]}}, r"\[problem\] dim must be a number, a text.*got \{'a'"),
    ({"problem": {"dim": [1, 2]}, "axes": {"ridge": [0]}}, r"dim must be one value; got \[1, 2\]: give several"),
    ({"axes": {"ridge": []}}, r"\[axes\] ridge is empty"),
    ({"axes": {"ridge": 3}}, r"\[axes\] ridge must be a list, .*or a table with log, linear or range, .*; got 3"),
    ({"axes": {"ridge": "much"}}, r'ridge must be a list, .*, a range, such as "0.1:10:20", or .*; got'),
    ({"axes": {"psi_n": [1]}}, r"\[axes\] psi_n is no parameter of train; ψ_n is samples_per_dim"),
    ({"axes": {"ridge": [2, 1]}}, r"\[axes\] ridge must increase; got \[2, 1\]"),
    ({"axes": {"ridge": [1, 1]}}, r"\[axes\] ridge must increase"),
    ({"axes": {"ridge": [1, float("nan")]}}, r"\[axes\] ridge must increase"),
    ({"axes": {"word": ["a", "a"]}}, r"\[axes\] word must not repeat a value"),
    ({"axes": {"ridge": {"log": [4, 1], "points": 3}}}, r"ridge: log must increase from first to last; got \[4, 1\]"),
    ({"axes": {"ridge": {"log": [0, 1], "points": 3}}}, r"ridge: log needs positive ends; got \[0, 1\]"),
    ({"axes": {"ridge": {"log": [1, 2]}}}, r"ridge lacks points, how many values there are; such as points = 20"),
    ({"axes": {"ridge": {"log": [1, 2], "points": 1}}}, r"ridge: points must be a whole number from 2 to .*; got 1"),
    ({"axes": {"ridge": {"lgo": [1, 2], "points": 3}}}, r"needs one of log, linear and range.*did you mean 'log'"),
    ({"axes": {"ridge": {"log": [1, 2], "point": 3}}}, r"unknown key 'point'; did you mean 'points'"),
    ({"axes": {"ridge": {"range": [1, 2], "step": 0}}}, r"step must be positive; got 0"),
    ({"axes": {"ridge": {"range": [1, "b"]}}}, r"range must be \[first, last\], two finite numbers"),
    ({"axes": {"ridge": {"range": [0, 1], "step": 1e-9}}}, r"has 1000000000 values; take at most"),
    ({"zip": {"ridge": [0, 1], "seed": [1, 2, 3]}}, r"\[zip\] needs lists of one length; got ridge 2, seed 3"),
    ({"axes": {"ridge": [0]}, "derive": {"seed": "2 ridge"}}, r'\[derive\] seed: "2 ridge" is no arithmetic'),
    ({"axes": {"ridge": [0]}, "derive": {"seed": "rigde"}}, r"\[derive\] seed refers to 'rigde', which is no number of "
     r"a cell; did you mean 'ridge'"),
    ({"axes": {"ridge": [0]}, "derive": {"seed": "seed"}}, r"\[derive\] seed refers to itself"),
    ({"axes": {"ridge": [0]}, "derive": {"seed": "dim", "dim": "seed"}}, r"\[derive\] seed, dim refer to each other"),
    ({"axes": {"train_times": [1], "ridge": [0]}, "derive": {"seed": "train_times"}}, r"refers to 'train_times'"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "match"), REFUSED, ids=[match[:40] for _, match in REFUSED])
def test_what_is_wrong_is_said_in_one_line(content, match):
    given = content if "command is missing" in match else {"command": "train"} | content
    with pytest.raises(ValueError, match=match) as raised:
        read(given)
    assert "\n" not in str(raised.value)


def test_everything_that_is_wrong_is_said_at_once():
    content = {"command": "train", "problem": {"dmi": 1}, "axes": {"ridge": [], "seed": [1, 0]}, "extra": 1}
    with pytest.raises(ValueError, match=re.escape("the sweep has 4 problems: (1) unknown key 'extra'")) as raised:
        read(content)
    for number, word in enumerate(["dmi", "ridge is empty", "seed must increase"], 2):
        assert re.search(rf"\({number}\) [^;]*{word}", str(raised.value))


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"none.toml is not a file; give a sweep written in TOML"):
        read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("command = ")
    with pytest.raises(ValueError, match=r"bad.toml is not TOML: Invalid value"):
        read(tmp_path / "bad.toml")
    (tmp_path / "raw.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"raw.toml cannot be read"):
        read(tmp_path / "raw.toml")
