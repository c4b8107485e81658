"""A kept connection is asked whether it lives once a second, and not again at each request (CONN_HEALTH_CHECKS).

In between a glance must do: what PostgreSQL sends unasked, its goodbye or the end of the connection, makes the socket readable.
(A question costs 110 µs of CPU and a round trip, a glance 3 µs.)
"""

import select
import time

from django.db.backends.postgresql import base

ASKED_EVERY_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    _asked_at = float("-inf")

    def is_usable(self) -> bool:
        now = time.monotonic()
        if now - self._asked_at < ASKED_EVERY_SECONDS and not self.errors_occurred and self._is_silent():
            return True
        self._asked_at = now
        return super().is_usable()

    def _is_silent(self) -> bool:
        """Whether nothing has come, not even an end."""
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return not self.connection.closed and not poll.poll(0)
