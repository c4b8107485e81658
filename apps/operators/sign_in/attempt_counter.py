"""Counts attempts in PostgreSQL: operators need the admin most when Valkey is away.

Each limit has a window of its own, which begins with its first attempt. Any number of attempts at once are counted exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F

from apps.core import ciphers
from apps.core.rate_limits import Limit
from apps.operators.models import AttemptCount

REMOVED_AT_ONCE = 100  # rows of ended windows, removed at each attempt, which adds at most four

# One statement decides between any number of attempts. Rows are written in the order of their keys: two attempts never wait for
# each other.
_COUNT = """
INSERT INTO operators_attemptcount AS kept (key, count, ends_at) VALUES {rows}
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN kept.ends_at <= statement_timestamp() THEN 1 ELSE kept.count + 1 END,
  ends_at = CASE WHEN kept.ends_at <= statement_timestamp() THEN excluded.ends_at ELSE kept.ends_at END
RETURNING key, count
"""
_ROW = "(%s, 1, statement_timestamp() + %s)"
_REMOVE_ENDED = """
DELETE FROM operators_attemptcount WHERE key IN (
  SELECT key FROM operators_attemptcount WHERE ends_at <= statement_timestamp()
  ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True)
class Counted:
    """How many attempts count against each limit in its present window, with this one."""

    counts: Mapping[Limit, int]
    keys: Mapping[Limit, bytes]

    def __add__(self, other: "Counted") -> "Counted":
        return Counted({**self.counts, **other.counts}, {**self.keys, **other.keys})

    def over(self, limit: Limit) -> bool:
        return self.counts.get(limit, 0) > limit.count

    def just_over(self, limit: Limit) -> bool:
        """True for exactly one attempt in a window, however many come at once."""
        return self.counts.get(limit, 0) == limit.count + 1

    def give_back(self) -> None:
        """Take this attempt back, since it was right. One row at a time: two of these never wait for each other."""
        for key in self.keys.values():
            AttemptCount.objects.filter(key=key, count__gt=0).update(count=F("count") - 1)


def count(subjects: Mapping[Limit, Sequence[str]]) -> Counted:
    """Count one attempt against each limit. `subjects`: what a limit counts by. Do not call it within a transaction."""
    keys = {limit: _key(limit, subject) for limit, subject in subjects.items()}
    counts = _count({key: timedelta(seconds=limit.window) for limit, key in keys.items()})
    return Counted({limit: counts[key] for limit, key in keys.items()}, keys)


def _count(windows: Mapping[bytes, timedelta]) -> dict[bytes, int]:
    values: list[Any] = [value for key in sorted(windows) for value in (key, windows[key])]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(rows=", ".join([_ROW] * len(windows))), values)
        counts = {bytes(key): int(found) for key, found in cursor.fetchall()}
        cursor.execute(_REMOVE_ENDED, [REMOVED_AT_ONCE])
    return counts


def _key(limit: Limit, subject: Sequence[str]) -> bytes:
    return ciphers.mac(
        "\0".join(("gatehouse/operators/attempts/v1", limit.name, *subject)).encode(),
        key=str(settings.SECRET_KEY).encode(),
    )
