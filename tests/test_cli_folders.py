"""`rfsim show` and `rfsim plot` of folders, and the names of what is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfsim import plotting
from rfsim.disk import store
from tests.commands import assert_refused, place, run  # noqa: F401
from tests.sweeps.toys import use  # noqa: F401

pytestmark = pytest.mark.usefixtures("use")


def names(folder: str = ".") -> set[str]:
    return {one.name for one in Path(folder).iterdir() if one.suffix in (".pdf", ".png", ".csv")}


@pytest.fixture
def words(monkeypatch):
    """A figure is what was asked of it."""
    monkeypatch.setattr(plotting, "plot", lambda result, *, style, width, **asked: f"{style} {width} {asked}")


def test_a_folder_given_to_out_is_found(capsys, words):
    assert run(capsys, "spectrum", "--dim", "3", "--out", "t", "--quiet")[0] == 0
    assert run(capsys, "show", "t") == run(capsys, "show", "t/result.nc")
    assert run(capsys, "plot", "t")[2].splitlines() == ["wrote t/result.pdf", "wrote t/result.png"]
    assert run(capsys, "plot", "t", "--out", "there")[0] == 0
    assert names("there") == {"result.pdf", "result.png"}
    Path("empty").mkdir()
    for command in ("show", "plot"):
        assert_refused(capsys, command, "empty", match="empty is not a store of a sweep, and holds no result.nc")
        assert_refused(capsys, command, "nowhere", match="nowhere is not a file")


def test_another_quantity_has_a_name_of_its_own(capsys, words):
    Path("grid.toml").write_text('command = "train"\n[axes]\nsamples_per_dim = [2, 4]\nridge = [0.0, 0.5]\n')
    assert run(capsys, "sweep", "grid.toml", "--quiet")[0] == 0
    first = {"grid.pdf", "grid.png", "grid.csv"}
    assert run(capsys, "plot", "grid.toml", "--quantity", "gen", "--quiet") == (0, "", "")
    assert names() == first
    asked = ["--quantity", "residual", "--at", "ridge=0.5"]
    for _ in range(2):  # the same again is no change
        assert run(capsys, "plot", "grid.zarr", *asked, "--quiet") == (0, "", "")
        assert names() == first | {f"grid-residual-at-ridge-0.5.{one}" for one in ("pdf", "png", "csv")}
    assert run(capsys, "plot", "grid.toml", "--quantity", "gen", "--quiet") == (0, "", "")
    assert len(names()) == 6
    assert_refused(capsys, "plot", "grid.toml", "--style", "talk", match=r"grid\.pdf exists with other content")
    assert_refused(
        capsys, "plot", "grid.toml", *asked, "--style", "talk", match=r"residual-at-ridge-0\.5\.pdf exists with other"
    )
    assert run(capsys, "plot", "grid.toml", "--quantity", "seconds", "--force", "--quiet")[0] == 0
    assert len(names()) == 6
    assert store.load("grid.zarr").sizes["ridge"] == 2
