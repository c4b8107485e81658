"""Events: one INSERT each, no secret in them, and a database that refuses to change or remove them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit import actions, chain, events
from apps.audit.models import ChainLink, Event, Outcome, Severity
from apps.core.ids import new_id
from apps.core.requests import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_says_who_did_what_from_where_and_how_it_ended() -> None:
    """C8: customer, user, actor, action, outcome, IP, user agent, request id, details, time."""
    customer_id, user_id, now = new_id(), new_id(), datetime(2026, 11, 20, 12, tzinfo=UTC)
    with CaptureQueriesContext(connection) as queries:
        events.record(
            action=actions.CODE_REJECTED,
            outcome=Outcome.FAILURE,
            severity=Severity.LOW,
            customer_id=customer_id,
            user_id=user_id,
            actor=f"user:{user_id}",
            caller=Caller(ip="2001:db8::1", user_agent="tests", request_id="request-1"),
            details={"method": "code"},
            now=now,
        )
    assert len(queries) == 1
    event = Event.objects.get()
    assert (event.customer_id, event.user_id, event.at) == (customer_id, user_id, now)
    assert (event.action, event.outcome, event.severity) == ("code_rejected", "failure", "low")
    assert (event.ip, event.user_agent, event.request_id) == ("2001:db8::1", "tests", "request-1")
    assert (event.actor, event.details) == (f"user:{user_id}", {"method": "code"})


@pytest.mark.parametrize(
    "details",
    [
        {"password": "x"},
        {"Access_Token": "x"},
        {"otp": "482913"},
        {"changes": {"deep": [{"secret": "x"}]}},
    ],
)
def test_an_event_that_would_hold_a_secret_is_refused(details: dict[str, Any]) -> None:
    """C2.4: no secret is ever in an audit event."""
    with pytest.raises(ValueError, match="must not hold"):
        events.record(action=actions.SIGN_IN, details=details, now=timezone.now())
    assert Event.objects.count() == 0


def test_an_event_belongs_to_the_transaction_of_what_it_tells() -> None:
    class ItWentWrong(Exception):
        pass

    with pytest.raises(ItWentWrong), transaction.atomic():
        events.record(action=actions.SIGN_IN, now=timezone.now())
        raise ItWentWrong
    assert Event.objects.count() == 0


@pytest.mark.parametrize("table", ["audit_event", "audit_chainlink"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {table} SET customer_id = NULL", "DELETE FROM {table}"],
)
def test_the_database_refuses_to_change_or_remove_an_event(table: str, statement: str) -> None:
    """C8: database rules refuse UPDATE and DELETE to the service's own code."""
    events.record(action=actions.SIGN_IN, now=timezone.now())
    chain.extend()
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement.format(table=table))
    assert (Event.objects.count(), ChainLink.objects.count()) == (1, 1)


def test_neither_does_the_orm_change_or_remove_one() -> None:
    events.record(action=actions.SIGN_IN, now=timezone.now())
    event = Event.objects.get()
    event.action = "nothing_to_see_here"
    with pytest.raises(DatabaseError, match="append-only"):
        event.save()
    with pytest.raises(DatabaseError, match="append-only"):
        Event.objects.get().delete()
    with pytest.raises(DatabaseError, match="append-only"):
        Event.objects.update(action="nothing_to_see_here")
    assert Event.objects.get().action == actions.SIGN_IN
