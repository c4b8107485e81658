"""A kept connection that has ended between two requests is noticed, without a question at each request."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from config.postgresql import base
from config.postgresql.base import ASKED_EVERY_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)
BETWEEN_SECONDS = ASKED_EVERY_SECONDS * 1.2


@pytest.fixture
def outside() -> Iterator[Any]:
    """Asks PostgreSQL by a connection of its own."""
    given = connection.get_connection_params()
    where = {name: given[name] for name in ("dbname", "user", "host", "port") if name in given}
    with psycopg.connect(**where, autocommit=True) as own:
        yield lambda statement, pid: own.execute(statement, [pid]).fetchone()[0]


@pytest.fixture
def pid() -> int:
    """The server's process that the requests' connection talks to."""
    connection.close()
    return next_request()


def next_request() -> int:
    connection.close_if_unusable_or_obsolete()  # Django does it between requests
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def asked(outside: Any, pid: int) -> Any:
    """When the connection was last asked anything, once the next request has looked whether it lives."""
    connection.close_if_unusable_or_obsolete()
    connection.close_if_health_check_failed()
    return outside("SELECT query_start FROM pg_stat_activity WHERE pid = %s", pid)


def test_a_connection_is_asked_whether_it_lives_once_a_second(
    pid: int, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_request()
    before = asked(outside, pid)
    with monkeypatch.context() as patch:
        patch.setattr(base, "ASKED_EVERY_SECONDS", 3600)  # in which a machine comes to ask twice, however busy it is
        assert asked(outside, pid) == before, "just now it did"
    time.sleep(BETWEEN_SECONDS)
    assert asked(outside, pid) > before


@pytest.mark.parametrize("pause", [0, BETWEEN_SECONDS])
def test_a_connection_that_has_ended_is_replaced_before_a_request_uses_it(pid: int, outside: Any, pause: float) -> None:
    next_request()
    time.sleep(pause)
    assert outside("SELECT pg_terminate_backend(%s, 60000)", pid)
    assert next_request() != pid


def test_a_server_that_is_frozen_is_not_waited_for_without_end(pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `docker pause` does it: the connection stays, and nothing comes."""
    monkeypatch.setattr(base, "ANSWERED_WITHIN_SECONDS", 0.5)
    next_request()
    time.sleep(BETWEEN_SECONDS)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert next_request() != pid
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_connection_that_failed_is_asked_at_once(pid: int, outside: Any) -> None:
    next_request()
    before = asked(outside, pid)
    with pytest.raises(OperationalError), connection.wrap_database_errors:
        raise psycopg.OperationalError
    assert asked(outside, pid) > before
