"""Code out, code in: a code is asked for, sent by mail, and signs in; then the tokens are refreshed, and the user signs out.

Every request is good for one call, so each step is a fixed number of calls, measured by itself. PostgreSQL commits with fsync.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.bare.subjects import BareDrf
from benchmarks.bench import Bench
from benchmarks.peers import everyone
from benchmarks.rounds import Sample, ratio
from benchmarks.servers import Server
from benchmarks.subject import Phase, SignsIn
from benchmarks.table import TIMES, Row, row

TITLE = "Code out, code in"

Ways = dict[str, Callable[[], Sample]]


def run(bench: Bench) -> list[Row]:
    """A row for each step, and one for both that make a sign-in: out and in."""
    everyone.install(bench)
    drf = BareDrf(bench.engines)
    server, requests = bench.serve(drf), drf.who_am_i()
    peers = [kind(bench.engines) for kind in everyone.PEERS if bench.wants(kind.name)]
    journeys = [_Journey(bench, one) for one in ([bench.ours] if bench.wants(bench.ours.name) else []) + peers]
    ways: Ways = {BareDrf.name: lambda: bench.measure(server, requests)}
    for journey in journeys:
        ways |= journey.ways()
    samples = bench.in_turns(ways)
    rows = [row(BareDrf.name, BareDrf.title, samples[BareDrf.name])]
    ours = journeys[0].sign_ins(samples) if bench.wants(bench.ours.name) else None
    for journey in journeys:
        rows += journey.rows(samples, samples[BareDrf.name], ours)
    return rows


class _Journey:
    """One application's steps, in their order: what the one was answered is what the next is made from."""

    def __init__(self, bench: Bench, subject: SignsIn) -> None:
        self._bench = bench
        self._subject = subject
        self._server: Server = bench.serve(subject)
        self._phases = subject.phases()

    def ways(self) -> Ways:
        befores = [None, *self._phases]
        return {
            self._key(phase): self._way(phase, before) for phase, before in zip(self._phases, befores, strict=False)
        }

    def rows(
        self, samples: Mapping[str, Sequence[Sample]], drf: Sequence[Sample], ours: Sequence[Sample] | None
    ) -> list[Row]:
        """`ours`: Gatehouse's sign-ins, if they are measured, to compare with."""
        steps = self._phases if len(self._phases) > 1 else ()
        rows = [self._row(phase.name, phase.name, samples[self._key(phase)], drf) for phase in steps]
        together = self.sign_ins(samples)
        compares = self._subject.is_by_code and ours != together
        against = {TIMES: ratio(ours, together).median} if ours and compares else {}
        return [*rows, self._row("sign-in", self._subject.sign_in, together, drf, against)]

    def sign_ins(self, samples: Mapping[str, Sequence[Sample]]) -> list[Sample]:
        """All steps that make one sign-in, as one call."""
        steps = [samples[self._key(phase)] for phase in self._phases if phase.is_sign_in]
        return [_together(one_round) for one_round in zip(*steps, strict=True)]

    def _row(
        self,
        name: str,
        title: str,
        samples: Sequence[Sample],
        drf: Sequence[Sample],
        beside: Mapping[str, float] | None = None,
    ) -> Row:
        cost = {**(beside or {}), **_cost(samples)}
        full_name, full_title = f"{self._subject.name}/{name}", f"{self._subject.title}: {title}"
        return row(full_name, full_title, samples, drf=drf, beside=cost)

    def _way(self, phase: Phase, before: Phase | None) -> Callable[[], Sample]:
        def measure() -> Sample:
            requests = phase.prepare(self._bench.calls, self._answers(before) if before else None)
            sample = self._bench.measure(self._server, requests, answers=self._answers(phase))
            phase.check(sample.calls)
            return sample

        return measure

    def _key(self, phase: Phase) -> str:
        return f"{self._subject.name}/{phase.name}"

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
