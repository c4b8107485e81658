"""Reading figures: of everyone, of some customers, of one; for a number of days. What it costs does not grow with what happened."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Subquery, Sum, Value
from django.db.models.functions import Coalesce, TruncDay, TruncHour

from apps.core.owned import OwnedQuerySet
from apps.figures import latency
from apps.figures.counters import COUNTERS
from apps.figures.counting import HOUR, beginning_of_hour, hours
from apps.figures.models import EVERYONE, CountedHour, FigureKind, HourlyFigure

Customers = Collection[UUID] | None  # None: everyone
Counted = Sequence[tuple[str, datetime, datetime]]


@dataclass(frozen=True)
class Span:
    """Whole days (UTC), of which the last is not over: from `since` to `until`, in steps of an hour or a day."""

    since: datetime
    until: datetime

    @classmethod
    def of_days(cls, days: int, *, now: datetime) -> "Span":
        """Today and the days before it."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(today - timedelta(days=days - 1), now)

    @property
    def step(self) -> timedelta:
        return HOUR if self.until - self.since <= timedelta(days=1) else timedelta(days=1)

    def steps(self) -> Iterator[datetime]:
        """The beginnings of the steps."""
        moment = self.since
        while moment <= self.until:
            yield moment
            moment += self.step


@dataclass(frozen=True)
class Figures:
    """What was counted in a span. `missing`: hours nobody has counted yet.

    `counted_at`: up to when, by the name of the counter; before the span if nothing of it is counted yet.
    """

    span: Span
    counts: dict[tuple[datetime, str, str], int] = field(repr=False)  # by the step's beginning, kind and label
    counted_at: dict[str, datetime]
    missing: int

    def total(self, kind: FigureKind) -> int:
        return sum(count for (_, found, _), count in self.counts.items() if found == kind)

    def by_label(self, kind: FigureKind) -> dict[str, int]:
        """The most frequent first."""
        totals: dict[str, int] = defaultdict(int)
        for (_, found, label), count in self.counts.items():
            if found == kind:
                totals[label] += count
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def by_step(self, kind: FigureKind) -> list[int]:
        """One number for each of the span's steps."""
        totals: dict[datetime, int] = defaultdict(int)
        for (moment, found, _), count in self.counts.items():
            if found == kind:
                totals[moment] += count
        return [totals[moment] for moment in self.span.steps()]

    def time_to_mail(self, share: float) -> float | None:
        """The seconds within which this share of all mails was accepted by a server; None if none was."""
        histogram = {int(label): count for label, count in self.by_label(FigureKind.MAIL_TIME).items()}
        return latency.quantile(histogram, share)

    def until(self, counter: str) -> datetime:
        """Rows from before this moment are counted."""
        return max(self.counted_at.get(counter, self.span.since), self.span.since)


def read(span: Span, customers: Customers) -> Figures:
    """The figures of these customers together; None: of everyone. Two statements."""
    counted = _counted(span)
    return Figures(span, _counts(span, customers), _counted_until(counted), _missing(counted, span))


def sessions_at(moment: datetime | None, customers: Customers) -> int:
    """How many sessions were alive at the moment when they were last counted. None: they never were."""
    if moment is None:
        return 0
    rows = _rows(customers).filter(hour=beginning_of_hour(moment), kind=FigureKind.SESSION)
    return rows.aggregate(total=Sum("count"))["total"] or 0


def _rows(customers: Customers) -> OwnedQuerySet[HourlyFigure]:
    return HourlyFigure.objects.filter(customer_id__in=[EVERYONE] if customers is None else customers)


def _counts(span: Span, customers: Customers) -> dict[tuple[datetime, str, str], int]:
    step = TruncHour if span.step == HOUR else TruncDay
    rows = _rows(customers).filter(hour__gte=span.since, hour__lte=span.until).exclude(kind=FigureKind.SESSION)
    found = rows.annotate(step=step("hour", tzinfo=UTC)).values_list("step", "kind", "label").annotate(Sum("count"))
    return {(moment, kind, label): count for moment, kind, label, count in found}


def _counted(span: Span) -> list[tuple[str, datetime, datetime]]:
    """Counter, hour, and up to when it is counted; the newest last.

    Begins with the last hour before the span: right after midnight nothing of today is counted, and all the same the
    counting does not stand still.
    """
    before = CountedHour.objects.filter(hour__lt=span.since).order_by("-hour").values("hour")[:1]
    since = Coalesce(Subquery(before), Value(span.since))
    rows = CountedHour.objects.filter(hour__gte=since, hour__lte=span.until).order_by("hour")
    return list(rows.values_list("counter", "hour", "counted_at"))


def _counted_until(counted: Counted) -> dict[str, datetime]:
    return {counter: min(counted_at, hour + HOUR) for counter, hour, counted_at in counted}


def _missing(counted: Counted, span: Span) -> int:
    """Hours that are over, and that some counter has not counted to their end."""
    over = set(hours(span.since - HOUR, span.until - HOUR))
    of_the_past = [counter.name for counter in COUNTERS if not counter.only_now]
    whole = [{hour for found, hour, at in counted if found == name and at >= hour + HOUR} for name in of_the_past]
    return len({hour for hour in over if not all(hour in known for known in whole)})
