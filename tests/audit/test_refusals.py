"""Refusals are events: written once, counted after that, found by address, forgotten with it, and bounded in a flood."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from apps.accounts import erasure
from apps.audit import actions, address_hashes, chain, refusal_budget, refusals, steps, tasks
from apps.audit.models import Event, Outcome, Refusal, Severity
from apps.audit.refusals import NewRefusal
from apps.core.context import RequestContext
from apps.core.errors import RateLimited
from apps.core.ids import new_id
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"
CUSTOMER = new_id()


def refusal(address: str = EMAIL, *, context: RequestContext | None = None, **facts: object) -> NewRefusal:
    values = {"rule": "codes_per_email", "step": steps.ASK_FOR_CODE, "customer_id": CUSTOMER, **facts}
    return NewRefusal(address=address, context=context or factories.context(), **values)  # type: ignore[arg-type]


def test_a_refusal_is_an_event_with_its_rule_and_a_hash_of_the_address() -> None:
    """C8: with the rule that refused and a keyed hash of the address by which it can be found. One statement."""
    with counted() as cost:
        refusals.record(refusal(context=factories.context(ip="2001:db8::1", key_id="abcdefghijkl")))
    assert (len(cost.statements), cost.transactions, cost.round_trips) == (1, 0, 0)
    event = Event.objects.get()
    assert (event.action, event.outcome, event.customer_id) == (actions.REFUSED, Outcome.DENIED, CUSTOMER)
    assert event.details == {"rule": "codes_per_email", "step": "ask_for_code", "key_id": "abcdefghijkl"}
    assert (event.ip, event.request_id) == ("2001:db8::1", "test-request")
    assert [row.event_id for row in refusals.of_address(EMAIL)] == [event.id]
    assert not refusals.of_address("bob@example.com").exists()


def test_the_hash_is_keyed_and_no_column_holds_the_address(settings: object) -> None:
    refusals.record(refusal("lovelace@example.com"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_jsonb(e)::text, to_jsonb(r)::text FROM audit_event e JOIN audit_refusal r ON r.event_id = e.id"
        )
        assert not [text for text in cursor.fetchone() if "lovelace" in text]
    mine = address_hashes.of(EMAIL)
    settings.SECRET_KEY = "another secret of this installation, long enough"  # type: ignore[attr-defined]
    assert address_hashes.of(EMAIL) != mine


def test_the_same_refusal_is_counted_within_ten_minutes_and_an_event_again_after_that() -> None:
    """C8: repeated ones are counted, not repeated."""
    start = timezone.now() - timedelta(hours=1)
    for minutes in (0, 4, 9.9, 10, 15):
        refusals.record(refusal(context=factories.context(now=start + timedelta(minutes=minutes))))
    rows = Refusal.objects.order_by("first_at")
    assert [(row.count, row.event.at - start) for row in rows] == [(3, timedelta(0)), (2, timedelta(minutes=10))]
    assert [row.last_at - start for row in rows] == [timedelta(minutes=9.9), timedelta(minutes=15)]
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"address": "bob@example.com"},
        {"rule": "codes_per_ip"},
        {"step": steps.REGISTER},
        {"customer_id": new_id()},
        {"user_id": new_id()},
        {"context": factories.context(ip="198.51.100.1")},
        {"context": factories.context(key_id="abcdefghijkl")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_refusal_is_another_event(other: dict[str, object]) -> None:
    refusals.record(refusal())
    refusals.record(refusal(**other))  # type: ignore[arg-type]
    assert list(Refusal.objects.values_list("count", flat=True)) == [1, 1]


def test_refusals_at_once_are_all_counted_and_one_event() -> None:
    """At the beginning, and when ten minutes are over: one statement decides."""
    begun, times = timezone.now(), refusal_budget.FOR_ONE_CUSTOMER // 2
    for now in (begun, begun + refusals.COUNTED_FOR):
        context = factories.context(now=now)
        at_once(times, lambda _, context=context: refusals.record(refusal(context=context)))  # type: ignore[misc]
    assert list(Refusal.objects.order_by("first_at").values_list("count", flat=True)) == [times, times]
    assert Event.objects.count() == 2


def test_counting_and_forgetting_leave_the_chain_whole() -> None:
    """C8: what is counted stands beside the event, which never changes."""
    refusals.record(refusal())
    assert chain.extend() == 1
    refusals.record(refusal())
    refusals.forget_address(CUSTOMER, EMAIL)
    assert chain.extend() == 0
    assert not any(piece.flaw for piece in chain.pieces(CUSTOMER))
    Refusal.objects.all().delete()
    assert not any(piece.flaw for piece in chain.pieces(CUSTOMER))


def test_a_flood_is_cut_off_and_its_size_is_written_when_it_is_over() -> None:
    begun, most = timezone.now().replace(second=0), refusal_budget.FOR_ONE_CUSTOMER
    flood = factories.context(now=begun)
    with counted() as cost:
        for number in range(most + 40):
            refusals.record(refusal(f"user-{number}@example.com", context=flood))
    assert (len(cost.statements), cost.round_trips) == (most, 0)
    refusals.record(refusal(customer_id=new_id(), context=flood))  # another customer's are written all the same
    assert Event.objects.count() == most + 1
    refusals.record(refusal("later@example.com", context=factories.context(now=begun + timedelta(minutes=1))))
    left_out = Event.objects.get(action=actions.REFUSALS_LEFT_OUT)
    assert (left_out.customer_id, left_out.details) == (CUSTOMER, {"count": 40})
    assert refusals.of_address("later@example.com").exists()


def test_a_flood_that_needs_no_secret_hides_no_wrong_one() -> None:
    """Anybody can have a customer's requests refused, and nobody may hide a guess or an account's lock in that."""
    now = timezone.now()
    context = factories.context(now=now)
    for _ in range(refusal_budget.FOR_ONE_CUSTOMER + 1):
        refusals.record(refusal(rule="wrong_api_key", context=context))
    wrong = {"action": actions.CODE_REJECTED, "outcome": Outcome.FAILURE, "severity": Severity.LOW}
    refusals.record(refusal("bob@example.com", rule="wrong_code", context=context, **wrong))
    assert Event.objects.filter(action=actions.CODE_REJECTED).exists()


def test_nor_do_many_wrong_secrets_hide_what_is_grave() -> None:
    context = factories.context(now=timezone.now())
    wrong = {"action": actions.PASSKEY_REJECTED, "outcome": Outcome.FAILURE, "severity": Severity.LOW}
    for _ in range(refusal_budget.FOR_ONE_CUSTOMER + 1):
        refusals.record(refusal(rule="invalid_passkey", context=context, **wrong))
    grave = {"action": actions.PASSWORD_LOCKED, "outcome": Outcome.FAILURE, "severity": Severity.MEDIUM}
    refusals.record(refusal("bob@example.com", rule="wrong_password", context=context, **grave))
    assert Event.objects.filter(action=actions.PASSWORD_LOCKED).exists()


def test_many_customers_together_are_bounded_too() -> None:
    at = timezone.now().timestamp()
    budget = refusal_budget.Budget()
    allowed = [budget.allows(new_id(), at=at) for _ in range(refusal_budget.FOR_ALL + 5)]
    assert allowed.count(True) == refusal_budget.FOR_ALL
    assert budget.allows(new_id(), at=at + 60)


def test_the_memory_of_what_was_left_out_is_bounded_and_loses_no_count() -> None:
    at = timezone.now().timestamp()
    budget = refusal_budget.Budget()
    ids = [new_id() for _ in range(refusal_budget.MOST_CUSTOMERS + 700)]
    for customer_id in ids:
        budget.allows(customer_id, at=at)
    counts = [budget.take_left_out(customer_id) for customer_id in [*ids, None]]
    assert sum(counts) == len(ids) - refusal_budget.FOR_ALL


def test_an_error_is_written_down_once_with_the_time_at_which_its_limit_frees() -> None:
    now = timezone.now().replace(microsecond=0)
    context = factories.context(now=now)
    with (
        pytest.raises(RateLimited),
        refusals.recorded("refresh", context, customer_id=CUSTOMER),
        refusals.recorded(steps.ASK_FOR_CODE, context, customer_id=CUSTOMER, address=EMAIL),
    ):
        raise RateLimited(limit="codes_per_ip", retry_after=90)
    details = Event.objects.get().details
    assert (details["rule"], details["step"]) == ("codes_per_ip", "ask_for_code")
    assert details["frees_at"] == (now + timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_answer_is_the_same_when_the_event_cannot_be_written() -> None:
    """A 429 of Valkey's limits needs no PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_refusal RENAME TO audit_refusal_away")
    try:
        with pytest.raises(RateLimited), refusals.recorded(steps.REFRESH, factories.context(), customer_id=CUSTOMER):
            raise RateLimited(limit="codes_per_ip", retry_after=90)
        with pytest.raises(DatabaseError):  # but what writes it together with something else fails as a whole
            refusals.record(refusal())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_refusal_away RENAME TO audit_refusal")
    assert Event.objects.count() == 0


