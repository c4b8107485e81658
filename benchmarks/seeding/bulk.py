"""Taking millions of rows: without triggers and checks of foreign keys, and with indexes built once, at the end."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

Cursor = CursorWrapper
Say = Callable[[str], None]

WORTH_IT = 100_000  # rows; for fewer, building the indexes of what was there before takes longer
FAST = {
    "session_replication_role": "replica",  # neither triggers nor foreign keys
    "synchronous_commit": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",  # Python seals a secret for each customer between two statements
    "maintenance_work_mem": "512MB",
    "max_parallel_maintenance_workers": "2",
    "work_mem": "256MB",
}
# All but the primary key, which grows at its end alone: what can be dropped, how, and how it is made again.
SECONDARY = """
SELECT conname, format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype = 'u'
UNION ALL
SELECT index.indexrelid::regclass::text, format('DROP INDEX %%s', index.indexrelid::regclass), pg_get_indexdef(index.indexrelid)
FROM pg_index AS index LEFT JOIN pg_constraint AS owner ON owner.conindid = index.indexrelid
WHERE index.indrelid = %(table)s::regclass AND owner.oid IS NULL
"""


@contextmanager
def fast_session(cursor: Cursor) -> Iterator[None]:
    """This connection alone; what it leaves behind is as durable as anything once the server has written a checkpoint."""
    for name, value in FAST.items():
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    try:
        yield
    finally:
        cursor.execute("CHECKPOINT")  # as long as it may take
        for name in FAST:
            cursor.execute(f"RESET {name}")


@contextmanager
def without_indexes(cursor: Cursor, table: str, *, rows: int, say: Say) -> Iterator[None]:
    """Drop the table's indexes, and build them again from their own definitions, whatever happens in between."""
    cursor.execute(SECONDARY, {"table": table})
    indexes = cursor.fetchall() if rows >= WORTH_IT else []
    for _, drop, _ in indexes:
        cursor.execute(drop)
    try:
        yield
    finally:
        for name, _, definition in indexes:
            began = time.monotonic()
            cursor.execute(definition)
            say(f"{table:24} index {name} ({time.monotonic() - began:.0f} s)")


def analyze(cursor: Cursor, tables: Sequence[str], *, say: Say) -> None:
    """So that PostgreSQL plans for what is there, and index-only scans need not look into the tables."""
    began = time.monotonic()
    for table in tables:
        cursor.execute(f"VACUUM (ANALYZE) {table}")
    say(f"vacuumed and analyzed ({time.monotonic() - began:.0f} s)")
