"""A customer's server asks what a token is worth: `POST /api/auth/introspect` (RFC 7662), against bare DRF."""

from benchmarks.bare.subjects import BareDrf
from benchmarks.bench import Bench
from benchmarks.table import Row, row

TITLE = "Introspection"


def run(bench: Bench) -> list[Row]:
    drf = bench.subject(BareDrf)
    ways = {
        BareDrf.name: bench.repeating(bench.serve(drf), drf.who_am_i()),
        "ours": bench.repeating(bench.serve(bench.ours), bench.ours.introspection()),
    }
    samples = bench.in_turns(ways)
    return [
        row(BareDrf.name, BareDrf.title, samples[BareDrf.name]),
        row("ours", "Gatehouse: introspect, warm", samples["ours"], drf=samples[BareDrf.name]),
    ]
