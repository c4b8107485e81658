"""Who am I: an authenticated request, `GET /api/auth/me`, against the baselines and against others' ways to do it."""

from collections.abc import Callable

from benchmarks.bare.subjects import BareDrf, BareView
from benchmarks.bench import Bench
from benchmarks.load import Requests
from benchmarks.peers import everyone
from benchmarks.rounds import Sample
from benchmarks.servers import Server
from benchmarks.simplejwt.subjects import Stateless, WithBlacklist, WithUser
from benchmarks.subject import Subject
from benchmarks.table import Row, row

TITLE = "Who am I"
OTHERS: tuple[type[Subject], ...] = (Stateless, WithUser, WithBlacklist, *everyone.PEERS)
KINDS: tuple[type[Subject], ...] = (BareDrf, BareView, *OTHERS)
OURS = {
    "ours": "Gatehouse, warm: tokens that the process knows",
    "ours_new_tokens": "Gatehouse, cold: every token new",
    "ours_new_users": "Gatehouse, colder: every token of a new user (one query)",
}
FIRST_COLD_CALLS = 500

Ways = dict[str, Callable[[], Sample]]


def run(bench: Bench) -> list[Row]:
    titles: dict[str, str] = {}
    ways: Ways = {}
    everyone.ready(bench)
    for kind in KINDS:
        if bench.wants(kind.name):
            titles[kind.name], ways[kind.name] = kind.title, _way(bench, bench.subject(kind))
    if wanted := {name: title for name, title in OURS.items() if bench.wants(name)}:
        titles |= wanted
        ours = _ways_of_ours(bench)
        ways |= {name: ours[name] for name in wanted}
    samples = bench.in_turns(ways)
    compared = {kind.name for kind in OTHERS}
    drf, view = samples.get(BareDrf.name), samples.get(BareView.name)
    return [
        row(name, titles[name], measured, drf=drf, view=view, ours=samples.get("ours") if name in compared else None)
        for name, measured in samples.items()
    ]


def _way(bench: Bench, subject: Subject) -> Callable[[], Sample]:
    server = bench.serve(subject)
    return bench.repeating(server, subject.who_am_i())


def _ways_of_ours(bench: Bench) -> Ways:
    ours, server = bench.ours, bench.serve(bench.ours)
    requests = ours.who_am_i()
    return {
        "ours": bench.repeating(server, requests),
        "ours_new_tokens": _cold(bench, server, ours.with_new_tokens),
        "ours_new_users": _cold(bench, server, ours.of_new_users),
    }


def _cold(bench: Bench, server: Server, prepare: Callable[[int], Requests]) -> Callable[[], Sample]:
    """Requests that are good once, anew for each round: more than the last round's rate would need."""
    count = FIRST_COLD_CALLS

    def measure() -> Sample:
        nonlocal count
        sample = bench.measure(server, prepare(count))
        count = int(1.5 * sample.per_second * bench.seconds)
        return sample

    return measure
