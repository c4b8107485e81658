"""One module per environment; `base` holds what they share. Environments differ in nothing else."""
