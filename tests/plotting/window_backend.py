"""A backend of matplotlib with windows, which are counted: `plt.show()` prints how many it shows."""

from __future__ import annotations

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg


class Manager(FigureManagerBase):
    @classmethod
    def pyplot_show(cls, *, block=None):
        from matplotlib import pyplot

        print(f"shown {len(pyplot.get_fignums())}")


class FigureCanvas(FigureCanvasAgg):
    manager_class = Manager
