"""Every parameter and every quantity, each declared once: what the command line, sweeps, figures and pages derive from.

A file of this room declares one quantity, with references to its functions as text, so that nothing here loads NumPy or
JAX; `catalog` finds every file by itself.
"""
