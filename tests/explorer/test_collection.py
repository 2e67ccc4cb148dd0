"""Every test is collected where the extras of the explorer and of its browser are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# a module that stands as None cannot be imported, nor found: as if it were not installed
COLLECT = """import sys
for name in ("marimo", "anywidget", "zmq", "playwright"):
    sys.modules[name] = None
import pytest
sys.exit(pytest.main(["--collect-only", "-q", "-n0", "-p", "no:cacheprovider", "-m", "", sys.argv[1]]))
"""


@pytest.mark.slow
def test_tests_of_the_explorer_are_collected_without_its_extras():
    here = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-c", COLLECT, str(here)], cwd=here.parents[1], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-2000:]
    assert "browser/test_layout.py" in run.stdout
