"""A proxy asks whether a request may pass: `GET /verify`, answered 204 with who it is, against the bare view."""

from benchmarks.bare.subjects import BareDrf, BareView
from benchmarks.bench import Bench
from benchmarks.table import Row, row

TITLE = "Forward auth"


def run(bench: Bench) -> list[Row]:
    baselines = [bench.subject(kind) for kind in (BareDrf, BareView)]
    ways = {one.name: bench.repeating(bench.serve(one), one.who_am_i()) for one in baselines}
    ways["ours"] = bench.repeating(bench.serve(bench.ours), bench.ours.forward_auth())
    samples = bench.in_turns(ways)
    drf, view = samples[BareDrf.name], samples[BareView.name]
    titles = {one.name: one.title for one in baselines} | {"ours": "Gatehouse: GET /verify, warm"}
    return [row(name, titles[name], measured, drf=drf, view=view) for name, measured in samples.items()]
