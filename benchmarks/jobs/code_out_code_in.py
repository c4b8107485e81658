"""Code out, code in: a code is asked for, sent by mail, and signs in; then the tokens are refreshed, and the user signs out.

Every request is good for one call, so each step is a fixed number of calls, measured by itself. PostgreSQL commits with fsync.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.bare.subjects import BareDrf
from benchmarks.bench import Bench
from benchmarks.gatehouse.subjects import Gatehouse
from benchmarks.peers import everyone
from benchmarks.rounds import Sample
from benchmarks.servers import Server
from benchmarks.simplejwt.subjects import WithBlacklist
from benchmarks.subject import Phase, SignsIn
from benchmarks.table import Row, row

TITLE = "Code out, code in"

Ways = dict[str, Callable[[], Sample]]


def run(bench: Bench) -> list[Row]:
    """A row for each step, and one for both that make a sign-in: out and in."""
    peers: list[SignsIn] = [*everyone.ready(bench)]
    if bench.wants(WithBlacklist.name):
        peers = [bench.subject(WithBlacklist), *peers]
    plain = bench.subject(BareDrf)
    journeys = [Journey(bench, one) for one in ([bench.ours] if bench.wants(bench.ours.name) else []) + peers]
    ways: Ways = {BareDrf.name: bench.repeating(bench.serve(plain), plain.who_am_i())}
    for journey in journeys:
        ways |= journey.ways()
    samples = bench.in_turns(ways)
    drf = samples[BareDrf.name]
    return [
        row(BareDrf.name, BareDrf.title, drf),
        *(one for journey in journeys for one in journey.rows(samples, drf)),
        *_sign_ins(journeys, samples, drf),
    ]


def _sign_ins(
    journeys: Sequence["Journey"], samples: Mapping[str, Sequence[Sample]], drf: Sequence[Sample]
) -> list[Row]:
    """All steps of each together. What is no sign-in by code is not compared with one."""
    whole = {journey.name: journey.sign_ins(samples) for journey in journeys}
    ours = whole.get(Gatehouse.name)
    return [
        row(
            f"{journey.name}/sign-in",
            f"{journey.title}: {journey.sign_in}",
            whole[journey.name],
            drf=drf,
            ours=ours if journey.is_by_code and journey.name != Gatehouse.name else None,
            beside=_cost(whole[journey.name]),
        )
        for journey in journeys
    ]


class Journey:
    """One application's steps, in their order: what the one was answered is what the next is made from."""

    def __init__(self, bench: Bench, subject: SignsIn) -> None:
        self.name, self.title = subject.name, subject.title
        self.sign_in, self.is_by_code = subject.sign_in, subject.is_by_code
        self._bench = bench
        self._subject = subject
        self._server: Server = bench.serve(subject)
        self._phases = subject.phases()

    def ways(self) -> Ways:
        befores = [None, *self._phases]
        return {
            self._key(phase): self._way(phase, before) for phase, before in zip(self._phases, befores, strict=False)
        }

    def rows(self, samples: Mapping[str, Sequence[Sample]], drf: Sequence[Sample]) -> list[Row]:
        """Of each step, unless there is one alone."""
        steps = self._phases if len(self._phases) > 1 else ()
        return [
            row(self._key(phase), f"{self.title}: {phase.name}", measured, drf=drf, beside=_cost(measured))
            for phase in steps
            for measured in [samples[self._key(phase)]]
        ]

    def sign_ins(self, samples: Mapping[str, Sequence[Sample]]) -> list[Sample]:
        """The steps that make a sign-in, as one call."""
        steps = (samples[self._key(phase)] for phase in self._phases if phase.is_sign_in)
        return [_together(one_round) for one_round in zip(*steps, strict=True)]

    def _way(self, phase: Phase, before: Phase | None) -> Callable[[], Sample]:
        def measure() -> Sample:
            requests = phase.prepare(self._bench.calls, self._answers(before) if before else None)
            sample = self._bench.measure(self._server, requests, answers=self._answers(phase))
            phase.check(sample.calls)
            return sample

        return measure

    def _key(self, phase: Phase) -> str:
        return f"{self.name}/{phase.name}"

    def _answers(self, phase: Phase) -> Path:
        return self._subject.folder / f"{phase.name}.answers"


def _together(steps: Sequence[Sample]) -> Sample:
    """Steps that each user has gone through, one after the other, as one call."""
    extra = {name: sum(one.extra[name] for one in steps) for name in steps[0].extra}
    return Sample(steps[0].calls, sum(one.seconds for one in steps), sum(one.cpu_seconds for one in steps), extra)


def _cost(samples: Sequence[Sample]) -> dict[str, float]:
    """What a call costs beside the serving process, in the median round."""
    return {
        "PostgreSQL CPU µs": _median(samples, "postgres_seconds") * 1e6,
        "Valkey CPU µs": _median(samples, "valkey_seconds") * 1e6,
        "WAL bytes": _median(samples, "wal_bytes"),
        "writing transactions": _median(samples, "writing_transactions"),
    }


def _median(samples: Sequence[Sample], name: str) -> float:
    return statistics.median(one.extra[name] / one.calls for one in samples)
