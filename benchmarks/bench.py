"""One run: its engines, the applications that are up, and how long each is measured. The jobs work with it."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

from benchmarks import load
from benchmarks.engines import Engines
from benchmarks.gatehouse.subjects import Gatehouse
from benchmarks.load import LoadFailed, Requests
from benchmarks.rounds import Sample
from benchmarks.servers import Application, Server
from benchmarks.subject import Subject

CALLS = 150  # of each step and round whose requests are good once, unless the command says another number
LONGEST_PHASE_SECONDS = 120
AnySubject = TypeVar("AnySubject", bound=Subject)


@dataclass
class Bench:
    """`only`: names of the rows that are wanted; empty for all. `calls`: of a phase whose requests are good once."""

    engines: Engines
    rounds: int
    seconds: float
    calls: int
    only: frozenset[str] = frozenset()
    say: Callable[[str], None] = print
    is_full: bool = False  # whether a database grows to all that it can
    _running: ExitStack = field(default_factory=ExitStack)
    _subjects: dict[type[Subject], Subject] = field(default_factory=dict)

    @cached_property
    def ours(self) -> Gatehouse:
        """One installation for all jobs."""
        return Gatehouse(self.engines)

    def subject(self, kind: type[AnySubject]) -> AnySubject:
        """The one of this kind: all jobs share it, and it is set up once."""
        if kind not in self._subjects:
            self._subjects[kind] = kind(self.engines)
        return cast("AnySubject", self._subjects[kind])

    def wants(self, name: str) -> bool:
        return not self.only or name in self.only

    def serve(self, subject: Subject, application: Application | None = None, *, name: str = "") -> Server:
        """Until the job ends."""
        self.say(f"  starting {name or subject.name} …")
        log = subject.folder / f"{name or subject.name}.log"
        server = self._running.enter_context(Server(application or subject.application(), log=log))
        subject.url = server.url
        return server

    def measure(
        self, server: Server, requests: Requests, *, answers: Path | None = None, seconds: float | None = None
    ) -> Sample:
        """One round against this server. With `answers`, requests that are good once are all sent, however long that takes."""
        cpu, spent = server.cpu_seconds(), self.engines.spent()
        lasts = LONGEST_PHASE_SECONDS if requests.once and answers else seconds or self.seconds
        try:
            answered = load.send(server.url, requests, seconds=lasts, answers=answers)
        except LoadFailed as failure:
            raise LoadFailed(f"{failure}\nWhat the server says is in {server.log}") from failure
        used, cost = server.cpu_seconds() - cpu, self.engines.spent() - spent
        return Sample(answered.count, answered.seconds, used, vars(cost))

    def repeating(self, server: Server, requests: Requests) -> Callable[[], Sample]:
        """A way that sends the same requests in every round."""
        return lambda: self.measure(server, requests)

    def in_turns(self, ways: Mapping[str, Callable[[], Sample]], *, most: int | None = None) -> dict[str, list[Sample]]:
        """Each way once a round, after one round that warms up and is thrown away. `most`: rounds, if fewer than are wanted do."""
        self.say("  warming up …")
        for measure in ways.values():
            measure()
        samples: dict[str, list[Sample]] = {name: [] for name in ways}
        rounds = min(self.rounds, most or self.rounds)
        for number in range(rounds):
            began = time.monotonic()
            for name, measure in ways.items():
                samples[name].append(measure())
            self.say(f"  round {number + 1} of {rounds} ({time.monotonic() - began:.0f} s)")
        return samples

    def end_job(self) -> None:
        """Every server that the job has started ends."""
        self._running.close()
