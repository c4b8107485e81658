"""PostgreSQL ends connections at the worst moment, as it does when it is restarted: between two statements, or at the commit."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

KILL = """
CREATE SEQUENCE killings;
CREATE FUNCTION kill_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('killings') <= {times} THEN PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(5); END IF;
  RETURN NULL;
END $$;
"""
TRIGGER = (
    "CREATE TRIGGER kill_connection AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION kill_connection()"
)
AT_COMMIT = (
    "CREATE CONSTRAINT TRIGGER kill_connection AFTER INSERT OR UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION kill_connection()"
)


@contextmanager
def killed_at(table: str, *, times: int, at_commit: bool = False) -> Iterator[None]:
    """The connection that writes to this table is ended by the server, the first so many times."""
    run(KILL.format(times=times), (AT_COMMIT if at_commit else TRIGGER).format(table=table))
    try:
        yield
    finally:
        connection.close()
        run(f"DROP TRIGGER kill_connection ON {table}", "DROP FUNCTION kill_connection; DROP SEQUENCE killings")


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
