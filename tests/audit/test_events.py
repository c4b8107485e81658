"""Events: one INSERT each, no secret in them, and a database that refuses to change or remove them."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.audit import actions, chain, events
from apps.audit.models import ChainLink, Event, Outcome, Severity
from apps.core import actors
from apps.core.ids import new_id
from tests import factories

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
            context=factories.context(
                f"user:{user_id}", now=now, ip="2001:db8::1", user_agent="tests", request_id="request-1"
            ),
            details={"method": "code"},
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
        events.record(action=actions.SIGN_IN, details=details, context=factories.context())
    assert Event.objects.count() == 0


@pytest.mark.parametrize("action", ["", "user_added", "SIGN_IN", "sign_in ", "ALL"])
def test_an_action_that_is_not_listed_is_refused(action: str) -> None:
    """Exports and alerts depend on the names: a typing error must not create a new one."""
    with pytest.raises(ValueError, match="is not one of"):
        events.record(action=action, context=factories.context())
    assert Event.objects.count() == 0


def test_every_listed_action_is_recorded_under_its_name_and_no_name_is_listed_twice() -> None:
    listed = [value for name, value in vars(actions).items() if name.isupper() and isinstance(value, str)]
    assert sorted(listed) == sorted(actions.ALL)
    for action in listed:
        assert len(action) <= Event._meta.get_field("action").max_length
        events.record(action=action, context=factories.context())
    assert set(Event.objects.values_list("action", flat=True)) == set(listed)


def test_every_listed_action_happens_somewhere() -> None:
    """A name that nothing records would promise an event that never comes."""
    code = "".join(path.read_text() for path in Path(events.__file__ or "").parents[1].rglob("*.py"))
    assert not [name for name in vars(actions) if name.isupper() and name != "ALL" and f"actions.{name}" not in code]


def test_who_did_it_is_named_in_one_way_each() -> None:
    user_id = new_id()
    assert actors.user(user_id) == f"user:{user_id}"
    assert actors.operator("ops@example.com") == "operator:ops@example.com"
    assert actors.api_key("4F2B") == "api-key:4F2B"
    named = [actors.operator("ops"), actors.user(user_id), actors.api_key("operator:"), actors.SYSTEM, actors.ANONYMOUS]
    assert [actors.is_operator(actor) for actor in named] == [True, False, False, False, False]


def test_no_code_spells_an_actor_by_itself() -> None:
    spelled = re.compile(r"""["'](user|operator|api-key|identity-check):""")
    rooms = Path(events.__file__ or "").parents[1]
    code = (path for path in rooms.rglob("*.py") if path.parent.name != "migrations")  # those hold the model's own
    found = [path for path in code if spelled.search(path.read_text())]
    assert {str(path.relative_to(rooms)) for path in found} == {"audit/models.py", "core/actors.py"}


def test_an_event_belongs_to_the_transaction_of_what_it_tells() -> None:
    class ItWentWrong(Exception):
        pass

    with pytest.raises(ItWentWrong), transaction.atomic():
        events.record(action=actions.SIGN_IN, context=factories.context())
        raise ItWentWrong
    assert Event.objects.count() == 0


@pytest.mark.parametrize("table", ["audit_event", "audit_chainlink"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {table} SET customer_id = NULL", "DELETE FROM {table}"],
)
def test_the_database_refuses_to_change_or_remove_an_event(table: str, statement: str) -> None:
    """C8: database rules refuse UPDATE and DELETE to the service's own code."""
    events.record(action=actions.SIGN_IN, context=factories.context())
    chain.extend()
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement.format(table=table))
    assert (Event.objects.count(), ChainLink.objects.count()) == (1, 1)


def test_neither_does_the_orm_change_or_remove_one() -> None:
    events.record(action=actions.SIGN_IN, context=factories.context())
    event = Event.objects.get()
    event.action = "nothing_to_see_here"
    with pytest.raises(DatabaseError, match="append-only"):
        event.save()
    with pytest.raises(DatabaseError, match="append-only"):
        Event.objects.get().delete()
    with pytest.raises(DatabaseError, match="append-only"):
        Event.objects.update(action="nothing_to_see_here")
    assert Event.objects.get().action == actions.SIGN_IN
