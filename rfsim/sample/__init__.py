"""Finite d: moments exact in the noise, and spectra of what they make."""
