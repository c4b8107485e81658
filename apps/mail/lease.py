"""The lease on a message that is being sent: short, so that a dead worker's mail leaves soon, and renewed while the worker lives.

The row's `leased_until` is the mark of who holds it: whoever finds another value there has lost it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from apps.mail.models import Message

RENEWALS_IN_A_LEASE = 3  # so that one or two may fail

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """This worker was away for so long that another has taken the message."""


class Lease:
    """Held by the worker that is sending `message`, a row just taken. `now`: when it was taken."""

    def __init__(self, message: Message, now: datetime) -> None:
        self.message = message
        self._taken_at, self._started = now, time.monotonic()
        self._renewing, self._over = Lock(), Event()

    @property
    def now(self) -> datetime:
        return self._taken_at + timedelta(seconds=time.monotonic() - self._started)

    def renew(self) -> None:
        """Hold it for as long again, from now on. One statement. Raises LeaseLost."""
        with self._renewing:
            until = self.now + timedelta(seconds=settings.MAIL_LEASE_SECONDS)
            if not unchanged(self.message).update(leased_until=until):
                raise LeaseLost
            self.message.leased_until = until

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renewed by a thread of its own, since a server may take minutes to answer. What is sent quickly needs no renewal."""
        keeper = Thread(target=self._keep, name="mail-lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            self._over.set()
            keeper.join()

    def _keep(self) -> None:
        try:
            while not self._over.wait(settings.MAIL_LEASE_SECONDS / RENEWALS_IN_A_LEASE):
                self._renew_if_possible()
        except LeaseLost:
            log.warning("mail_lease_lost", message_id=str(self.message.id))
        finally:
            connection.close()  # this thread's own

    def _renew_if_possible(self) -> None:
        """PostgreSQL may be away for a moment: then the next renewal counts."""
        try:
            self.renew()
        except DatabaseError:
            connection.close()


def unchanged(message: Message) -> QuerySet[Message]:
    """The message's row, if it still is as we know it: nobody else has taken it."""
    return Message.objects.filter(id=message.id, state=message.state, leased_until=message.leased_until)
