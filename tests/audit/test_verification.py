"""The whole audit log is verified in the background, in steps that each go on where the last one stopped."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.audit import actions, chain, events, tasks, verification
from apps.audit.models import Event, Verification
from tests import factories
from tests.operators.pages.test_audit import limited
from tests.operators.signing_in import operator, sign_in, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/audit/event/verification/"


def chained(customers: int = 3, changes: int = 4) -> None:
    for _ in range(customers):
        customer = factories.customer()
        for length in range(changes):
            factories.policy(customer, code_length=4 + length % 4)
    tasks.chain_events()


def as_owner_of_the_database(statement: str, table: str, value: UUID | None) -> int:
    """Whom no trigger stops. Returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, [value])
        touched: int = cursor.rowcount
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return touched


def alter(event: Event) -> None:
    as_owner_of_the_database("UPDATE audit_event SET actor = 'nobody' WHERE id = %s", "audit_event", event.id)


def run(*, seconds: float = 60) -> Verification:
    assert verification.start(factories.context("operator:ops@example.com"))
    verification.go_on(seconds=seconds, clock=timezone.now)
    return Verification.objects.get(finished_at__isnull=False)


def all_but_the_verdict() -> int:
    """The event that tells how a verification ended comes after it."""
    return Event.objects.exclude(action=actions.AUDIT_VERIFIED).count()


def test_a_log_as_it_was_written_is_whole() -> None:
    chained()
    found = run()
    assert (found.flaws, found.events, found.chains) == (
        [],
        all_but_the_verdict(),
        4,
    )  # three customers, and the service
    told = Event.objects.get(action=actions.AUDIT_VERIFIED)
    assert (told.outcome, told.details["result"]) == ("success", "whole")


def test_an_altered_event_is_named_and_the_other_chains_are_verified_all_the_same() -> None:
    chained()
    victim = Event.objects.filter(action=actions.POLICY_CHANGED).order_by("id")[5]
    alter(victim)
    found = run()
    assert [flaw["customer"] for flaw in found.flaws] == [str(victim.customer_id)]
    assert found.flaws[0]["what"] == f"event {victim.id} was altered"
    assert found.chains == 4
    told = Event.objects.get(action=actions.AUDIT_VERIFIED)
    assert (told.outcome, told.severity, told.details["result"]) == ("failure", "critical", "broken")


def test_it_goes_on_where_it_stopped_in_the_midst_of_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    chained()
    monkeypatch.setattr(chain, "BATCH", 2)
    assert verification.start(factories.context("operator:ops@example.com"))
    steps = 0
    while Verification.objects.filter(finished_at=None).exists():
        verification.go_on(seconds=1e-9, clock=timezone.now)  # one piece each
        steps += 1
    found = Verification.objects.get()
    assert steps > 4
    assert (found.flaws, found.events) == ([], all_but_the_verdict())


def test_an_event_that_was_in_no_chain_is_counted_and_linked() -> None:
    """The links of a whole chain are gone, and with them all proof: what is left would be whole again, without a word."""
    chained()
    victim = Event.objects.filter(action=actions.POLICY_CHANGED)[0].customer_id
    delete = "DELETE FROM audit_chainlink WHERE customer_id = %s"
    removed = as_owner_of_the_database(delete, "audit_chainlink", victim)
    browser = signed_in(operator())
    found = run()
    assert removed > 1
    assert (found.flaws, found.unchained) == ([], removed)
    assert chain.head(victim).length == removed
    assert f"{removed} events were in no chain" in browser.get(PAGE).content.decode()


def test_what_merely_waits_for_its_link_is_linked_and_verified_without_a_word() -> None:
    factories.customer()
    found = run()
    assert (found.unchained, found.flaws) == (0, [])
    assert found.events == all_but_the_verdict() > 1


def test_an_event_that_is_dated_back_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a chain of many pieces too: the time before is remembered from piece to piece."""
    chained(customers=1)
    customer = Event.objects.filter(action=actions.POLICY_CHANGED)[0].customer_id
    long_ago = replace(factories.context(), now=timezone.now() - timedelta(days=3))
    events.record(action=actions.LOGOUT, customer_id=customer, context=long_ago)
    slipped_in = Event.objects.get(action=actions.LOGOUT)
    monkeypatch.setattr(chain, "BATCH", 2)
    browser = signed_in(operator())
    found = run()
    assert found.flaws == []
    assert found.backdated == [{"customer": str(customer), "event": str(slipped_in.id)}]
    assert str(slipped_in.id) in browser.get(PAGE).content.decode()


def test_one_is_under_way_at_a_time_and_without_one_nothing_is_done() -> None:
    context = factories.context("operator:ops@example.com")
    assert tasks.verify() == 0
    assert verification.start(context)
    assert not verification.start(context)
    assert Event.objects.filter(action=actions.AUDIT_VERIFICATION_STARTED).count() == 1


def test_the_page_begins_one_and_tells_how_it_ended() -> None:
    operator()
    browser: Client = sign_in()
    chained()
    assert "not been verified" in browser.get(PAGE).content.decode()
    assert browser.post(PAGE).status_code == 302
    assert "Under way" in browser.get(PAGE).content.decode()
    assert "under way already" in browser.post(PAGE, follow=True).content.decode()
    tasks.verify()
    page = browser.get(PAGE).content.decode()
    assert "The audit log is whole" in page
    assert "Verify now" in page


def test_the_page_names_what_was_altered() -> None:
    operator()
    browser: Client = sign_in()
    chained()
    victim = Event.objects.filter(action=actions.POLICY_CHANGED)[0]
    alter(victim)
    browser.post(PAGE)
    tasks.verify()
    page = browser.get(PAGE).content.decode()
    assert "NOT whole" in page
    assert str(victim.id) in page


def test_who_may_not_verify_sees_and_begins_nothing() -> None:
    looking = limited("audit.view_event", "audit.export_event")
    assert looking.get(PAGE).status_code == 403
    assert looking.post(PAGE).status_code == 403
    assert not Verification.objects.exists()
    assert PAGE not in looking.get("/admin/audit/event/").content.decode()
