"""One of several processes with a CPU each; run as `python -m tests.devices.processes CASE…`, process 0 prints JSON.

The others are found as `parallel.join` does. Gloo prints lines of its own before that one.
"""

from __future__ import annotations

import json
import sys

import jax

from rfsim.computing import parallel
from tests.devices import cases


def main(names: list[str]) -> None:
    parallel.join()
    layout = parallel.layout(None, cases.FEATURES)
    found = {
        "differences": cases.differences(layout, names),
        "layout": [layout.count, layout.processes, layout.devices],
        "local": jax.local_device_count(),
    }
    if parallel.leads():
        print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
