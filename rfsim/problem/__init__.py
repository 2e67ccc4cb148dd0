"""What is asked: the problem, its populations and activations, diffusion, the parts of U by rank."""
