"""Exit statuses of the command line; 1 is a bug."""

from rfsim.computing import interrupts

DONE, REFUSED, UNCONVERGED, INTERRUPTED = 0, 2, 3, interrupts.STATUS
