from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_every_reader_refuses_every_hostile_file_in_one_line(tmp_path):
    script = Path(__file__).with_name("hostile.py")
    room = {**os.environ, "RFSIM_CACHE": str(tmp_path / ".cache")}
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=room, capture_output=True, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["trials"] > 1000
    assert not found["wrong"], json.dumps(found["wrong"], indent=1)[:5000]
