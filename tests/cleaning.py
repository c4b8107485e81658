"""Between two tests the database is as the migrations left it: what a test wrote is deleted, and nothing else is touched.

Django's own way, TRUNCATE of every table and then its migration signals, takes longer than most tests do.
"""

import time
from dataclasses import dataclass

from django.db import OperationalError, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql

from apps.core import prepared

PATIENCE_SECONDS = 90
# What all tests share, and none may change: each query gives one number a row.
SHARED = {
    "content types": "SELECT hash_record_extended(kept, 0) FROM django_content_type kept",
    "permissions": "SELECT hash_record_extended(kept, 0) FROM auth_permission kept",
    "applied migrations": "SELECT hashtextextended(app || ' ' || name, 0) FROM django_migrations",
    "tables and indexes": "SELECT hashtextextended(concat_ws(' ', relname, relkind), 0) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "triggers": "SELECT hashtextextended(concat_ws(' ', tgrelid, tgname, tgenabled), 0) FROM pg_trigger WHERE NOT tgisinternal",
}
SHARED_TABLES = {"django_content_type", "auth_permission", "django_migrations"}
MADE = (
    "customers_customer",
    "customers_signingsecret",
)  # where a migration has made the default customer, that tests begin with
TABLES = """
  SELECT relname FROM pg_class
  WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
# Half of what the view `pg_stat_activity` costs, which looks up the name of everybody's database and role.
OTHERS = """
  SELECT pid, state, left(query, 200) FROM pg_stat_get_activity(NULL)
  WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
OTHERS_AT_WORK = f"{OTHERS} AND state <> 'idle'"


@dataclass(frozen=True)
class Kept:
    """The rows that a migration has made in a table: what each looks like, as a digest, and all of them as JSON."""

    digests: tuple[int, ...]
    rows: str


@dataclass(frozen=True)
class Pristine:
    """What the database holds before the first test: these tables empty, what is shared, as digests, and what each test begins with."""

    emptied: tuple[str, ...]
    shared: dict[str, str]
    made: dict[str, Kept]

    def rows(self) -> str:
        """A query for the names of the tables that hold rows, or others than a migration has made."""
        full = [f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in self.emptied]  # noqa: S608  (our own names)
        other = [
            f"SELECT '{table}' WHERE ({_sum(_digests(table))}) <> '{sum(kept.digests)}'"
            for table, kept in self.made.items()
        ]
        return " UNION ALL ".join([*full, *other])

    def changes(self) -> str:
        """A query for the names of what is shared and has changed."""
        return " UNION ALL ".join(
            f"SELECT '{name}' WHERE ({_sum(SHARED[name])}) <> '{known}'" for name, known in self.shared.items()
        )


def _digests(table: str) -> str:
    return f"SELECT hash_record_extended(made, 0) FROM {table} made"  # noqa: S608  (our own names)


def _sum(numbers: str) -> str:
    return f"SELECT coalesce(sum(known.line), 0)::text FROM ({numbers}) AS known (line)"  # noqa: S608  (our own names)


def take_note() -> Pristine:
    """To be called once, after the migrations."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        emptied = tuple(table for (table,) in cursor.fetchall() if table not in {*SHARED_TABLES, *MADE})
        shared = {name: _only_value(_sum(query)) for name, query in SHARED.items()}
    pristine = Pristine(emptied, shared, {table: _kept(table) for table in MADE})
    migrated = _names(pristine.rows())
    assert not migrated, f"migrations fill {sorted(migrated)}: say here who fills them for each test"
    return pristine


def _kept(table: str) -> Kept:
    with connection.cursor() as cursor:
        cursor.execute(_digests(table))
        digests = tuple(digest for (digest,) in cursor.fetchall())
    return Kept(digests, _only_value(f"SELECT coalesce(json_agg(made), '[]')::text FROM {table} made"))  # noqa: S608  (our own names)


def _only_value(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return str(cursor.fetchall()[0][0])


def clean(pristine: Pristine) -> None:
    """Delete what was written. Raises AssertionError when a test has changed what all share, or somebody is still at work."""
    wait_for_others()
    found = written(pristine)
    _undo(found, pristine)
    remains = found & set(pristine.shared)
    assert not remains, f"this test has changed what all tests share, and did not put it back: {sorted(remains)}"


def assert_clean(pristine: Pristine) -> None:
    """To be called before a test. What is found is deleted, so that one test fails for it and not all."""
    if late := _names(pristine.rows()):
        clean(pristine)
        raise AssertionError(f"written after the test before had ended, by a thread or process of it: {sorted(late)}")


def written(pristine: Pristine) -> set[str]:
    """The names of the tables that hold other rows than before the first test, and of what is shared and has changed."""
    return _names(f"{pristine.rows()} UNION ALL {pristine.changes()}")


def _names(query: str) -> set[str]:
    """Asked at each test: prepared, so that PostgreSQL plans it once a connection. Planning takes longer than the rest."""
    with prepared.cursor() as cursor:
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall()}


def _undo(tables: set[str], pristine: Pristine) -> None:
    emptied = [f'DELETE FROM "{table}"' for table in sorted(tables & set(pristine.emptied))]  # noqa: S608  (our own names)
    put_back = [step for table in MADE if table in tables for step in _put_back(table, pristine.made[table])]
    if steps := "; ".join([*emptied, *put_back]):
        try:
            _Undoing.execute(steps)
        except OperationalError:  # a test has cut all connections
            _Undoing.hang_up()
            _Undoing.execute(steps)


class _Undoing:
    """A connection of its own: PostgreSQL forgets every plan of a connection whose replication role changes."""

    connection: DatabaseWrapper | None = None

    @classmethod
    def execute(cls, steps: str) -> None:
        """In any order: as a replica PostgreSQL checks no foreign keys and fires no trigger that keeps the audit log append-only."""
        if cls.connection is None:
            cls.connection = connections.create_connection("default")
            with cls.connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")
        with cls.connection.cursor() as cursor:
            cursor.execute(steps)  # in one transaction, as all that is sent at once

    @classmethod
    def hang_up(cls) -> None:
        if cls.connection is not None:
            cls.connection.close()
            cls.connection = None


def _put_back(table: str, kept: Kept) -> tuple[str, str]:
    """What has changed is made anew. Most tests change nothing here, and a row that each would delete and make is one more dead row for each."""
    return (
        f"DELETE FROM {table} made WHERE hash_record_extended(made, 0) <> ALL (ARRAY{list(kept.digests)}::bigint[])",  # noqa: S608  (our own names)
        f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, {_quoted(kept.rows)}) ON CONFLICT DO NOTHING",  # noqa: S608  (our own names)
    )


def _quoted(text: str) -> str:
    return sql.Literal(text).as_string(None)


def wait_for_others() -> None:
    """What a killed process was doing, PostgreSQL may still be doing."""
    _wait_until_nobody_is(OTHERS_AT_WORK, "at work on")


def wait_until_alone() -> None:
    """To be called after the last test: those who leave take a moment."""
    _Undoing.hang_up()
    _wait_until_nobody_is(OTHERS, "connected to")


def _wait_until_nobody_is(query: str, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while found := _rows(query):
        assert time.monotonic() < deadline, f"still {what} the database after the test: {found}"
        time.sleep(0.01)


def _rows(query: str) -> list[tuple[int, str, str]]:
    with prepared.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
