from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rfsim
from rfsim import reproduce
from rfsim.cli import main
from rfsim.computing import machine
from rfsim.disk import provenance, store
from rfsim.reproduce import costs, together
from rfsim.reproduce.running import compute
from rfsim.sampled import spectrum
from tests.sweeps.toys import computed, use  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]

CORE = ("core-spectrum", "core-losses", "core-student")

EXPERIMENT = '''
"""A toy claim."""
from rfsim import Problem
from rfsim.claims import Claim, Judgment, decide
from rfsim.reproduce import Cell

CORE = True
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
    monkeypatch.setattr(machine, "threads", lambda: 1)  # in this process, unless a test asks for more
    return tmp_path


def outcome(root, size="quick", report=None):
    (experiment,) = reproduce.experiments(root)
    return together.run(root, experiment, ["toy"], size, report=report)


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
    found = together.run(root, experiment, [], "quick")
    assert (found.computed, found.rows[0].judgment.verdict, found.failure) == (1, "reproduced", None)
    assert [group.number for group in computed] == [0, 1, 2]
    assert [path.name for path in (root / "experiments/out/10_toy-quick").iterdir()] == ["grid.nc"]
    assert together.run(root, experiment, [], "quick").reused == 1


def test_an_interrupted_run_resumes(root):
    def stop(progress):
        if progress.step:
            raise KeyboardInterrupt

    (experiment,) = reproduce.experiments(root)
    with pytest.raises(KeyboardInterrupt):
        together.run_all(root, [(experiment, ["toy"])], "quick", tell=stop)
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
    (first, second) = [line for line in err.splitlines() if line.startswith("10_toy ")]  # one a cell
    assert first.startswith("10_toy 1/2 seed-0 (1 of 2 in all, about ")
    assert second.startswith("10_toy 2/2 seed-1 (2 of 2 in all, about ")
    assert "10_toy: 2 computed, 0 reused" in err
    assert "REPRODUCED: the largest eigenvalue is positive [toy-positive]" in err
    assert main(["reproduce", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_list_names_sources_times_and_what_is_stored(root, capsys):
    assert main(["reproduce", "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "toy",
        "core",
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
    for name in ("toy", "10_toy"):  # of the figure, and of its experiment
        assert main(["reproduce", "--list", name]) == 0
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


def test_cells_that_lie_beside_another_experiment_are_cells_of_it():
    found = {one.name: one for one in reproduce.experiments(ROOT)}
    shared = 0
    for one in found.values():
        for size in reproduce.SIZES:
            for cell in (cell for cell in one.cells(size) if cell.home):
                assert cell.key() in [own.key() for own in found[cell.home].cells(size) if own.label == cell.label]
                shared += 1
    assert shared > 3


def test_every_experiment_of_this_checkout_keeps_the_form():
    found = reproduce.experiments(ROOT)
    figures = [name for one in found for name in one.figures]
    claims = [claim.id for one in found for claim in one.claims]
    assert len(set(figures)) == len(figures)
    assert len(set(claims)) == len(claims)
    assert set(CORE) < set(figures)
    assert tuple(name for one in found if one.core for name in one.figures) == CORE
    for one in found:
        assert one.drawing.is_file()
        for size in reproduce.SIZES:
            labels = [cell.label for cell in one.cells(size)]
            assert len(set(labels)) == len(labels)
            assert one.seconds(size) > 0


# in a process of its own, as users run it
WHOLE = """
import sys
from pathlib import Path
from rfsim import reproduce
from rfsim.cli import main
reproduce.checkout = Path.cwd
sys.exit(main(["reproduce", *sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the checkout, in which all cells are computed once."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("experiments", "figures"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("out", "__pycache__"))
    return folder


def in_a_copy(folder, *flags):
    """`rfsim reproduce` in a copy of the checkout: what it said, and the files it left among the figures."""
    done = subprocess.run([sys.executable, "-c", WHOLE, *flags], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr, sorted(path.name for path in (folder / "figures/out").iterdir())


def files_of(figures):
    report = ["claims.json", "claims.md", "index.html"]
    return sorted([*report, *(f"{name}.{suffix}" for name in figures for suffix in ("pdf", "png"))])


def verdicts(said):
    return [line.split(":")[0].strip() for line in said.splitlines() if line.startswith(("  REPR", "  NOT", "  CANN"))]


@pytest.mark.slow
def test_without_names_the_core_is_run_and_every_claim_of_it_is_decided(copied):
    said, drawn = in_a_copy(copied)
    assert drawn == files_of(CORE)
    core = [one for one in reproduce.experiments(ROOT) if one.core]
    found = verdicts(said)
    assert len(found) == sum(len(one.claims) for one in core)
    assert "CANNOT BE DECIDED" not in found
    lines = said.splitlines()
    for one in core:  # a line for each cell at most
        assert sum(line.startswith(f"{one.name} ") for line in lines) == len(one.cells("quick"))
    # a figure stands there while most is still to be computed
    assert next(k for k, line in enumerate(lines) if "wrote figures/out/" in line) < len(lines) / 2
    assert any("rfsim reproduce --all" in line for line in lines)
    assert any("rfsim reproduce --size paper" in line for line in lines)


@pytest.mark.slow
def test_the_whole_of_reproduce_in_a_copy_of_the_checkout(copied):
    said, drawn = in_a_copy(copied, "--all")
    found = reproduce.experiments(ROOT)
    assert drawn == files_of([name for one in found for name in one.figures])
    assert len(verdicts(said)) == sum(len(one.claims) for one in found)


def test_names_and_all_and_the_core_choose(root, capsys):
    file = root / "experiments" / "11_more.py"
    file.write_text(EXPERIMENT.replace('"toy"', '"more"').replace("CORE = True", "").replace("toy-", "more-"))
    found = reproduce.experiments(root)
    chosen = lambda *names, **more: [name for _, names in reproduce.select(found, names, **more) for name in names]  # noqa: E731
    assert chosen() == ["toy"]
    assert chosen("more") == ["more"]
    assert chosen(everything=True) == ["toy", "more"]
    assert main(["reproduce", "--all", "toy"]) == 2
    assert capsys.readouterr().err == "rfsim: --all takes no names; got toy: give either\n"
    assert main(["reproduce", "--list"]) == 0
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [["toy", "core"], ["more", "-"]]
    (root / "experiments" / "10_toy.py").unlink()
    assert main(["reproduce"]) == 2
    assert (
        "no experiment here is marked with CORE = True: name figures of --list, or give --all"
        in capsys.readouterr().err
    )


@pytest.mark.slow
def test_cells_of_several_experiments_are_computed_side_by_side_and_once(root):
    other = EXPERIMENT.replace('"toy"', '"other"').replace("toy-", "other-")
    shared = other.replace('"seed": k})', '"seed": k}, "10_toy")')  # its cells are the first one's
    (root / "experiments" / "11_other.py").write_text(shared)
    (root / "figures" / "11_other.py").write_text(FIGURE.replace('"toy"', '"other"'))
    heard = []
    selected = reproduce.select(reproduce.experiments(root), [], everything=True)
    found = together.run_all(root, selected, "quick", workers=2, tell=heard.append)
    assert [one.failure for one in found] == [None, None]
    assert [one.computed for one in found] == [2, 0]
    assert [path.name for path in (root / "experiments/out").glob("*-quick")] == ["10_toy-quick"]
    assert [one.rows[0].judgment.verdict for one in found] == ["reproduced"] * 2
    assert [(one.experiment, one.done, one.total) for one in heard if not one.step] == [
        ("10_toy", 0, 2),
        ("11_other", 0, 2),
    ]
    cells = [one for one in heard if one.step not in ("", "figures")]
    assert [one.all_done for one in cells] == [1, 2]
    assert sorted(one.outcome.experiment.name for one in heard if one.outcome) == ["10_toy", "11_other"]
    assert all(0 <= one.left < float("inf") for one in cells)  # how much depends on the machine


def test_a_cell_that_fails_ends_all_that_share_it_and_no_other(root):
    for name, text in (
        ("11_bad", EXPERIMENT.replace("features_per_dim=2", "features_per_dim=1e-9 if k else 2")),
        ("12_same", EXPERIMENT.replace("features_per_dim=2", "features_per_dim=1e-9 if k else 2, ridge=0")),
        ("13_well", EXPERIMENT.replace("for k in (0, 1)", "for k in (0,)")),
    ):
        home = "" if name == "11_bad" else ', "11_bad"'
        text = text.replace('"seed": k})', f'"seed": k}}{home})').replace('"toy"', f'"{name}"')
        (root / "experiments" / f"{name}.py").write_text(text)
        (root / "figures" / f"{name}.py").write_text(FIGURE.replace('"toy"', f'"{name}"'))
    selected = reproduce.select(reproduce.experiments(root), [], everything=True)
    found = {one.experiment.name: one.failure for one in together.run_all(root, selected, "quick")}
    assert found["10_toy"] is found["13_well"] is None
    assert found["11_bad"] == found["12_same"]
    assert "1e-09 features per dimension" in found["11_bad"]


def test_damaged_numbers_are_computed_anew_when_they_are_read(root):
    outcome(root)
    path = root / "experiments/out/10_toy-quick/seed-1.nc"
    data = store.load(path)
    held = bytearray(path.read_bytes())
    at = held.index(data.eigenvalue.values[0, -1].tobytes())
    held[at] ^= 1
    path.write_bytes(held)
    again = outcome(root)
    assert (again.computed, again.failure) == (1, None)
    assert (store.load(path).eigenvalue == data.eigenvalue).all()


def test_an_option_that_cannot_be_stored_is_told_before_anything_is_computed(root, monkeypatch):
    (experiment,) = reproduce.experiments(root)
    cell = reproduce.Cell("a", "distill", rfsim.Problem(), {"students": [rfsim.Student()]})
    monkeypatch.setattr(reproduce.Cell, "run", lambda *given: pytest.fail("computed"))
    failure = compute(root, experiment, "quick", cell)
    assert "options of a cell are numbers, texts, and lists and tables of them; got students of a" in failure


def test_what_needs_more_memory_than_a_worker_may_take_runs_alone(root, monkeypatch):
    (experiment,) = reproduce.experiments(root)
    monkeypatch.setattr(machine, "available_memory", lambda: 1.0)
    here = []
    monkeypatch.setattr(together, "compute", lambda *given: here.append(given[3].label) or compute(*given))
    found = together.run_all(root, [(experiment, ["toy"])], "quick", workers=2)
    assert found[0].failure is None
    assert sorted(here) == ["seed-0", "seed-1"]  # in this process


@pytest.mark.parametrize("options", [{"train_times": [1.0, 1e3], "levels": 6, "dim": 5, "generated": 70}, {"dim": 5}])
def test_samples_of_teachers_need_what_the_public_function_takes(monkeypatch, options):
    asked = []

    def told(needed, *_):
        asked.append(needed)
        raise MemoryError("seen")

    monkeypatch.setattr(sys.modules["rfsim.sampled.generated"], "require_memory", told)
    problem = rfsim.Problem(2, 4)
    with pytest.raises(MemoryError, match="seen"):
        rfsim.generated(problem, **options)
    assert [costs.needed_bytes(reproduce.Cell("one", "generated", problem, options))] == asked


def test_the_cells_that_the_core_shares_at_paper_size_are_those_of_their_experiments():
    found = {one.name: one for one in reproduce.experiments(ROOT)}
    shared = 0
    for one in found.values():
        for cell in one.cells("paper"):
            if cell.home:
                shared += 1
                (same,) = [other for other in found[cell.home].cells("paper") if other.label == cell.label]
                assert cell.key() == same.key()
    assert shared == 16


def test_on_a_terminal_there_is_a_bar_for_each_experiment_and_one_for_all(root, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    assert main(["reproduce"]) == 0
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sys.stderr.getvalue()).replace("\r", "\n").splitlines()
    for name in ("10_toy", "all"):
        bars = [line for line in lines if line.startswith(f"{name} ") and "━" in line]
        assert " 2/2 " in bars[-1]
    assert any(re.match(r"10_toy .* 0/2 ", line) for line in lines)  # from the beginning
    assert any(re.match(r"all .* 0/2 .*about \d+ s left", line) for line in lines)
    assert not any(re.match(r"10_toy \d/2", line) for line in lines)
    assert "  REPRODUCED: the largest eigenvalue is positive [toy-positive]" in [line.rstrip() for line in lines]
