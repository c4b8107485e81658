"""TRUNCATE is refused as well."""

from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audit import actions, events
from apps.audit.models import Event
from tests import factories

migration = import_module("apps.audit.migrations.0002_append_only")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", migration.TABLES)
def test_the_database_refuses_to_empty_the_log(table: str) -> None:
    """C8."""
    events.record(action=actions.SIGN_IN, context=factories.context())
    with (
        pytest.raises(DatabaseError, match="append-only: TRUNCATE"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {table} CASCADE")
    assert Event.objects.count() == 1
