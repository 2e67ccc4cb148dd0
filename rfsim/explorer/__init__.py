"""The explorer: an interactive page over the theory and over distillation. It shows what public functions compute."""
