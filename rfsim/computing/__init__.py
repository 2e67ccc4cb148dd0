"""How and where: float64, memory, threads, devices, decompositions counted, numerics that know no physics, Ctrl-C."""
