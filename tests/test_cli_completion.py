"""`rfsim --install-completion`: the script that a shell reads knows every command and completes flags."""

from __future__ import annotations

import shutil
import subprocess

import cyclopts.completion.detect as detect
import pytest

from rfsim.cli import main
from rfsim.learning import trainers
from rfsim.problem.activations.catalog import ACTIVATIONS
from rfsim.problem.populations.reading import KINDS
from rfsim.quantities.catalog import QUANTITIES
from tests.commands import names

WHOLE = ("isotropic", "digits")  # data that are named without more


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_bash_completes_commands_and_flags(home, capsys):
    assert main(["--install-completion", "--shell", "bash"]) == 0
    (wrote, _) = capsys.readouterr().out.splitlines()
    script = wrote.removeprefix("wrote ")
    text = (home / script).read_text("utf-8")
    assert all(command[-1] in text for command in names())
    started = (home / ".bashrc").read_text("utf-8")
    assert script in started
    assert main(["--install-completion", "--shell", "bash"]) == 0
    assert (home / ".bashrc").read_text("utf-8") == started  # once is enough

    bash = shutil.which("bash")
    complete = """source "$1"
    function=$(complete -p rfsim | sed -E 's/.*-F ([^ ]+).*/\\1/')
    COMP_WORDS=(rfsim "${@:2}") COMP_CWORD=$(($# - 1)) COMP_LINE="rfsim ${*:2}"
    COMP_POINT=${#COMP_LINE}
    $function; echo "${COMPREPLY[@]}" """

    def completed(*words):
        done = subprocess.run([bash, "-c", complete, "-", script, *words], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert completed("sp") == ["spectrum"]
    assert "--diffusion-time" in completed("train", "--diff")
    assert completed("train", "--model", "") == ["real", "gaussian"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("train", "--activation", ""), (*ACTIVATIONS, "hermite:")),
        (("theory", "curves", "--data", ""), {one if one in WHOLE else f"{one}:" for one in KINDS}),
        (("distill", "--trainer", ""), {"flow", "descent:", "distillation:"}),
        (("train", "--moments", ""), {"exact", "montecarlo:"}),
    ],
)
def test_a_shell_is_offered_how_texts_begin(words, offered, capsys):
    assert main(["__complete", *words]) == 0
    told = capsys.readouterr().out.splitlines()
    assert {line.partition("\t")[0] for line in told if line and not line.startswith("\x1f")} == {*offered}
    assert {one.partition(":")[0] for one in QUANTITIES["train"].flagged["trainer"].offered} == {*trainers.KINDS}


def test_an_unknown_shell_is_asked_for(home, capsys, monkeypatch):
    def lost():
        raise detect.ShellDetectionError

    monkeypatch.setattr(detect, "detect_shell", lost)
    assert main(["--install-completion"]) == 2
    assert capsys.readouterr().err == "rfsim: which shell this is cannot be told; give --shell bash, zsh or fish\n"
    assert not list(home.iterdir())