def test_an_erased_user_is_not_found_by_the_address_any_more(client_for: MakeClient) -> None:
    customer, other = factories.customer(), factories.customer()
    user = factories.user(customer, EMAIL)
    for of in (customer, other):
        refusals.record(refusal(customer_id=of.id))
    erasure.erase(customer_id=customer.id, user_id=user.id, context=factories.context("system"))
    assert [row.customer_id for row in refusals.of_address(EMAIL)] == [other.id]
    assert Event.objects.filter(action=actions.REFUSED).count() == 2
    refusals.record(refusal(customer_id=customer.id))  # somebody comes by this address again
    assert Refusal.objects.of(customer.id).count() == 2


def test_addresses_are_forgotten_after_ninety_days() -> None:
    now = timezone.now()
    for days in (91, 89):
        refusals.record(refusal(context=factories.context(now=now - timedelta(days=days))))
    assert tasks.forget_addresses() == 1
    assert [(now - row.first_at).days for row in refusals.of_address(EMAIL)] == [89]
    assert Refusal.objects.count() == 2  # the count stays beside its event


def test_users_export_what_was_refused_to_their_proven_address(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer, EMAIL, email_verified_at=timezone.now())
    for _ in range(2):
        refusals.record(refusal(customer_id=customer.id))
    refusals.record(refusal())  # at another customer
    token = factories.session(user).access
    answer = client_for(None).get("/api/auth/me/export?section=refusals", token=token)
    (row,) = answer.document["results"]
    assert (row["count"], row["details"]["rule"], row["action"]) == (2, "codes_per_email", "refused")
