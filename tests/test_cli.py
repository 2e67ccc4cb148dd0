"""The command contract: others script against these keys, files and exit statuses."""

from __future__ import annotations

import io
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rfsim
from rfsim import plotting
from rfsim.cli import answers, main
from rfsim.cli.options import ask
from rfsim.disk import store
from rfsim.problem import data, digits
from rfsim.problem.model import Problem
from rfsim.quantities.train import TRAIN
from rfsim.results import runs
from rfsim.results.progress import Interrupted
from rfsim.sampled import spectrum as spectrum_door
from rfsim.sampled import train
from tests.commands import answer, assert_refused, run, snapshot
from tests.commands import place as place

SMALL = ["--dim", "10", "--samples-per-dim", "2", "--features-per-dim", "4"]
DRAW, SAVE = plotting.plot, plotting.save
PROBLEM_KEYS = {
    "samples_per_dim", "features_per_dim", "diffusion_time", "noise_copies", "activation", "data", "ridge",
    "dim", "n", "p", "seed", "seeds", "model", "route", "moments",
}  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A stored training result."""
    path = tmp_path_factory.mktemp("stored") / "result.nc"
    store.save(train.train(Problem(samples_per_dim=2, features_per_dim=4), dim=10), path)
    return path


# --- the JSON objects ---------------------------------------------------------------------------------------------


def test_train_prints_the_contract(capsys):
    found = answer(capsys, "train", *SMALL, "--train-times", "0,100,inf")
    assert list(found) == [
        "schema", "problem", "train_time", "train", "test", "score", "gen", "tau_gen", "tau_mem", "residual",
    ]  # fmt: skip
    assert found["schema"] == 1
    assert set(found["problem"]) == PROBLEM_KEYS | {"by_part", "trainer", "fresh_noise"}
    assert (found["problem"]["n"], found["problem"]["p"]) == (20, 40)
    assert found["problem"]["noise_copies"] == "inf"
    assert found["train_time"] == [0.0, 100.0, "inf"]
    assert set(found["tau_gen"]) == {"formula", "spectrum", "curve"}
    assert set(found["tau_mem"]) == {"formula", "main", "mini", "curve"}
    direct = train.train(Problem(samples_per_dim=2, features_per_dim=4), [0, 100, math.inf], dim=10)
    for name in ("train", "test", "score", "gen"):
        assert found[name] == direct[name].values[0].tolist()
    assert found["train"][0] == 1.0
    assert 0 <= found["residual"] < 1e-12
    assert not any(Path.cwd().iterdir())


def test_seeds_give_mean_and_standard_error(capsys):
    both = answer(capsys, "train", *SMALL, "--seed", "0", "--seeds", "2")
    one, two = (answer(capsys, "train", *SMALL, "--seed", seed) for seed in ("0", "1"))
    for name in ("train", "test", "score", "gen"):
        np.testing.assert_allclose(both[name], np.add(one[name], two[name]) / 2, rtol=1e-12)
        np.testing.assert_allclose(both[f"{name}_se"], np.abs(np.subtract(one[name], two[name])) / 2, rtol=1e-9)
    for scales in ("tau_gen", "tau_mem"):
        for route, value in both[scales].items():
            assert value == pytest.approx((one[scales][route] + two[scales][route]) / 2)
    assert both["residual"] == max(one["residual"], two["residual"])
    assert both["problem"]["seeds"] == 2


def test_spectrum_prints_the_contract(capsys):
    found = answer(capsys, "spectrum", *SMALL)
    assert list(found) == ["schema", "problem", "eigenvalues", "bulks", "constants"]
    assert set(found["problem"]) == PROBLEM_KEYS
    assert found["eigenvalues"] == sorted(found["eigenvalues"])
    assert [list(b) for b in found["bulks"]] == [["name", "count", "mass", "lower", "upper", "gap_below"]] * 4
    assert [b["name"] for b in found["bulks"]] == ["null", "mini", "main", "gen"]
    assert sum(b["count"] for b in found["bulks"]) == len(found["eigenvalues"]) == 40
    assert sum(b["mass"] for b in found["bulks"]) == pytest.approx(1, abs=1e-15)
    assert found["bulks"][0]["gap_below"] is None
    assert found["bulks"][-1]["upper"] == found["eigenvalues"][-1]
    assert set(found["constants"]) == {"a", "b", "v2", "s2"}


@pytest.mark.slow
def test_parts_switched_off_and_monte_carlo_errors_are_answered(capsys):
    found = answer(capsys, "train", *SMALL, "--model", "gaussian", "--by-part", "--train-times", "0,inf")
    assert list(found["without"]) == ["null", "mini", "main", "gen"]
    assert found["without"]["gen"]["test"][0] == 1.0
    np.testing.assert_allclose(found["without"]["null"]["train"], found["train"])  # it has no share of V
    found = answer(capsys, "train", *SMALL, "--moments", "montecarlo:9", "--train-times", "1,inf")
    assert {f"{name}_se" for name in ("train", "test", "score", "gen")} < set(found)
    assert len(answer(capsys, "spectrum", *SMALL, "--moments", "montecarlo:9")["eigenvalues_se"]) == 40


def test_the_krylov_route_answers_without_parts(capsys):
    dense, krylov = (answer(capsys, "train", *SMALL, "--route", route) for route in ("dense", "krylov"))
    for name in ("train", "test", "score", "gen"):
        np.testing.assert_allclose(krylov[name], dense[name], atol=1e-6)
    assert krylov["tau_mem"]["main"] is krylov["tau_mem"]["mini"] is krylov["tau_gen"]["spectrum"] is None
    assert krylov["tau_mem"]["curve"] == pytest.approx(dense["tau_mem"]["curve"], rel=1e-5)
    assert run(capsys, "train", *SMALL, "--route", "krylov")[0] == 0  # draws, too


def test_spectrum_over_seeds_is_rank_wise(capsys):
    both = answer(capsys, "spectrum", *SMALL, "--seeds", "2")
    one, two = (answer(capsys, "spectrum", *SMALL, "--seed", seed) for seed in ("0", "1"))
    assert list(both)[-1] == "eigenvalues_se"
    np.testing.assert_allclose(both["eigenvalues"], np.add(one["eigenvalues"], two["eigenvalues"]) / 2)
    difference = np.abs(np.subtract(one["eigenvalues"], two["eigenvalues"]))
    np.testing.assert_allclose(both["eigenvalues_se"], difference / 2, rtol=1e-9)
    for k, part in enumerate(both["bulks"][1:], 1):
        for field in ("lower", "upper", "gap_below"):
            assert part[field] == pytest.approx((one["bulks"][k][field] + two["bulks"][k][field]) / 2)


def test_undefined_is_null_and_infinite_is_inf(capsys):
    frozen = answer(capsys, "spectrum", *SMALL, "--noise-copies", "1")
    assert frozen["bulks"][0]["name"] == "zero"
    assert [b["gap_below"] for b in frozen["bulks"][:2]] == [None, "inf"]
    assert frozen["problem"]["noise_copies"] == 1


@pytest.mark.slow
def test_linear_features_never_memorize(capsys):
    linear = ["--activation", "linear", "--dim", "6", "--samples-per-dim", "4", "--features-per-dim", "3"]
    found = answer(capsys, "train", *linear, "--quiet")
    assert found["tau_mem"]["formula"] == "inf"
    assert found["tau_mem"]["main"] is found["tau_mem"]["mini"] is None
    found = answer(capsys, "spectrum", *linear, "--quiet")
    assert [(part["name"], part["count"]) for part in found["bulks"]] == [("zero", 12), ("gen", 6)]
    assert found["constants"]["v2"] == found["constants"]["s2"] == 0.0
    _, _, told = run(capsys, "train", *linear)
    assert "tau_mem  formula inf  main -  mini -" in told


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hermite3", "relu", "softplus", "sine"])
def test_every_activation_is_a_flag(capsys, name):
    found = answer(capsys, "train", "--activation", name, "--dim", "12", "--features-per-dim", "3", "--quiet")
    assert found["test"][0] < 1
    assert (found["tau_gen"]["formula"] == "inf") == (name == "hermite3")  # a = 0 at Γ = 1


def test_digits_fix_the_dimension_and_are_read_once(capsys, monkeypatch):
    reads = []
    read = digits.read
    monkeypatch.setattr(digits, "read", lambda components: reads.append(components) or read(components))
    found = answer(capsys, "spectrum", "--data", "digits:10", "--samples", "25", "--features", "40")
    assert reads == [10]
    problem = found["problem"]
    assert (problem["dim"], problem["n"], problem["p"], problem["samples_per_dim"]) == (10, 25, 40, 2.5)
    assert (problem["center"], problem["scale"]) == (True, "global")
    raw = ask(TRAIN, TRAIN.given(data="digits:10", center=False, scale="none"))
    assert (raw.arguments["center"], raw.arguments["scale"]) == (False, "none")


def test_counts_and_ratios_state_the_same_problem(capsys):
    by_ratio = answer(capsys, "spectrum", *SMALL)
    by_count = answer(capsys, "spectrum", "--dim", "10", "--samples", "20", "--features", "40")
    assert by_ratio == by_count


def test_rounding_is_echoed_unless_quiet(capsys):
    assert ask(TRAIN, TRAIN.given(dim=10, samples_per_dim=2.55)).notes == ["samples: 2.55 x 10 rounds to 26"]
    sizes = ["--dim", "10", "--samples-per-dim", "2.04", "--features-per-dim", "4"]
    _, out, err = run(capsys, "spectrum", *sizes, "--json")
    assert err.startswith("samples: 2.04 x 10 rounds to 20\n")
    assert "features:" not in err
    assert json.loads(out)["problem"]["samples_per_dim"] == 2
    assert run(capsys, "spectrum", *sizes, "--json", "--quiet")[2] == ""


def test_defaults_are_those_of_the_library():
    asked = ask(TRAIN, TRAIN.given())
    assert asked.problem == Problem()
    assert asked.arguments["dim"] == 100
    assert asked.arguments["train_times"] == train.TRAIN_TIMES
    assert asked.arguments["scale"] in data.SCALES


# --- files --------------------------------------------------------------------------------------------------------


def test_files_go_to_the_default_folder_and_nothing_to_stdout(capsys):
    status, out, err = run(capsys, "spectrum", *SMALL)
    folder = Path("rfsim-out/spectrum")
    assert (status, out) == (0, "")
    assert sorted(p.name for p in folder.iterdir()) == ["figure.pdf", "figure.png", "result.nc"]
    assert f"wrote {folder}/result.nc" in err
    assert store.settings(rfsim.load(folder / "result.nc"))["dim"] == 10
    assert run(capsys, "spectrum", *SMALL)[0] == 0  # the same settings: once more is no loss


def test_json_with_out_does_both(capsys):
    found = answer(capsys, "train", *SMALL, "--out", "here", "--style", "talk", "--width", "12")
    assert sorted(p.name for p in Path("here").iterdir()) == ["figure.pdf", "figure.png", "result.nc"]
    assert Path("here/figure.pdf").read_text().endswith("talk 12 talk")
    stored = rfsim.load("here/result.nc")
    assert stored.sizes["train_time"] > 50  # a figure shows a grid of times
    assert stored.train.sel(train_time=list(train.TRAIN_TIMES)).values[0].tolist() == found["train"]
    assert found["train_time"] == list(train.TRAIN_TIMES)


def test_times_that_are_given_are_all_there_is(capsys):
    answer(capsys, "train", *SMALL, "--out", "here", "--train-times", "1,100,1e5")
    assert rfsim.load("here/result.nc").train_time.values.tolist() == [1.0, 100.0, 1e5]
    limit = answer(capsys, "theory", "curves", *SMALL[2:], "--out", "there")
    assert limit["train_time"] == list(train.TRAIN_TIMES)
    assert rfsim.load("there/result.nc").sizes["train_time"] > 50


def test_other_settings_are_not_overwritten_without_force(capsys, monkeypatch):
    assert run(capsys, "spectrum", *SMALL, "--out", "here", "--quiet") == (0, "", "")
    with monkeypatch.context() as patch:
        patch.setattr(runs, "solve", lambda *_, **__: pytest.fail("computed before asking"))
        assert_refused(
            capsys, "spectrum", *SMALL, "--ridge", "1e-9", "--out", "here", match="other settings; use --force"
        )
    assert run(capsys, "spectrum", *SMALL, "--ridge", "1e-9", "--out", "here", "--force")[0] == 0
    assert store.settings(rfsim.load("here/result.nc"))["ridge"] == 1e-9
    assert_refused(capsys, "train", *SMALL, "--ridge", "1e-9", "--out", "here", match="other settings")


def test_foreign_files_are_not_overwritten_without_force(capsys):
    Path("figures").mkdir()
    Path("figures/figure.png").write_text("mine")
    assert_refused(capsys, "spectrum", *SMALL, "--out", "figures", match=r"figure\.png has no result\.nc")
    Path("texts").mkdir()
    Path("texts/result.nc").write_text("mine")
    assert_refused(capsys, "spectrum", *SMALL, "--out", "texts", match="not a readable netCDF.*--force")
    assert run(capsys, "spectrum", *SMALL, "--out", "texts", "--force")[0] == 0


def test_unwritable_folder_is_refused_before_computing(capsys, monkeypatch):
    Path("file").write_text("mine")
    monkeypatch.setattr(spectrum_door, "spectrum", lambda *_, **__: pytest.fail("computed before asking"))
    assert_refused(capsys, "spectrum", *SMALL, "--out", "file/sub", match="cannot write to file/sub")
    assert_refused(capsys, "spectrum", *SMALL, "--out", "file", match="cannot write to file")
    assert_refused(capsys, "spectrum", *SMALL, "--out", "", match="must name a folder")
    assert_refused(capsys, "spectrum", *SMALL, "--out", "--force", match="--out requires an argument")


# --- bad input ----------------------------------------------------------------------------------------------------

BAD_VALUES = [
    (["--dim", "3.5"], "--dim: must be a whole number.*'3.5'"),
    (["--dim", "-1"], "--dim: must be a whole number.*'-1'"),
    (["--dim", "0"], "--dim"),
    (["--dim", "1e400"], "--dim"),
    (["--dim", "inf"], "--dim"),
    (["--dim", "nan"], "--dim"),
    (["--dim", "abc"], "--dim"),
    (["--dim", "1" * 5000], "--dim"),
    (["--dim", ""], "--dim"),
    (["--dim", "--json"], "--dim"),
    (["--samples", "1"], "--samples: must be a whole number from 2"),
    (["--samples", "20.5"], "--samples"),
    (["--features", "-4"], "--features"),
    (["--samples", "20", "--samples-per-dim", "2"], "--samples-per-dim and --samples are two forms"),
    (["--features", "20", "--features-per-dim", "2"], "--features-per-dim and --features are two forms"),
    (["--samples-per-dim", "-1"], "samples_per_dim must be positive"),
    (["--samples-per-dim", "inf"], "samples_per_dim must be positive and finite"),
    (["--features-per-dim", "nan"], "--features-per-dim: must be a number"),
    (["--features-per-dim", "1e400"], "--features-per-dim: must be a number"),
    (["--dim", "10", "--samples-per-dim", "0.01"], "round to no samples"),
    (["--dim", "10", "--samples-per-dim", "0.1"], "at least 2 samples"),
    (["--diffusion-time", "0"], "diffusion_time must be positive"),
    (["--diffusion-time", "-0.1"], "diffusion_time must be positive"),
    (["--diffusion-time", "inf"], "diffusion_time must be positive and finite"),
    (["--noise-copies", "2.5"], "noise_copies must be a whole number"),
    (["--noise-copies", "0"], "noise_copies must be a whole number"),
    (["--ridge", "-1"], "ridge must be finite and not negative; got -1"),
    (["--ridge=-inf"], "ridge must be finite"),
    (["--seed", "-1"], "--seed"),
    (["--seeds", "0"], "--seeds"),
    (["--activation", "tahn"], "did you mean 'tanh'"),
    (["--activation", "os:getcwd"], "--activation 'os:getcwd' imports a module, .*; add --allow-import"),
    (["--data", "isotrpic"], "did you mean 'isotropic'"),
    (["--data", "atoms:0.5@1,0.4@2"], "weights sum to 0.9"),
    (["--data", ""], "data must name a population"),
    (["--data", "no/such.npy"], "does not exist"),
    (["--dim", "10", "--data", "digits"], "dim is 64"),
    (["--data", "digits", "--samples", "1000"], "training half of 898"),
    (["--data", "digits", "--samples", "100", "--scale", "columns"], "constant columns"),
    (["--scale", "column"], "columns"),
    (["--dim", "1e6"], "needs about .* GiB, and this process may use"),
    (["--dim", "1e15", "--samples-per-dim", "1e200"], "samples_per_dim must lie between 1e-100 and 1e\\+100"),
    (["--samples-per-dim", "1e308"], "samples_per_dim must lie between 1e-100 and 1e\\+100"),
    (["--dimm", "3"], "--dimm.*--dim"),
    (["--no-json"], "--json"),
    (["--dim", "10", "--dim", "20"], "--dim is given more than once; where it takes several values, separate them by"),
    (["extra"], "unexpected 'extra'"),
    (["--style", "papr"], "paper"),
    (["--width", "-3"], "width must be single, double.*'-3'"),
    (["--width", "wide"], "width must be single, double"),
]  # fmt: skip


@pytest.mark.parametrize("command", ["spectrum", "train"])
@pytest.mark.parametrize(("given", "match"), BAD_VALUES, ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else "")
def test_bad_settings_are_refused(capsys, command, given, match):
    assert_refused(capsys, command, *given, match=match)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("", "separated by single commas"),
        ("1,,2", "separated by single commas"),
        (",", "separated by single commas"),
        ("abc", "must be a number"),
        ("nan", "must be a number"),
        ("1,1e400", "must be a number"),
        ("-1,2", "negative times"),
        ("-inf", "negative times"),
    ],
)
def test_bad_train_times_are_refused(capsys, given, match):
    assert_refused(capsys, "train", *SMALL, "--train-times", given, match=match)


def test_train_times_given_twice_are_refused(capsys):
    assert_refused(capsys, "train", "--train-times", "1", "--train-times", "2", match="more than once")


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (["trian"], "unknown command 'trian' of rfsim; did you mean 'train'"),
        (["theory", "ridges"], "unknown command 'ridges' of rfsim theory; did you mean 'ridge'.*there are .*curves, "),
        (["nothing"], "unknown command 'nothing' of rfsim; there are "),
        (["train", "--psi-n", "4"], "unknown flag '--psi-n'; ψ_n is --samples-per-dim$"),
        (["explore", "--no-open"], "unknown flag '--no-open'; rfsim explore --help tells the flags$"),
        (["--dim", "3"], "unknown flag --dim; flags follow"),
        (["--versoin"], "did you mean '--version'"),
        (["sho"], "show"),
        (["show"], "FILE"),
        (["plot"], "FILE"),
    ],
)
def test_unknown_and_incomplete_commands_are_refused(capsys, given, match):
    assert_refused(capsys, *given, match=match)


class Trap:
    """An object whose unpickling leaves a trace."""

    def __reduce__(self):
        return (open, ("trace", "w"))


def test_bad_arrays_are_refused_and_left_alone(capsys):
    good = np.random.default_rng(0).standard_normal((30, 4))
    np.save("nan.npy", np.where(good > 1, np.nan, good))
    np.save("rank.npy", good[0])
    np.save("one.npy", good[:1])
    np.save("object.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    np.save("text.npy", np.array([["a", "b"], ["c", "d"]]))
    np.save("whole.npy", good)
    Path("cut.npy").write_bytes(Path("whole.npy").read_bytes()[:200])
    np.savez("two.npz", a=good, b=good)
    Path("words.csv").write_text("a,b\nc,d\n")
    Path("prose.npy").write_text("not an array")
    for name, match in {
        "nan.npy": "NaN or infinite",
        "rank.npy": "shape",
        "one.npy": "at least 2 samples",
        "object.npy": "cannot be read",
        "text.npy": "real numbers are needed",
        "cut.npy": "cannot be read",
        "two.npz": "exactly one array",
        "words.csv": "cannot be read",
        "prose.npy": "cannot be read",
    }.items():
        assert_refused(capsys, "train", "--data", name, "--samples", "5", "--features", "8", match=match)
    assert not Path("trace").exists()
    assert ask(TRAIN, TRAIN.given(data="whole.npy", n=5)).arguments["dim"] == 4


# --- the settings file --------------------------------------------------------------------------------------------


def test_settings_file_lies_under_the_flags(capsys):
    Path("a.toml").write_text(
        "dim = 10\nnoise_copies = inf\nridge = 1e-9\nquiet = true\nsamples = 30\nfeatures = 30\n"
        "[train]\nfeatures-per-dim = 4\ntrain-times = [1, 10.0, inf]\n[spectrum]\nridge = 2e-9\n"
    )
    status, out, err = run(capsys, "train", "--config", "a.toml", "--samples-per-dim", "2", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    problem = found["problem"]
    assert (problem["dim"], problem["n"], problem["p"], problem["ridge"]) == (10, 20, 40, 1e-9)
    assert found["train_time"] == [1.0, 10.0, "inf"]
    assert answer(capsys, "spectrum", "--config", "a.toml", "--ridge", "0")["problem"]["ridge"] == 0
    assert answer(capsys, "spectrum", "--config", "a.toml")["problem"]["ridge"] == 2e-9


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("dimm = 3", "'dimm' is no flag of train; did you mean 'dim'"),
        ("psi_n = 3", "'psi_n' is no flag of train; ψ_n is samples-per-dim$"),
        ("dim = 3.5", "--dim: must be a whole number"),
        ("dim = true", "'dim' must be a value"),
        ("quiet = 1", "'quiet' must be true or false"),
        ("noise-copies = 1\nnoise_copies = 2", "given twice"),
        ("samples = 4\nsamples-per-dim = 2", "two forms"),
        ("[trian]\ndim = 3", r"\[trian\] is no command; did you mean 'train'"),
        ("train = 3", "must be a table"),
        ("dim = 1979-05-27", "must be a number"),
        ("config = 'b.toml'", "'config' is no flag"),
        ("dim = ", "is not TOML"),
        (None, "cannot be read"),
    ],
)
def test_bad_settings_files_are_refused(capsys, content, match):
    if content is not None:
        Path("a.toml").write_text(content)
    assert_refused(capsys, "train", "--config", "a.toml", match=match)


def test_binary_settings_file_is_refused(capsys):
    Path("a.toml").write_bytes(b"\xff\xfe\x00")
    assert_refused(capsys, "train", "--config", "a.toml", match="is not TOML")


# --- show, plot, info ---------------------------------------------------------------------------------------------


def test_show_says_what_a_result_is(capsys, stored):
    status, out, err = run(capsys, "show", str(stored))
    assert (status, err) == (0, "")
    for part in ("train result, schema 1", "samples_per_dim", "jax", "seed 1, train_time 3", "L_train"):
        assert part in out
    found = answer(capsys, "show", str(stored))
    assert found["kind"] == "train"
    assert found["settings"]["p"] == 40
    assert found["variables"]["train"]["shape"] == {"seed": 1, "train_time": 3}
    assert found["versions"]["rfsim"] == rfsim.__version__


def test_bad_results_are_refused(capsys, stored):
    Path("cut.nc").write_bytes(stored.read_bytes()[:3000])
    Path("prose.nc").write_text("hello")
    result = rfsim.load(stored)
    result.assign_attrs(rfsim_schema=99).to_netcdf("future.nc", engine="h5netcdf")
    for command in ("show", "plot"):
        assert_refused(capsys, command, "none.nc", match="not a file")
        assert_refused(capsys, command, "cut.nc", match="not a readable netCDF")
        assert_refused(capsys, command, "prose.nc", match="not a readable netCDF")
        assert_refused(capsys, command, "future.nc", match="schema 99; this version reads schema 1")
    Path("out").mkdir()
    Path("out/result.nc").write_bytes(Path("future.nc").read_bytes())
    assert_refused(capsys, "spectrum", *SMALL, "--out", "out", match="schema 99.*--force")


def test_plot_draws_beside_the_result(capsys, stored):
    Path("mine.nc").write_bytes(stored.read_bytes())
    status, out, err = run(capsys, "plot", "mine.nc")
    assert (status, out) == (0, "")
    assert err.splitlines() == ["wrote mine.pdf", "wrote mine.png"]
    assert run(capsys, "plot", "mine.nc", "--quiet") == (0, "", "")  # the same figure again is no loss
    assert_refused(capsys, "plot", "mine.nc", "--style", "talk", match=r"mine\.pdf exists with other content.*--force")
    assert run(capsys, "plot", "mine.nc", "--style", "talk", "--force", "--out", "sub/sub")[0] == 0
    assert run(capsys, "plot", "mine.nc", "--style", "talk", "--force")[0] == 0
    assert Path("mine.png").read_text() == Path("sub/sub/mine.png").read_text()


def test_info_names_the_machine(capsys):
    found = answer(capsys, "info")
    assert set(found) == {
        "schema", "versions", "devices", "threads", "precision", "memory_limit_bytes", "cache_folder",
    }  # fmt: skip
    assert found["precision"] == "float64"
    assert found["devices"]
    status, out, _ = run(capsys, "info")
    assert status == 0
    assert re.search(r"memory limit +\d", out)


def test_info_says_so_where_jax_has_no_device(capsys, monkeypatch):
    for error in (AssertionError(), RuntimeError("Unable to initialize backend 'cuda'")):
        monkeypatch.setattr("jax.devices", raising(error))
        status, out, _ = run(capsys, "info", "--json")
        assert (status, json.loads(out)["devices"][0][:25]) == (3, "none: JAX finds no device")


# --- exit status and standard error -------------------------------------------------------------------------------


def raising(error):
    def compute(*_, **__):
        raise error

    return compute


def test_interruption_is_130(capsys, monkeypatch):
    monkeypatch.setattr(train, "train", raising(KeyboardInterrupt()))
    assert run(capsys, "train", *SMALL) == (130, "", "rfsim: interrupted\n")


def test_an_interruption_keeps_the_seeds_that_have_ended(capsys, monkeypatch):
    kept = spectrum_door.spectrum(Problem(samples_per_dim=2, features_per_dim=4), dim=10)
    monkeypatch.setattr(spectrum_door, "spectrum", raising(Interrupted(kept)))
    status, out, err = run(capsys, "spectrum", *SMALL, "--seeds", "3")
    assert (status, out) == (130, "")
    assert err.splitlines() == ["kept 1 of 3 seeds in rfsim-out/spectrum", "rfsim: interrupted"]
    assert store.settings(store.load("rfsim-out/spectrum/result.nc"))["seeds"] == 1
    # what is there already is not replaced by less
    before = Path("rfsim-out/spectrum/result.nc").read_bytes()
    assert run(capsys, "spectrum", *SMALL, "--seeds", "3", "--force")[0] == 130
    assert Path("rfsim-out/spectrum/result.nc").read_bytes() == before


def test_running_out_of_memory_is_refused(capsys, monkeypatch):
    for error in (MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes\nmore")):
        monkeypatch.setattr(train, "train", raising(error))
        assert_refused(capsys, "train", *SMALL, match="out of memory")


def test_a_bug_is_not_hidden(monkeypatch):
    for error in (TypeError("bug"), RuntimeError("bug")):
        monkeypatch.setattr(train, "train", raising(error))
        with pytest.raises(type(error), match="bug"):
            main(["train", *SMALL])


def test_an_unconverged_part_is_3_and_its_answer_is_given(capsys, monkeypatch):
    spectrum = spectrum_door.spectrum
    monkeypatch.setattr(
        spectrum_door, "spectrum", lambda *a, **k: (found := spectrum(*a, **k)).assign(residual=found.residual + 1)
    )
    status, out, err = run(capsys, "spectrum", *SMALL, "--json", "--quiet")
    assert status == 3
    assert json.loads(out)["schema"] == 1
    assert err.startswith("rfsim: seed 0: the decomposition leaves a residual of 1.0e+00")


def test_tables_and_progress_are_plain_lines(capsys):
    err = run(capsys, "spectrum", *SMALL, "--seeds", "2", "--json")[2]
    assert "seed 1 (2 of 2): moments and eigenvalues\n" in err
    header, *rows = err[err.index("part ") :].splitlines()
    assert header.split() == ["part", "count", "mass", "lower", "upper", "gap_below"]
    assert [row.split()[0] for row in rows] == ["null", "mini", "main", "gen"]
    assert rows[1].endswith("merged")
    err = run(capsys, "train", *SMALL, "--json")[2]
    assert re.search(r"^train_time +train +test +score +gen$", err, re.MULTILINE)
    assert re.search(r"^tau_mem  formula \S+  main \S+  mini \S+  curve \S+$", err, re.MULTILINE)
    assert "\x1b" not in err


@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_gets_a_bar_and_no_color_is_respected(monkeypatch, no_color):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    assert main(["spectrum", *SMALL, "--seeds", "2", "--out", "here"]) == 0
    assert "moments and eigenvalues" in screen.getvalue()
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", screen.getvalue())) != no_color


def test_answers_never_hide_a_missing_seed():
    result = train.train(Problem(samples_per_dim=2, features_per_dim=4), dim=10, seeds=2)
    result.tau_mem[0, 3] = np.nan
    result.tau_gen[0, 0] = np.inf
    result.score[0] = np.nan
    found = answers.train_answer(result)
    assert found["tau_mem"]["curve"] is None
    assert found["tau_gen"]["formula"] == "inf"
    assert found["score"] == found["score_se"] == [None] * 3


# --- as a program -------------------------------------------------------------------------------------------------


def program(*arguments: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    start = ["-m", "rfsim"] if code is None else ["-c", code]
    return subprocess.run([sys.executable, *start, *arguments], capture_output=True, text=True, timeout=120)


def test_help_and_version_load_nothing_heavy():
    code = (
        "import sys; from rfsim.cli import main\n"
        "status = [main(a) for a in (['--version'], ['--help'], ['train', '-h'])]\n"
        "heavy = {'jax', 'numpy', 'xarray', 'matplotlib', 'scipy'} & set(sys.modules); assert not heavy, heavy\n"
        "sys.exit(status != [0, 0, 0])"
    )
    done = program(code=code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{rfsim.__version__}\n")
    assert "--samples-per-dim" in done.stdout


def test_the_program_computes_draws_and_refuses():
    done = program("spectrum", *SMALL, "--json", "--quiet", "--out", "here", "--width", "single")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["problem"]["n"] == 20
    assert Path("here/figure.pdf").read_bytes().startswith(b"%PDF")
    assert Path("here/figure.png").read_bytes().startswith(b"\x89PNG")
    refused = program("train", "--dim", "3.5")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "rfsim: Invalid value for --dim: must be a whole number from 1 to 2^53; got '3.5'\n"


@pytest.mark.slow
def test_drawing_a_stored_result_again_changes_nothing(monkeypatch, capsys):
    monkeypatch.setattr(plotting, "plot", DRAW)
    monkeypatch.setattr(plotting, "save", SAVE)
    store.save(spectrum_door.spectrum(Problem(samples_per_dim=2, features_per_dim=4), dim=10), "mine.nc")
    assert_refused(capsys, "plot", "mine.nc", "--width", "3", match="width must be")
    small = ["plot", "mine.nc", "--out", "here", "--width", "single"]
    assert run(capsys, *small)[0] == 0
    before = snapshot()
    assert run(capsys, *small)[0] == 0
    assert snapshot() == before
    assert_refused(capsys, *small, "--style", "screen", match="--force")
