"""Sessions, profile and log-out, through the API."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.tokens import devices, emergency_rotation, sessions, tasks
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, RefreshToken, RevokedToken, Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once, outcome
from tests.remembering import forget_everything
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_me_is_the_user_as_it_is_now(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    answer = client_for(None).get("/api/auth/me", token=factories.session(user).access)
    assert answer.encrypted
    assert answer.headers["cache-control"] == "no-store"
    assert answer.document["id"] == str(user.id)
    assert answer.document["email"] == "ada@example.com"
    assert answer.document["customer_id"] == str(customer.id)


def test_the_profile_can_be_changed(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    client, token = client_for(None), factories.session(user).access
    changes = {"name": "Ada", "locale": "de", "phone": "+4915112345678"}
    answer = client.patch("/api/auth/me", changes, token=token)
    assert answer.status == 200
    assert changes.items() <= answer.document.items()
    assert changes.items() <= client.get("/api/auth/me", token=token).document.items()
    user.refresh_from_db()
    assert "4915112345678" not in user.phone  # sealed at rest
    assert Event.objects.get(action="profile_changed").details == {"fields": ["locale", "name", "phone"]}
    assert client.patch("/api/auth/me", {"phone": ""}, token=token).document["phone"] == ""


@pytest.mark.parametrize(
    "body",
    [{"name": "x" * 201}, {"phone": "12"}, {"locale": "tlh"}, {"name": "a\0b"}, {"name": {"a": 1}}, {"name": None}],
)
def test_a_bad_profile_changes_nothing(client_for: MakeClient, body: dict[str, object]) -> None:
    user = factories.user(factories.customer(), name="Ada")
    client, token = client_for(None), factories.session(user).access
    answer = client.patch("/api/auth/me", body, token=token)
    assert (answer.status, answer.error_type, answer.encrypted) == (400, "validation_error", True)
    assert list(answer.document["error"]["fields"]) == list(body)
    assert User.objects.get().name == "Ada"


def test_role_and_status_cannot_be_changed_by_the_user(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    token = factories.session(user).access
    answer = client_for(None).patch("/api/auth/me", {"role": "admin", "status": "x", "email": "y@z.de"}, token=token)
    assert answer.document["role"] == "company_user"


def test_sessions_are_listed_and_ended(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    here = factories.session(user)
    there = factories.session(user, ip="198.51.100.4", user_agent=FIREFOX)
    client = client_for(None)
    page = client.get("/api/auth/sessions", token=here.access).document
    assert page["next"] is None
    assert [row["current"] for row in page["results"]] == [False, True]
    other = page["results"][0]
    assert (other["device"], other["address"]) == ("Firefox on Linux", "198.51.100.4")
    assert client.delete(f"/api/auth/sessions/{other['id']}", token=here.access).status == 200
    assert client.get("/api/auth/me", token=there.access).error_type == "session_ended"
    assert client.delete(f"/api/auth/sessions/{other['id']}", token=here.access).status == 404


def test_all_others_are_ended_at_once(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    here, *others = (factories.session(user) for _ in range(3))
    client = client_for(None)
    answer = client.delete("/api/auth/sessions", token=here.access)
    assert answer.document == {"message": "Other sessions ended", "ended": 2}
    assert [client.get("/api/auth/me", token=pair.access).status for pair in others] == [401, 401]
    assert client.get("/api/auth/me", token=here.access).status == 200


def test_the_only_session_has_no_others_to_end(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    answer = client_for(None).delete("/api/auth/sessions", token=pair.access)
    assert (answer.status, answer.document) == (200, {"message": "Other sessions ended", "ended": 0})
    assert client_for(None).get("/api/auth/me", token=pair.access).status == 200


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


def test_nobody_ends_anothers_session(client_for: MakeClient) -> None:
    """C1.5: neither of another user nor of another customer."""
    customer = factories.customer()
    mine = factories.session(factories.user(customer))
    colleague = factories.session(factories.user(customer, "bob@example.com"))
    stranger = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    for theirs in (colleague, stranger):
        answer = client.delete(f"/api/auth/sessions/{theirs.session_id}", token=mine.access)
        assert (answer.status, answer.error_type) == (404, "not_found")
        assert client.get("/api/auth/me", token=theirs.access).status == 200
    assert client.delete(f"/api/auth/sessions/{uuid4()}", token=mine.access).status == 404


def test_pages_of_sessions_follow_one_another(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    pairs = [factories.session(user) for _ in range(5)]
    client, token = client_for(None), pairs[0].access
    first = client.get("/api/auth/sessions?limit=3", token=token).document
    second = client.get(f"/api/auth/sessions?limit=3&cursor={first['next']}", token=token).document
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert ids == [str(pair.session_id) for pair in reversed(pairs)]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=²", "cursor=!", "cursor=AAAA", "cursor=é"])
def test_bad_pages_are_refused(client_for: MakeClient, query: str) -> None:
    from urllib.parse import quote

    token = factories.session(factories.user(factories.customer())).access
    answer = client_for(None).get(f"/api/auth/sessions?{quote(query, safe='=')}", token=token)
    assert (answer.status, answer.error_type) == (400, "validation_error")


def test_logging_out_ends_the_session_and_blacklists_the_token(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    answer = client.post("/api/auth/logout", {}, token=pair.access)
    assert answer.document == {"message": "Logged out successfully"}
    assert client.get("/api/auth/me", token=pair.access).error_type == "token_revoked"
    assert client.refresh(pair.refresh).error_type == "session_ended"
    assert RevokedToken.objects.get().jti == pair.jti
    assert Session.objects.get().end_reason == "logout"


def test_logging_out_without_a_body_is_fine(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    assert client_for(None).with_token("POST", "/api/auth/logout", token=pair.access).status == 200


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
    client.refresh(factories.session(user).refresh)  # Valkey knows the limit's script from here on
    with counted() as refreshing:
        fresh = client.refresh(pair.refresh).document
    # Lock the session, find the token, insert the successor, mark the old one, prolong the session; the event.
    assert (len(refreshing.statements), refreshing.transactions, refreshing.round_trips) == (6, 1, 1)
    client.get("/api/auth/me", token=fresh["access_token"])
    with counted() as logging_out:
        client.post("/api/auth/logout", {}, token=fresh["access_token"])
    # Lock and end the session; look for, then insert the blacklist entry (in a savepoint); the event; announce.
    assert (len(logging_out.statements), logging_out.transactions, logging_out.round_trips) == (6, 1, 0)


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


def test_ending_the_others_when_there_are_none_is_no_error(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    answer = client_for(None).delete("/api/auth/sessions", token=pair.access)
    assert answer.document == {"message": "Other sessions ended", "ended": 0}
