"""Two workers against one, of the same service on the same machine: the gain.

The load generator needs a part of the machine, too. On two cores the gain in requests/s is therefore less than the workers alone
could give; that a request costs two workers no more CPU than one is what carries over to more cores.
"""

from benchmarks.bench import Bench
from benchmarks.rounds import Sample, Spread
from benchmarks.table import Row, row

TITLE = "Two workers against one"
WORKERS = (1, 2)


def run(bench: Bench) -> list[Row]:
    ours = bench.ours
    servers = {count: bench.serve(ours, ours.application(workers=count), name=f"workers-{count}") for count in WORKERS}
    requests = ours.who_am_i()
    samples = bench.in_turns({str(count): bench.repeating(server, requests) for count, server in servers.items()})
    one, two = (samples[str(count)] for count in WORKERS)
    return [
        row("one", "Gatehouse: who am I, one worker", one),
        row("two", "Gatehouse: who am I, two workers", two, beside=_gain(one, two)),
    ]


def _gain(one: list[Sample], two: list[Sample]) -> dict[str, float]:
    pairs = list(zip(one, two, strict=True))
    return {
        "times the requests/s of one": Spread.of([b.per_second / a.per_second for a, b in pairs]).median,
        "times its requests per CPU second": Spread.of([b.per_cpu_second / a.per_cpu_second for a, b in pairs]).median,
    }
