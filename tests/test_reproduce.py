from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rfsim
from rfsim import reproduce
from rfsim.cli import main
from rfsim.disk import provenance, store
from rfsim.sampled import spectrum
from tests.sweeps.toys import computed, use  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]

FIGURES = (
    "b25-fig4",
    "b25-fig14",
    "b25-fig5",
    "digits",
    "b25-fig11",
    "b25-fig12",
    "b25-fig13",
    "anisotropic",
    "mixtures",
    "overfitting-directions",
    "gaussian-equivalence",
    "activations",
    "limit-approach",
    "b25-fig5c",
    "score-error-limit",
    "u26-fig3",
    "u26-fig4",
    "u26-fig5",
    "u26-fig6",
    "u26-fig16",
    "u26-fig17",
    "mini-bulk",
    "distillation",
    "distillation-controls",
    "distillation-ridge",
    "distillation-settings",
    "leakage",
    "instability",
    "transfer",
    "digits-distillation",
    "digits-images",
    "b25-fig15",
    "sgd-noise",
    "devices",
    "beyond-dense",
    "phase-diagram",
    "ridge-and-time",
    "memorization-maps",
    "copies-and-features",
    "optimal-stopping",
)

EXPERIMENT = '''
"""A toy claim."""
from rfsim import Problem
from rfsim.claims import Claim, Judgment, decide
from rfsim.reproduce import Cell

FIGURES = {"toy": "nobody 2026, Fig. 0"}
SECONDS = {"quick": 2, "paper": 600}

def cells(size):
    dim = {"quick": 6, "paper": 8}[size]
    return [
        Cell(f"seed-{k}", "spectrum", Problem(samples_per_dim=2, features_per_dim=2), {"dim": dim, "seed": k})
        for k in (0, 1)
    ]

def rule(results):
    top = float(results["seed-0"].eigenvalue.max())
    return Judgment(f"{top:.3f}", None, decide(top > 0))

CLAIMS = (Claim("toy-positive", "the largest eigenvalue is positive", "linear algebra", "above 0", rule),)
'''
FIGURE = """
from rfsim.plotting import canvas, spectrum_panel

def toy(results):
    figure, axes = canvas()
    spectrum_panel(axes[0, 0], results["seed-0"])
    return figure

DRAW = {"toy": toy}
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    for folder in ("experiments", "figures", "rfsim"):
        (tmp_path / folder).mkdir()
    (tmp_path / "experiments" / "10_toy.py").write_text(EXPERIMENT)
    (tmp_path / "figures" / "10_toy.py").write_text(FIGURE)
    monkeypatch.setattr(reproduce, "checkout", lambda: tmp_path)
    return tmp_path


def outcome(root, size="quick", report=None):
    (experiment,) = reproduce.experiments(root)
    return reproduce.run(root, experiment, ["toy"], size, report=report)


def test_results_lie_beside_the_experiment_and_figures_in_their_folder(root):
    found = outcome(root)
    assert found.failure is None
    assert (found.computed, found.reused) == (2, 0)
    assert sorted(path.name for path in (root / "experiments/out/10_toy-quick").iterdir()) == ["seed-0.nc", "seed-1.nc"]
    assert [path.relative_to(root).as_posix() for path in found.files] == ["figures/out/toy.pdf", "figures/out/toy.png"]
    assert found.rows[0].judgment.verdict == "reproduced"
    assert found.rows[0].command == "rfsim reproduce toy --size quick"


def test_a_stored_result_is_reused_while_everything_matches(root, monkeypatch):
    outcome(root)
    again = outcome(root)
    assert (again.computed, again.reused) == (0, 2)
    assert outcome(root, "paper").computed == 2  # other settings lie elsewhere
    monkeypatch.setattr("rfsim.disk.provenance.of_module", lambda name: "other code")
    assert outcome(root).computed == 2
    path = root / "experiments/out/10_toy-quick/seed-1.nc"
    store.save(store.load(path).assign_attrs(rfsim_schema=0), path)
    again = outcome(root)
    assert (again.computed, again.reused) == (1, 1)
    path.write_bytes(b"half a file")
    again = outcome(root)
    assert (again.computed, again.reused) == (1, 1)


@pytest.mark.slow
def test_other_settings_are_computed_anew(root):
    outcome(root)
    file = root / "experiments" / "10_toy.py"
    file.write_text(EXPERIMENT.replace("features_per_dim=2", "features_per_dim=3"))
    assert outcome(root).computed == 2
    # words and rules may change without a new computation
    file.write_text(EXPERIMENT.replace("features_per_dim=2", "features_per_dim=3").replace("top > 0", "top > 1e9"))
    again = outcome(root)
    assert (again.computed, again.rows[0].judgment.verdict) == (0, "not reproduced")


SWEPT = (
    EXPERIMENT.split("def cells")[0]
    + """
