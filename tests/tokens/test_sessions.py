"""What sessions cost, how they are kept and cleared away, and what holds when Valkey is away."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.customers.models import Customer
from apps.tokens import devices, emergency_rotation, sessions, tasks
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once, outcome
from tests.remembering import forget_everything
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_all_may_end_all_at_once() -> None:
    """C3.7: an emergency rotation is not undone by users who end the same sessions at that moment, in another order."""
    for _ in range(4):
        customer = factories.customer()
        user = factories.user(customer)
        pairs = [factories.session(user) for _ in range(20)]
        results = at_once(4, lambda number, of=(customer, user, pairs): outcome(lambda: end_many(number, *of)))
        assert results == ["done"] * 4
        assert not Session.objects.filter(customer=customer, ended_at=None).exists()


def end_many(number: int, customer: Customer, user: User, pairs: list[TokenPair]) -> None:
    facts = factories.context("x")
    if number == 3:
        emergency_rotation.rotate_in_emergency(customer, context=facts)
    else:
        sessions.end_all(
            customer_id=customer.id,
            user_id=user.id,
            except_for=pairs[number].session_id,
            reason=EndReason.REVOKED,
            context=facts,
        )


def test_an_authenticated_request_costs_one_query_when_nothing_is_remembered_and_then_none(
    client_for: MakeClient,
) -> None:
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    forget_everything()
    with counted() as cold:
        assert client.get("/api/auth/me", token=pair.access).status == 200
    assert (len(cold.statements), cold.round_trips) == (1, 0)  # session, user, roles and customer together
    with counted() as warm:
        assert client.get("/api/auth/me", token=pair.access).status == 200
    assert (warm.statements, warm.round_trips) == ([], 0)


def test_other_calls_cost_what_they_must(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    pair, client = factories.session(user), client_for(None)
    client.get("/api/auth/me", token=pair.access)
    with counted() as listing:
        client.get("/api/auth/sessions", token=pair.access)
    assert (len(listing.statements), listing.round_trips) == (1, 0)
    with counted() as refreshing:
        fresh = client.refresh(pair.refresh).document
    # One statement, which commits by itself: how session, user and limit stand, the old token, its successor, the event.
    assert (len(refreshing.statements), refreshing.transactions, refreshing.round_trips) == (1, 0, 0)
    client.get("/api/auth/me", token=fresh["access_token"])
    with counted() as logging_out:
        client.post("/api/auth/logout", {}, token=fresh["access_token"])
    # One statement, which commits by itself: the session, the blacklist entry, the event, and the announcement.
    assert (len(logging_out.statements), logging_out.transactions, logging_out.round_trips) == (1, 0, 0)


def test_changes_cost_what_they_must(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    pair, *others = (factories.session(user) for _ in range(4))
    client = client_for(None)
    client.get("/api/auth/me", token=pair.access)
    with counted() as ending_one:
        client.delete(f"/api/auth/sessions/{others[0].session_id}", token=pair.access)
    # Lock, end, event, announce.
    assert (len(ending_one.statements), ending_one.transactions, ending_one.round_trips) == (4, 1, 0)
    with counted() as ending_others:
        client.delete("/api/auth/sessions", token=pair.access)
    assert (len(ending_others.statements), ending_others.transactions, ending_others.round_trips) == (4, 1, 0)
    with counted() as changing:
        client.patch("/api/auth/me", {"name": "Ada"}, token=pair.access)
    # Read, lock, update, event, announce.
    assert (len(changing.statements), changing.transactions, changing.round_trips) == (5, 1, 0)


def test_activity_is_written_at_most_once_a_minute(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    long_ago = timezone.now() - timedelta(minutes=5)
    Session.objects.update(last_activity_at=long_ago)
    client.get("/api/auth/me", token=pair.access)
    written = Session.objects.get().last_activity_at
    assert written > long_ago
    client.get("/api/auth/me", token=pair.access)
    assert Session.objects.get().last_activity_at == written


def test_without_valkey_tokens_are_verified_from_postgresql(client_for: MakeClient, valkey_away: object) -> None:
    """C3.4: Valkey killed in mid-run; a revoked token stays revoked, also once Valkey is back with its old data."""
    user = factories.user(factories.customer())
    kept, ended = factories.session(user), factories.session(user)
    client = client_for(None)
    for pair in (kept, ended):
        assert client.get("/api/auth/me", token=pair.access).status == 200  # remembered from here on
    valkey_away.kill()  # type: ignore[attr-defined]
    assert client.get("/api/auth/me", token=kept.access).status == 200
    answer = client.post("/api/auth/logout", {}, token=ended.access)
    assert answer.document == {"message": "Logged out successfully"}
    assert client.get("/api/auth/me", token=ended.access).error_type == "token_revoked"
    valkey_away.start()  # type: ignore[attr-defined]
    assert client.get("/api/auth/me", token=ended.access).error_type == "token_revoked"
    assert client.get("/api/auth/me", token=kept.access).status == 200


def test_codes_are_never_unlimited_without_valkey(client_for: MakeClient, valkey_away: object) -> None:
    client = client_for(factories.customer())
    valkey_away.kill()  # type: ignore[attr-defined]
    for answer in (client.request_otp("ada@example.com"), client.verify_otp("ada@example.com", "123456")):
        assert (answer.status, answer.error_type) == (503, "temporarily_unavailable")


def test_what_no_token_needs_any_more_is_removed() -> None:
    user = factories.user(factories.customer())
    factories.session(user, now=timezone.now() - timedelta(days=60))
    kept = factories.session(user)
    assert tasks.remove_expired() >= 2
    assert Session.objects.get().id == kept.session_id
    assert RefreshToken.objects.count() == 1


def test_sessions_that_ended_long_ago_are_removed_before_they_would_expire(client_for: MakeClient) -> None:
    user = factories.user(factories.customer(refresh_lifetime=90 * 86_400))
    left, kept = factories.session(user), factories.session(user)
    client = client_for(None)
    client.post("/api/auth/logout", {}, token=left.access)
    assert tasks.remove_expired() == 0
    Session.objects.exclude(ended_at=None).update(ended_at=timezone.now() - timedelta(days=31))
    assert tasks.remove_expired() > 0
    assert Session.objects.get().id == kept.session_id
    assert client.get("/api/auth/me", token=left.access).status == 401
    assert client.refresh(left.refresh).status == 401


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
            "Chrome on macOS",
        ),
        (FIREFOX, "Firefox on Linux"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
        ("\u00e9" * 512, "Unknown device"),
    ],
)
def test_devices_have_the_names_that_their_users_know(user_agent: str, name: str) -> None:
    assert devices.name_of(user_agent) == name
