"""`python -m rfsim`."""

import sys

from rfsim.cli import main

if __name__ == "__main__":
    sys.exit(main())
