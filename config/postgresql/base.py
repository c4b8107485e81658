"""Django's backend for PostgreSQL, but for two things.

A kept connection is asked whether it lives once a second, and not again at each request (CONN_HEALTH_CHECKS). In between a glance
must do: what PostgreSQL sends unasked, its goodbye or the end of the connection, makes the socket readable. (A question costs 110 µs
of CPU and a round trip, a glance 3 µs.) It is not waited for without end: a server that is frozen (`docker pause`, a disk that hangs)
keeps its connections and says nothing, and soon all threads would wait for it.

And it has cursors that prepare what they execute (`apps.core.prepared`): in a transaction psycopg's, else `direct`.
"""

import select
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.backends.utils import CursorWrapper
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from config.postgresql.direct import Direct, DirectCursor

ASKED_EVERY_SECONDS = 1.0
ANSWERED_WITHIN_SECONDS = 5.0  # as long as a new connection may take
BINDING_CURSOR: Any = base.ServerBindingCursor  # psycopg's own, which sends parameters beside the statement


class Operations(DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """With parameters beside it the statement is what was executed; Django would note nothing."""
        is_direct = isinstance(cursor, DirectCursor)
        return str(sql) if is_direct else super().last_executed_query(cursor, sql, params) or str(sql)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = Operations
    _asked_at = float("-inf")
    _direct: Direct | None = None

    def is_usable(self) -> bool:
        now = time.monotonic()
        if now - self._asked_at < ASKED_EVERY_SECONDS and not self.errors_occurred and self._is_silent():
            return True
        self._asked_at = now
        try:
            return self.connection is not None and _answers(self.connection.pgconn)
        except psycopg.Error:
            return False

    def preparing_cursor(self) -> CursorWrapper:
        """As `cursor()` makes one. With `prepare_threshold` (`config.databases`) what it executes is prepared at its first use."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_thread_sharing()
        wrap = self.make_debug_cursor if self.queries_logged else self.make_cursor
        with self.wrap_database_errors:
            return wrap(self._direct_cursor() if self.autocommit else BINDING_CURSOR(self.connection))

    def _direct_cursor(self) -> Any:
        if self._direct is None or self._direct.connection is not self.connection:
            self._direct = Direct(self.connection)
        return DirectCursor(self._direct)

    def _is_silent(self) -> bool:
        """Whether nothing has come, not even an end."""
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return not self.connection.closed and not poll.poll(0)


def _answers(pgconn: PGconn) -> bool:
    """Whether it answers in time. Raises psycopg's errors."""
    deadline = time.monotonic() + ANSWERED_WITHIN_SECONDS
    pgconn.send_query(b"SELECT 1")  # so short that it fits into the socket at once
    while True:
        while pgconn.is_busy():
            if not _is_readable(pgconn, deadline):
                return False
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return True
        if result.status != ExecStatus.TUPLES_OK:
            return False


def _is_readable(pgconn: PGconn, deadline: float) -> bool:
    """Waits until then."""
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
