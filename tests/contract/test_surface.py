"""What scripts outside this repository rely on stays as it is frozen."""

from __future__ import annotations

import json

import pytest

from rfsim.cli import main
from tests.contract import surface

FROZEN = json.loads(surface.FROZEN.read_text(encoding="utf-8"))


def assert_same(frozen, found) -> None:
    """Of what is frozen nothing has changed; a quantity or a command that is new is frozen by the next to freeze."""
    changed = list(surface.differences(frozen, found))
    assert not changed, f"{len(changed)} changes; where they are meant: python -m tests.contract.surface\n" + "\n".join(
        changed[:20]
    )


def test_every_command_has_its_flags_with_their_types_and_defaults():
    frozen = FROZEN["flags"]
    assert_same(frozen, {name: one for name, one in surface.flags().items() if name in frozen})


def test_every_quantity_has_its_parameters_in_a_sweep():
    frozen = FROZEN["sweeps"]
    assert_same(frozen, {name: one for name, one in surface.sweeps().items() if name in frozen})


@pytest.mark.parametrize(("arguments", "status"), surface.REFUSALS.values(), ids=list(surface.REFUSALS))
def test_what_is_refused_has_its_exit_status(arguments, status, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(list(arguments)) == status


@pytest.mark.slow
@pytest.mark.parametrize("call", list(surface.CALLS))
def test_every_answer_has_its_keys_its_numbers_and_its_stored_variables(call):
    assert_same(FROZEN["answers"][call], surface.answer(call))


@pytest.mark.slow
def test_every_result_has_its_variables():
    assert_same(FROZEN["results"], surface.results())


def test_a_change_of_any_kind_is_told():
    frozen = {"keys": {"a": [1.0, 2.0], "b": "text"}, "residual": 1e-15}
    assert list(surface.differences(frozen, {"keys": {"a": [1.0, 2.0 + 1e-9], "b": "text"}, "residual": 1e-13})) == []
    for found in (
        {"keys": {"a": [1.0, 2.1], "b": "text"}, "residual": 0},
        {"keys": {"a": [1.0], "b": "text"}, "residual": 0},
        {"keys": {"a": [1.0, 2.0], "b": "other"}, "residual": 0},
        {"keys": {"a": [1.0, 2.0]}, "residual": 0},
        {"keys": {"a": [1.0, None], "b": "text"}, "residual": 0},
        {"keys": {"a": [1.0, 2.0], "b": "text", "c": 0}, "residual": 0},
    ):
        assert list(surface.differences(frozen, found))
