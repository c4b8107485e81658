"""What `migrate` and `check --database default` say of the database itself."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004  (Django's name for it)
from django.db import connection

NAMES = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
HINT = "On PostgreSQL itself: " + " ".join(
    f"ALTER ROLE {{role}} SET {name} = '{value}';" for name, value in zip(NAMES, ("10s", "3s", "15s"), strict=True)
)


@register(Tags.database)
def waits_are_bounded(*, databases: Any, **_others: Any) -> list[CheckMessage]:
    """Behind a pooler only the role's own settings bound waits: warn if they do not."""
    if not databases or not settings.DATABASE_POOLED:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_settings WHERE name = ANY(%s)", [list(NAMES)])
        unbounded = [row for row in cursor.fetchall() if row[0] == "0"]
    if not unbounded:
        return []
    text = "DATABASE_URL leads through a pooler, and waits for PostgreSQL have no bound there."
    return [Warning(text, hint=HINT.format(role=connection.settings_dict["USER"] or "gatehouse"), id="gatehouse.W001")]
