"""The peers, in the order of the table."""

from benchmarks.subject import SignsIn

PEERS: tuple[type[SignsIn], ...] = ()
