"""A row that one worker at a time works on: taken for a while, kept while the worker lives, taken anew when it has died.

The row says until when it is held. That moment also tells workers apart: one that finds another there has lost the row.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any, ClassVar, Generic, TypeVar

import structlog
from django.db import DatabaseError, connection, models

from apps.core import lease_keeper

RENEWALS_IN_A_LEASE = 3  # so that one or two may fail
MOST_DOUBLINGS = 10

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """This worker was away for so long that another has taken the row."""


class Leasable(models.Model):
    """A row that workers take. `held_until` names the column that says until when it is held."""

    attempts = models.PositiveIntegerField(default=0)  # how often a worker has taken it
    held_until: ClassVar[str]

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Leasable)


@dataclass(eq=False)
class RowLease(Generic[Row]):
    """Held by the worker that took `row` at `taken_at`, for `length`."""

    row: Row
    length: timedelta
    taken_at: datetime
    _started: float = field(init=False, default_factory=time.monotonic)
    _renewing: Lock = field(init=False, default_factory=Lock)
    _is_over: bool = field(init=False, default=False)

    @property
    def now(self) -> datetime:
        return self.taken_at + timedelta(seconds=time.monotonic() - self._started)

    @property
    def renewed_every(self) -> float:
        return self.length.total_seconds() / RENEWALS_IN_A_LEASE

    def renew(self) -> None:
        """Hold the row for as long again, from now on. One statement. Raises LeaseLost."""
        with self._renewing:
            self._renew()

    def confirm(self) -> None:
        """Make sure that the row is held and will be for a while. One statement, which writes if it must. Raises LeaseLost.

        (The renewal took 500 µs of CPU and waited for a disk, the look 120.)
        """
        with self._renewing:
            if getattr(self.row, self.row.held_until) - self.now < self.length / 2:
                self._renew()
            elif not _is_held(self.row):
                raise LeaseLost

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renewed meanwhile, for work that may take minutes. Work that is done quickly needs no renewal."""
        with lease_keeper.keeping(self):
            yield

    def renew_if_possible(self) -> bool:
        """False if there is nothing to renew any more. PostgreSQL may be away for a moment: then the next renewal counts."""
        with self._renewing:
            if self._is_over:
                return False
            try:
                self._renew()
            except LeaseLost:
                log.warning("lease_lost", table=self.row._meta.label_lower, row_id=str(self.row.pk))
                return False
            except DatabaseError:
                connection.close()
            return True

    def end(self) -> None:
        """It is not renewed any more."""
        with self._renewing:
            self._is_over = True

    def _renew(self) -> None:
        until = self.now + self.length
        if not unchanged(self.row).update(**{self.row.held_until: until}):
            raise LeaseLost
        setattr(self.row, self.row.held_until, until)


def take(
    due: models.QuerySet[Row], *, length: Callable[[Row], timedelta], now: datetime, **noted: Any
) -> RowLease[Row] | None:
    """Take the row that is due, and write that down with what else is `noted`; None if none is due any more.

    Two statements, in the caller's transaction. A worker that comes at the same moment waits for the first, and finds the
    row no longer due.
    """
    row = due.select_for_update(of=("self",), no_key=True).first()
    if row is None:
        return None
    row.attempts += 1
    held_for = length(row)
    changes = {row.held_until: now + held_for, **noted}
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=["attempts", *changes])
    return RowLease(row, held_for, taken_at=now)


def unchanged(row: Row, *columns: str) -> models.QuerySet[Row]:
    """The row, if nobody else has taken it since we read it, nor changed these columns."""
    known = {name: getattr(row, name) for name in (row.held_until, *columns)}
    return type(row)._default_manager.filter(pk=row.pk, **known)


def _is_held(row: Leasable) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_held(type(row)), [row.pk, getattr(row, row.held_until)])
        return cursor.fetchone() is not None


@lru_cache
def _held(model: type[Leasable]) -> str:
    return f'SELECT 1 FROM "{model._meta.db_table}" WHERE id = %s AND "{model.held_until}" = %s'  # noqa: S608  (our own names)


def backoff(attempts: int, *, shortest: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after so many attempts: twice as long each time."""
    return min(shortest * (1 << min(attempts - 1, MOST_DOUBLINGS)), longest)
