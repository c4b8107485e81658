"""What one round found, and the medians of all rounds with their spread."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of all rounds, and the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Sample:
    """One round of one way: how many calls, in what wall time, for what CPU time; `extra`: what else they cost, all together."""

    calls: int
    seconds: float
    cpu_seconds: float
    extra: Mapping[str, float]

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.calls / max(self.cpu_seconds, 0.001)


def ratio(of: Sequence[Sample], to: Sequence[Sample]) -> Spread:
    """Calls per CPU second, each round's against the same round's."""
    return Spread.of([one.per_cpu_second / other.per_cpu_second for one, other in zip(of, to, strict=True)])
