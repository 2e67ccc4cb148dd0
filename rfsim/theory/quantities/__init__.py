"""The front door of the theory: one function per quantity, `Problem` → `xarray.Dataset`, as `rfsim.theory.*`."""
