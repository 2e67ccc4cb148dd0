"""Where the tasks of a sweep run: in this process, in processes on this machine, or behind dask's scheduler."""
