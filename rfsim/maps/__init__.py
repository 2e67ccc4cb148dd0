"""Reading a sweep: its names, slices, lines and views, and the forms in which it leaves."""
