"""Counting hours: an hour's rows are counted as a whole, and what was counted before is replaced.

So counting an hour twice does no harm, an hour that was missed is counted later, and rows that come late, or change, are found
when their hour is counted again: every time while they are likely to, then ever more seldom.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.core import advisory_locks, batches, patience
from apps.figures.counters import COUNTERS, Counter
from apps.figures.models import EVERYONE, CountedHour, HourlyFigure

HOUR = timedelta(hours=1)
NEVER = datetime.min.replace(tzinfo=UTC)
KEPT = timedelta(days=35)
# A code lives for an hour at most, a mail is tried for two days, and after that little changes but by erasure.
AGES = (
    (timedelta(hours=2), timedelta(0)),
    (timedelta(days=3), timedelta(minutes=30)),
    (KEPT, timedelta(days=1)),
)
SHARE = 20  # an hour is left alone for this many times as long as counting it took

# What is no longer so goes, what is the same is left alone, and the rest is written: all in one statement. Events of deleted
# customers stay and count for everyone; figures of their own would come back.
REPLACE = """
WITH fresh AS (
    SELECT CASE WHEN grouping(customer_id) = 1 THEN %(everyone)s ELSE customer_id END AS customer_id,
           kind, left(label, 160) AS label, count(*) AS count
    FROM ({rows}) AS counted
    GROUP BY GROUPING SETS ((customer_id, kind, left(label, 160)), (kind, left(label, 160)))
    HAVING grouping(customer_id) = 1 OR (
        customer_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM customers_customerdeletion AS deleted WHERE deleted.id = customer_id)
    )
), gone AS (
    DELETE FROM figures_hourlyfigure AS old
    WHERE old.hour = %(hour)s AND old.kind = ANY(%(kinds)s) AND NOT EXISTS (
        SELECT 1 FROM fresh
        WHERE fresh.customer_id = old.customer_id AND fresh.kind = old.kind AND fresh.label = old.label
    )
)
INSERT INTO figures_hourlyfigure AS old (customer_id, hour, kind, label, count)
SELECT customer_id, %(hour)s, kind, label, count FROM fresh
ON CONFLICT (customer_id, hour, kind, label) DO UPDATE SET count = excluded.count WHERE old.count <> excluded.count
"""


def count_due(*, now: datetime, until: float) -> int:
    """Count the hours that are due until time.monotonic() says so. Returns how many.

    Those that nobody has counted come first, the newest of them before others; then those counted longest ago. So every hour
    has its turn, however few of them a run manages.
    """
    waiting = [(counter, hour, at) for counter in COUNTERS for hour, at in due(counter, now=now).items()]
    waiting.sort(key=lambda entry: entry[1], reverse=True)
    waiting.sort(key=lambda entry: entry[2] or NEVER)
    for number, (counter, hour, _) in enumerate(waiting):
        if number and time.monotonic() >= until:
            return number
        count(counter, hour=hour, now=now)
    return len(waiting)


def due(counter: Counter, *, now: datetime) -> dict[datetime, datetime | None]:
    """The hours that this counter should count now, each with when it was last counted."""
    known = {row.hour: row for row in CountedHour.objects.filter(counter=counter.name, hour__gt=now - KEPT)}
    found: dict[datetime, datetime | None] = {}
    for hour in hours(now - KEPT, now, only_last=counter.only_now):
        row = known.get(hour)
        if row is None or now - row.counted_at >= _rest(counter, row, now):
            found[hour] = row.counted_at if row else None
    return found


def hours(since: datetime, until: datetime, *, only_last: bool = False) -> Iterator[datetime]:
    """The beginnings of the hours between the two, the newest first."""
    hour = beginning_of_hour(until)
    while hour > since:
        yield hour
        if only_last:
            return
        hour -= HOUR


def beginning_of_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _rest(counter: Counter, row: CountedHour, now: datetime) -> timedelta:
    """How long to leave an hour alone that was counted. One that was counted before its end is due soon."""
    age = now - (row.hour + HOUR)
    seldom = next((rest for oldest, rest in AGES if age < oldest), KEPT)
    was_whole = row.counted_at >= row.hour + HOUR
    return max(seldom if was_whole else timedelta(0), counter.rests, timedelta(seconds=row.seconds * SHARE))


def count(counter: Counter, *, hour: datetime, now: datetime) -> None:
    """Count one hour up to `now`, in the place of what was counted before.

    Of two workers at once the second waits, and leaves alone what has been counted up to a later moment.
    """
    began = time.monotonic()
    counted_at = now if counter.only_now else min(now, hour + HOUR)
    facts: dict[str, Any] = {
        "everyone": EVERYONE,
        "hour": hour,
        "kinds": [kind.value for kind in counter.kinds],
        "since": hour,
        "until": counted_at,
    }
    with transaction.atomic():
        patience.take_time()  # sessions alive are counted one by one: ten seconds would do for some eight million
        advisory_locks.take_turns(f"figures {counter.name}")
        known = CountedHour.objects.filter(counter=counter.name, hour=hour)
        if known.filter(counted_at__gt=now).exists():
            return
        with connection.cursor() as cursor:
            cursor.execute(REPLACE.format(rows=counter.rows), facts)
        seconds = time.monotonic() - began
        _note(CountedHour(counter=counter.name, hour=hour, counted_at=now, seconds=seconds))


def _note(row: CountedHour) -> None:
    CountedHour.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["counter", "hour"], update_fields=["counted_at", "seconds"]
    )


def remove_old(*, now: datetime) -> int:
    """Delete figures that nobody asks for any more. Returns how many rows."""
    old = now - KEPT
    return batches.delete(HourlyFigure.objects.filter(hour__lte=old), by="hour") + batches.delete(
        CountedHour.objects.filter(hour__lte=old), by="hour"
    )
