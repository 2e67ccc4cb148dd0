"""`python -m rfsim.bench`: a first run on an accelerator, and the table of the documentation."""

from __future__ import annotations

import argparse
import json
import sys

from rfsim import bench
from rfsim.bench import device
from rfsim.bench.table import table


def main(given: list[str] | None = None) -> int:
    """Do what is asked on the command line.

    Args:
        given: Its words; those of this process by default.

    Returns:
        The exit status: 1 where a number deviates from the stored one or a part failed.
    """
    parser = argparse.ArgumentParser(prog="python -m rfsim.bench", description=__doc__, allow_abbrev=False)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--device", action="store_true", help="tests, numbers and rates of this device, as JSON")
    what.add_argument("--table", action="store_true", help="all rows of `rfsim bench` as a table in Markdown")
    parser.add_argument("--size", choices=device.SIZES, default="full", help="of --device")
    parser.add_argument("--record", action="store_true", help="store the numbers of --device, on a CPU")
    parser.add_argument("names", nargs="*", help="of parts or of rows; all by default")
    asked = parser.parse_args(given)
    if asked.table:
        print(table(bench.run(asked.names)))
        return 0
    known = device.Work(device.SIZES[asked.size]).parts
    for name in asked.names:
        if name not in known:
            parser.error(f"unknown part {name!r}; choose among {', '.join(known)}")
    tell = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    report, wrong = device.run(asked.size, tell, record=asked.record, only=tuple(asked.names))
    print(json.dumps(report, indent=1))
    for line in wrong:
        tell(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