def cells(size):
    from pathlib import Path
    from rfsim.reproduce import sweep_cell
    return [sweep_cell("grid", Path(__file__).with_suffix(".toml"))]

def rule(results):
    return Judgment("", None, decide(bool((results["grid"].status == 1).all())))
"""
)


@pytest.mark.usefixtures("use")
def test_a_sweep_goes_on_where_the_same_code_left_it(root):
    claims = EXPERIMENT[EXPERIMENT.index("CLAIMS =") :]
    (root / "experiments" / "10_toy.py").write_text(SWEPT + claims)
    (root / "experiments" / "10_toy.toml").write_text('command = "train"\n[axes]\nseed = [0, 1, 2]\n')

    def stop(step, values):
        if "left" in step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcome(root, report=stop)
    assert [group.number for group in computed] == [0]
    (experiment,) = reproduce.experiments(root)
    found = reproduce.run(root, experiment, [], "quick")
    assert (found.computed, found.rows[0].judgment.verdict, found.failure) == (1, "reproduced", None)
    assert [group.number for group in computed] == [0, 1, 2]
    assert [path.name for path in (root / "experiments/out/10_toy-quick").iterdir()] == ["grid.nc"]
    assert reproduce.run(root, experiment, [], "quick").reused == 1


def test_an_interrupted_run_resumes(root):
    def stop(step, values):
        if values["done"] == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcome(root, report=stop)
    (experiment,) = reproduce.experiments(root)
    assert reproduce.remaining_seconds(root, experiment, "quick") == 1.0  # one of two cells of a 2 s experiment
    found = outcome(root)
    assert (found.computed, found.reused) == (1, 1)


def test_the_digest_follows_imports_and_leaves_presentation_out():
    package = ROOT / "rfsim"
    files = {path.relative_to(package).as_posix() for path in provenance.closure(package / "sampled/train.py", ROOT)}
    rooms = {"sample/moments/averages.py", "sample/spectra/sample.py", "learning/losses.py", "disk/store.py"}
    assert {"sampled/train.py", *rooms} <= files
    assert not {"__init__.py", "reproduce/__init__.py", "disk/provenance.py", "claims/rules.py"} & files
    assert not any(name.startswith(("plotting", "cli", "quantities/reference")) for name in files)


def test_the_command_reports_files_and_verdicts(root, capsys):
    assert main(["reproduce", "toy"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "estimate at size quick, on two cores: 2 s (10_toy 2 s)" in err
    assert "10_toy 1/2 seed-1" in err
    assert "10_toy: 2 computed, 0 reused" in err
    assert "REPRODUCED: the largest eigenvalue is positive [toy-positive]" in err
    assert main(["reproduce", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_list_names_sources_times_and_what_is_stored(root, capsys):
    assert main(["reproduce", "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "toy",
        "2",
        "s",
        "10",
        "min",
        "-",
        "nobody",
        "2026,",
        "Fig.",
        "0",
    ]
    main(["reproduce", "--quiet"])
    assert main(["reproduce", "--list", "toy"]) == 0
    assert "quick" in capsys.readouterr().out.splitlines()[1]


def test_a_failing_experiment_is_named_and_the_others_go_on(root, capsys):
    (root / "experiments" / "11_bad.py").write_text(
        EXPERIMENT.replace('"toy"', '"bad"').replace("features_per_dim=2", "features_per_dim=1e-9")
    )
    (root / "figures" / "11_bad.py").write_text(FIGURE.replace('"toy"', '"bad"'))
    assert main(["reproduce"]) == 3
    err = capsys.readouterr().err
    assert "rfsim: 11_bad failed: ValueError: 1e-09 features per dimension round to no features at dim 6" in err
    assert (root / "figures/out/toy.pdf").exists()


def test_an_interrupt_is_130(root, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(spectrum, "spectrum", stopped)
    assert main(["reproduce", "--quiet"]) == 130
    assert capsys.readouterr().err == "rfsim: interrupted\n"


def test_unknown_figures_and_sizes_are_refused_in_one_line(root, capsys):
    assert main(["reproduce", "tou"]) == 2
    assert capsys.readouterr().err == "rfsim: unknown figure 'tou'; choose among toy; did you mean 'toy'?\n"
    assert main(["reproduce", "--size", "papr"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_outside_a_checkout_the_command_says_so(tmp_path, monkeypatch, capsys):
    package = tmp_path / "site" / "rfsim"
    package.mkdir(parents=True)
    monkeypatch.setattr(rfsim, "__file__", str(package / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "--list"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("rfsim: rfsim reproduce needs a checkout of rfsim")
    assert err.count("\n") == 1


def test_every_experiment_of_this_checkout_keeps_the_form():
    found = reproduce.experiments(ROOT)
    assert [one.name for one in found] == [
        "10_spectra",
        "11_memorization_time",
        "12_digits",
        "13_noise_levels",
        "14_data_scale",
        "15_score_error",
        "16_populations",
        "17_overfitting_directions",
        "18_gaussian_equivalence",
        "19_activations",
        "20_limit",
        "21_diagram",
        "22_score_minimum",
        "23_ridge",
        "24_mini",
        "30_distillation",
        "31_distillation_settings",
        "32_leakage",
        "33_distilled_digits",
        "40_adam",
        "41_sgd",
        "42_devices",
        "43_beyond_dense",
        "50_phase_diagram",
        "51_ridge_and_time",
        "52_memorization_maps",
        "53_copies_and_features",
        "54_optimal_stopping",
    ]
    figures = [name for one in found for name in one.figures]
    claims = [claim.id for one in found for claim in one.claims]
    assert len(set(figures)) == len(figures)
    assert len(set(claims)) == len(claims)
    assert set(figures) == set(FIGURES)
    for one in found:
        assert one.drawing.is_file()
        for size in reproduce.SIZES:
            labels = [cell.label for cell in one.cells(size)]
            assert len(set(labels)) == len(labels)
            assert one.seconds(size) > 0


# in a process of its own, as users run it: it compiles a thousand programs, and keeps them in a cache of its own
WHOLE = """
import sys
from pathlib import Path
from rfsim import reproduce
from rfsim.cli import main
reproduce.checkout = Path.cwd
sys.exit(main(["reproduce"]))
"""


@pytest.mark.slow
def test_the_whole_of_reproduce_in_a_copy_of_the_checkout(tmp_path):
    for folder in ("experiments", "figures"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("out", "__pycache__"))
    env = os.environ | {"RFSIM_CACHE": str(tmp_path / "compiled")}
    done = subprocess.run([sys.executable, "-c", WHOLE], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    drawn = sorted(path.name for path in (tmp_path / "figures/out").iterdir())
    report = ["claims.json", "claims.md", "index.html"]
    assert drawn == sorted([*report, *(f"{name}.{s}" for name in FIGURES for s in ("pdf", "png"))])
    verdicts = [
        line.split(":")[0].strip()
        for line in done.stderr.splitlines()
        if line.startswith(("  REPR", "  NOT", "  CANNOT"))
    ]
    assert len(verdicts) == sum(len(one.claims) for one in reproduce.experiments(ROOT))
