"""Places for transfers: so many in a process, since each holds one of the server's threads.

Nobody gets them all. One user has at most half of them, and the users of one customer leave one free: whoever sends slowly keeps
other users and other customers from nothing.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Condition
from uuid import UUID

from django.conf import settings

from apps.core.errors import TemporarilyUnavailable

PATIENCE_SECONDS = 2.0


class Places:
    """The places of a process."""

    def __init__(self, count: int) -> None:
        self._count, self._of_a_user, self._of_a_customer = count, (count + 1) // 2, max(1, count - 1)
        self._taken: Counter[UUID | str] = (
            Counter()
        )  # by customers (their ids) and by those who act (as events name them)
        self._total = 0
        self._changed = Condition()

    def take(self, customer_id: UUID, actor: str) -> bool:
        """Wait for a place, for two seconds at most. False: there is none."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(customer_id, actor), timeout=PATIENCE_SECONDS):
                return False
            self._count_up(customer_id, actor, 1)
            return True

    def give_back(self, customer_id: UUID, actor: str) -> None:
        with self._changed:
            self._count_up(customer_id, actor, -1)
            self._taken = +self._taken  # forgets those who have none
            self._changed.notify_all()

    def _is_free(self, customer_id: UUID, actor: str) -> bool:
        is_any_left = self._total < self._count and self._taken[customer_id] < self._of_a_customer
        return is_any_left and self._taken[actor] < self._of_a_user

    def _count_up(self, customer_id: UUID, actor: str, by: int) -> None:
        self._total += by
        self._taken.update({customer_id: by, actor: by})


@cache
def of_process(count: int) -> Places:
    return Places(count)


@contextmanager
def place(*, customer_id: UUID, actor: str) -> Iterator[None]:
    """A place, for as long as the block takes. Raises TemporarilyUnavailable when none becomes free."""
    places = of_process(settings.FILE_TRANSFERS_AT_ONCE)
    if not places.take(customer_id, actor):
        raise TemporarilyUnavailable
    try:
        yield
    finally:
        places.give_back(customer_id, actor)
