"""C8. What docs/scaling.md offers for very many events keeps them as append-only and as chained as one table does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.audit import actions, chain, events
from apps.core.ids import new_id
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "events_by_month.sql"
WRITTEN = ("01a2ce8b-d400", "01a36e30-f800")  # the script's first two months, as ids begin
PARTS = ("audit_event_before", "audit_event_2027_01", "audit_event_other")


def id_at(moment: datetime) -> str:
    """How UUIDv7 of that moment begin."""
    text = f"{int(moment.timestamp() * 1000):012x}"
    return f"{text[:8]}-{text[8:]}"


def script(first: datetime, second: datetime) -> str:
    """The one of the document, for months that are still to come."""
    text = SCRIPT.read_text(encoding="utf-8")
    for written, moment in zip(WRITTEN, (first, second), strict=True):
        text = text.replace(written, id_at(moment))
    return text


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return "append-only" in str(error)
    return False


def test_the_scripts_months_are_months() -> None:
    assert (id_at(datetime(2027, 1, 1, tzinfo=UTC)), id_at(datetime(2027, 2, 1, tzinfo=UTC))) == WRITTEN


def test_events_in_partitions_are_append_only_and_chained() -> None:
    customer_id, first = new_id(), timezone.now() + timedelta(days=30)
    second = first + timedelta(days=30)
    events.record(action=actions.SIGN_IN, customer_id=customer_id, context=factories.context())
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(script(first, second))
        events.record(action=actions.LOGOUT, customer_id=customer_id, context=factories.context())
        later = f"{id_at(first + timedelta(days=1))}-7000-8000-000000000001"
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO audit_event SELECT (jsonb_populate_record(event, jsonb_build_object('id', %s))).*"
                " FROM audit_event AS event WHERE customer_id = %s LIMIT 1",
                [later, customer_id],
            )
        while chain.extend():
            pass
        assert chain.head(customer_id).length == 3
        assert not any(piece.flaw for piece in chain.pieces(customer_id))
        assert refused("DELETE FROM audit_event_2027_01")
        assert all(refused(f"TRUNCATE {name}") for name in ("audit_event", *PARTS))
        assert refused("UPDATE audit_event_before SET actor = 'nobody'")
        assert refused("UPDATE audit_event_2027_01 SET actor = 'nobody'")
        transaction.set_rollback(True)  # the next test has one table again
