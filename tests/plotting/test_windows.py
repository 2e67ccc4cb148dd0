"""Figures are shown where a user shows figures: by `plt.show()` in a script, once in a notebook, nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

MAKE = "from tests.plotting.synthetic import density, sample; from tests.sweeps.synthetic import sampled; import rfsim"
CELLS = {  # and how many pictures each shows
    "rfsim.plot(data)": 1,
    "rfsim.plot(data); plt.show()": 1,
    "figure = rfsim.plot(data)": 1,
    "figure = rfsim.plot(data); figure.axes[0].set_title('mine'); figure": 1,
    "figure, axes = rfsim.plotting.canvas(); rfsim.plot(data, ax=axes[0, 0])": 1,
    "figure": 1,
    "1": 0,
}


def said(code: str, backend: str) -> list[str]:
    """What a program prints, with its figures in this backend."""
    environment = os.environ | {"MPLBACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_show_shows_what_was_drawn_since_pyplot_is_there_and_in_no_other_thread():
    code = f"""
import gc, io, threading, weakref
{MAKE}
before = weakref.ref(rfsim.plot(density()))
gc.collect()
print(before())
import matplotlib.pyplot as plt
rfsim.plot(density()); rfsim.plot(sampled(), x="seed"); rfsim.plot(sample(), panel="gap"); rfsim.plotting.canvas()
drawing = threading.Thread(target=lambda: rfsim.plot(density()))
drawing.start(); drawing.join()
plt.show()
figure, ax = plt.subplots()
rfsim.plot(density(), ax=ax)
plt.show()
figure = rfsim.plot(density(), style="talk")
image = io.BytesIO()
figure.canvas.print_figure(image, format="svg")
print(plt.gcf() is figure, image.tell() > 1000)
"""
    assert said(code, "module://tests.plotting.window_backend") == ["None", "shown 4", "shown 5", "True True"]


def test_a_backend_that_shows_nothing_keeps_nothing():
    code = f"import matplotlib.pyplot as plt\n{MAKE}\nfigure = rfsim.plot(density())\nprint(plt.get_fignums())"
    assert said(code, "agg") == ["[]"]


@pytest.mark.slow
def test_a_notebook_shows_a_figure_once():
    code = f"""
import json
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell, shown = InteractiveShell.instance(), []
shell.displayhook.write_format_data = lambda found, metadata=None: shown.append(found)
for line in ("import matplotlib.pyplot as plt", {MAKE!r}, "data = density()"):
    assert shell.run_cell(line).success
counts = []
for cell in json.loads({json.dumps(json.dumps(list(CELLS)))}):
    shown.clear()
    with capture_output() as published:
        assert shell.run_cell(cell).success
    shown += [one.data for one in published.outputs]
    counts.append(sum("image/png" in one for one in shown))
print(counts)
"""
    assert said(code, "module://matplotlib_inline.backend_inline") == [str(list(CELLS.values()))]
