"""Learning curves of the limit as a labelled result: losses, timescales, energies and terms by part."""

from __future__ import annotations
