"""Between two tests the database is as the migrations left it: what a test wrote is deleted, and nothing else is touched.

Django's own way, TRUNCATE of every table and then its migration signals, takes longer than most tests do.
"""

import time
from dataclasses import dataclass

from django.db import connection, transaction

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
MADE_FOR_EACH_TEST = (
    "customers_customer",
    "customers_signingsecret",
)  # the default customer's, as a migration has made them
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
class Pristine:
    """What the database holds before the first test: these tables empty, what is shared, as digests, and what each test begins with."""

    emptied: tuple[str, ...]
    shared: dict[str, str]
    made: tuple[str, ...]  # rows as JSON, of MADE_FOR_EACH_TEST

    def rows(self) -> str:
        """A query for the names of the tables that hold rows."""
        return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in self.emptied)  # noqa: S608  (our own names)

    def changes(self) -> str:
        """A query for the names of what is shared and has changed."""
        return " UNION ALL ".join(
            f"SELECT '{name}' WHERE ({_digest(name)}) <> '{known}'" for name, known in self.shared.items()
        )


def _digest(name: str) -> str:
    return f"SELECT coalesce(sum(known.line), 0)::text FROM ({SHARED[name]}) AS known (line)"  # noqa: S608  (our own names)


def take_note() -> Pristine:
    """To be called once, after the migrations."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        emptied = tuple(table for (table,) in cursor.fetchall() if table not in SHARED_TABLES)
        shared = {name: _only_value(_digest(name)) for name in SHARED}
    pristine = Pristine(emptied, shared, tuple(_as_json(table) for table in MADE_FOR_EACH_TEST))
    migrated = _names(pristine.rows())
    assert migrated <= set(MADE_FOR_EACH_TEST), (
        f"migrations fill {sorted(migrated)}: say here who fills them for each test"
    )
    _delete(migrated)
    return pristine


def make(pristine: Pristine) -> None:
    """`assert_clean`, and then the default customer and its secrets, as the migration made them, but now. In one statement."""
    rows = [
        f"INSERT INTO {table} SELECT (jsonb_populate_record(made, jsonb_build_object('created_at', now(), 'updated_at', now()))).*"  # noqa: S608  (our own names)
        f" FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) made WHERE NOT EXISTS (SELECT FROM late) RETURNING 1"
        for table in MADE_FOR_EACH_TEST
    ]
    steps = f"WITH late (name) AS MATERIALIZED ({pristine.rows()}), one AS ({rows[0]}), two AS ({rows[1]}) TABLE late"
    _require_none(_names(steps, pristine.made), pristine)


def _as_json(table: str) -> str:
    return _only_value(f"SELECT coalesce(json_agg(made), '[]')::text FROM {table} made")  # noqa: S608  (our own names)


def _only_value(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return str(cursor.fetchall()[0][0])


def clean(pristine: Pristine) -> None:
    """Delete what was written. Raises AssertionError when a test has changed what all share, or somebody is still at work."""
    _wait_for_others()
    found = written(pristine)
    _delete(found & set(pristine.emptied))
    remains = found - set(pristine.emptied)
    assert not remains, f"this test has changed what all tests share, and did not put it back: {sorted(remains)}"


def assert_clean(pristine: Pristine) -> None:
    """To be called before a test. What is found is deleted, so that one test fails for it and not all."""
    _require_none(_names(pristine.rows()), pristine)


def _require_none(late: set[str], pristine: Pristine) -> None:
    if late:
        clean(pristine)
        raise AssertionError(f"written after the test before had ended, by a thread or process of it: {sorted(late)}")


def written(pristine: Pristine) -> set[str]:
    """The names of the tables that hold rows, and of what is shared and has changed."""
    return _names(f"{pristine.rows()} UNION ALL {pristine.changes()}")


def _names(query: str, values: tuple[str, ...] = ()) -> set[str]:
    """Asked at each test: prepared, so that PostgreSQL plans it once a connection. Planning takes longer than the rest."""
    with prepared.cursor() as cursor:
        cursor.execute(query, values)
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
    _wait_until_nobody_is(OTHERS_AT_WORK, "at work on")


def wait_until_alone() -> None:
    """To be called after the last test: those who leave take a moment."""
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
