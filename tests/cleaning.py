"""Between two tests the database is as the migrations left it: what a test wrote is deleted, and nothing else is touched.

Django's own way, TRUNCATE of every table and then its migration signals, takes longer than most tests do.
"""

import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from django.db import connection, transaction

PATIENCE_SECONDS = 20
# What all tests share, and none may change: each query gives one text a row.
SHARED = {
    "content types": "SELECT kept::text FROM django_content_type kept",
    "permissions": "SELECT kept::text FROM auth_permission kept",
    "applied migrations": "SELECT concat_ws(' ', app, name) FROM django_migrations",
    "tables and indexes": "SELECT concat_ws(' ', relname, relkind) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "triggers": "SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal",
}
SHARED_TABLES = {"django_content_type", "auth_permission", "django_migrations"}
MADE_FOR_EACH_TEST = {"customers_customer", "customers_signingsecret"}  # the default customer, by the fixture `world`
TABLES = """
  SELECT relname FROM pg_class
  WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
OTHERS_AT_WORK = """
  SELECT pid, state, left(query, 200) FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
"""
PREPARED = "what_a_test_has_written"
_prepared: WeakSet[Any] = WeakSet()  # connections that know it


@dataclass(frozen=True)
class Pristine:
    """What the database holds before the first test: these tables empty, and what is shared, as digests."""

    emptied: tuple[str, ...]
    shared: dict[str, str]

    def query(self) -> str:
        """The names of the tables that hold rows, and of what is shared and has changed."""
        rows = [f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in self.emptied]  # noqa: S608  (our own names)
        changes = [f"SELECT '{name}' WHERE ({_digest(name)}) <> '{known}'" for name, known in self.shared.items()]
        return " UNION ALL ".join(rows + changes)


def _digest(name: str) -> str:
    return f"SELECT md5(coalesce(string_agg(line, ',' ORDER BY line), '')) FROM ({SHARED[name]}) AS known (line)"  # noqa: S608  (our own names)


def take_note() -> Pristine:
    """To be called once, after the migrations."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        emptied = tuple(table for (table,) in cursor.fetchall() if table not in SHARED_TABLES)
        shared = {}
        for name in SHARED:
            cursor.execute(_digest(name))
            shared[name] = cursor.fetchone()[0]
    pristine = Pristine(emptied, shared)
    migrated = written(pristine)
    assert migrated <= MADE_FOR_EACH_TEST, f"migrations fill {sorted(migrated)}: say here who fills them for each test"
    _delete(migrated)
    return pristine


def clean(pristine: Pristine) -> None:
    """Delete what was written. Raises AssertionError when a test has changed what all share, or somebody is still at work."""
    _wait_for_others()
    found = written(pristine)
    _delete(found & set(pristine.emptied))
    remains = found - set(pristine.emptied)
    assert not remains, f"this test has changed what all tests share, and did not put it back: {sorted(remains)}"


def assert_clean(pristine: Pristine) -> None:
    """To be called before a test. What is found is deleted, so that one test fails for it and not all."""
    late = written(pristine)
    if late:
        clean(pristine)
        raise AssertionError(f"written after the test before had ended, by a thread or process of it: {sorted(late)}")


def written(pristine: Pristine) -> set[str]:
    """Asked twice a test: prepared, so that PostgreSQL plans it once a connection. Planning takes longer than the rest."""
    with connection.cursor() as cursor:
        if connection.connection not in _prepared:
            cursor.execute(f"PREPARE {PREPARED} AS {pristine.query()}")
            _prepared.add(connection.connection)
        cursor.execute(f"EXECUTE {PREPARED}")
        return {name for (name,) in cursor.fetchall()}


def _delete(tables: set[str]) -> None:
    """In any order: as a replica PostgreSQL checks no foreign keys and fires no trigger that keeps the audit log append-only."""
    if not tables:
        return
    deletions = [f'DELETE FROM "{table}"' for table in sorted(tables)]  # noqa: S608  (our own names)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(["SET LOCAL session_replication_role = replica", *deletions]))


def _wait_for_others() -> None:
    """What a killed process was doing, PostgreSQL may still be doing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while at_work := _others_at_work():
        assert time.monotonic() < deadline, f"still at work on the database after the test: {at_work}"
        time.sleep(0.01)


def _others_at_work() -> list[tuple[int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(OTHERS_AT_WORK)
        return cursor.fetchall()
