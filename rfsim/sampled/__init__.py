"""The doors of a sample: one function for each quantity, `Problem` → `xarray.Dataset`."""
