"""What `make bench` measures: everything in one run on one machine, the ways that are compared side by side, in turns.

Wall time says more about the machine and its other users than about the code, so each figure is also given for a second of
CPU time of the serving process. docs/performance.md explains the figures.
"""
