"""What the doors share: a run's sizes and seeds, labelled datasets, arrays whose halves differ."""
