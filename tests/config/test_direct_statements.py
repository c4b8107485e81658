"""What is executed by one call of libpq gives what psycopg's own cursors give, and fails as they do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from apps.core import prepared
from config.postgresql.direct import DirectCursor

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = "SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT ''probe''%%'"
VALUES = {
    "id": UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    "at": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    "text": "100 % 'ä' \\ %(id)s $1 -- ;",
    "raw": b"\x00\xff'",
    "many": ["a", 'b,"', "NULL"],
    "nothing": None,
    "number": 2**40,
    "yes": True,
}
EVERYTHING = """
SELECT %(id)s, %(at)s, %(text)s::text, %(raw)s, %(many)s::text[], %(nothing)s::text, %(number)s, %(yes)s, %(id)s::text, 7 %% 4,
       '{"a": 1}'::jsonb, 1.5::float8, 0.1::numeric, '10.0.0.1'::inet::text
"""


def asked(statement: str, parameters: Any = ()) -> list[Any]:
    with prepared.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Any] = cursor.fetchall()
    return rows


@pytest.fixture(autouse=True)
def it_is_direct() -> None:
    """On a new connection. So no test here can pass by psycopg's cursors."""
    connection.close()
    with prepared.cursor() as cursor:
        assert isinstance(cursor.cursor, DirectCursor)


@pytest.fixture
def behind_a_pooler() -> Iterator[None]:
    before, connection.connection.prepare_threshold = connection.connection.prepare_threshold, None
    yield
    connection.connection.prepare_threshold = before


def test_values_go_and_come_as_by_a_cursor_of_psycopg() -> None:
    with transaction.atomic():
        by_psycopg = asked(EVERYTHING, VALUES)
    assert asked(EVERYTHING, VALUES) == by_psycopg
    assert [type(value) for value in asked(EVERYTHING, VALUES)[0]] == [type(value) for value in by_psycopg[0]]
    assert by_psycopg[0][:5] == tuple(VALUES.values())[:5]


def test_parameters_may_come_in_the_order_of_their_places() -> None:
    assert asked("SELECT %s::int, %s::text, 5 %% 3", [1, "%s"]) == [(1, "%s", 2)]


def test_a_statement_is_prepared_once_a_connection() -> None:
    for number in range(3):
        assert asked("SELECT 'probe', %(number)s::int", {"number": number}) == [("probe", number)]
    assert len(asked(NAMES)) == 1
    connection.close()
    assert asked("SELECT 'probe', %(number)s::int", {"number": 4}) == [("probe", 4)]
    assert len(asked(NAMES)) == 1


@pytest.mark.usefixtures("behind_a_pooler")
def test_nothing_is_prepared_behind_a_pooler() -> None:
    assert asked("SELECT 'probe', %(number)s::int", {"number": 1}) == [("probe", 1)]
    assert asked(NAMES) == []


def test_what_the_server_has_forgotten_is_prepared_again() -> None:
    """psycopg says it after a transaction that was taken back."""
    assert asked("SELECT 'probe', %(number)s::int", {"number": 1}) == [("probe", 1)]
    asked("DEALLOCATE ALL")
    assert asked("SELECT 'probe', %(number)s::int", {"number": 2}) == [("probe", 2)]
    assert len(asked(NAMES)) == 1


def test_rows_are_counted_and_given_one_by_one() -> None:
    with prepared.cursor() as cursor:
        cursor.execute("SELECT generate_series(1, 3)")
        assert cursor.rowcount == 3
        assert [cursor.fetchone(), cursor.fetchall(), cursor.fetchone()] == [(1,), [(2,), (3,)], None]
        cursor.execute("DELETE FROM users_user WHERE false")
        assert (cursor.rowcount, cursor.fetchone()) == (0, None)


def test_what_postgresql_refuses_is_refused_as_django_says_it_and_the_connection_goes_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE once (id int PRIMARY KEY)")
    asked("INSERT INTO once VALUES (1) RETURNING id")
    with pytest.raises(IntegrityError, match="once_pkey"):
        asked("INSERT INTO once VALUES (1) RETURNING id")
    assert asked("SELECT count(*) FROM once") == [(1,)]


def test_a_transaction_takes_it_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE undone (id int)")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        asked("INSERT INTO undone VALUES (1) RETURNING id")
        raise ZeroDivisionError
    assert asked("SELECT count(*) FROM undone") == [(0,)]


def test_a_connection_that_ends_is_an_operational_error_and_the_next_request_has_another() -> None:
    (pid,) = asked("SELECT pg_backend_pid()")[0]
    with pytest.raises(OperationalError):
        asked("SELECT pg_terminate_backend(%(pid)s::int), pg_sleep(5)", {"pid": pid})
    connection.close_if_unusable_or_obsolete()
    connection.close_if_health_check_failed()
    assert asked("SELECT pg_backend_pid()")[0] != (pid,)
