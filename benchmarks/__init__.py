"""Benchmarks: each is a ratio of two ways, measured side by side in one run, since absolute numbers say more about the machine."""
