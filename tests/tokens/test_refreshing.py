"""Refresh: works once, repeats its answer within the grace, and ends the session after it (contract 3.6)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from apps.audit.models import Event
from apps.core import valkey
from apps.customers import lifecycle as customers
from apps.tokens import minting, refreshing, sessions
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.users import lifecycle
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once, outcome

pytestmark = pytest.mark.django_db(transaction=True)


def age(seconds: float) -> None:
    """Let so many seconds pass since every refresh token was used."""
    for row in RefreshToken.objects.exclude(used_at=None):
        RefreshToken.objects.filter(id=row.id).update(used_at=row.used_at - timedelta(seconds=seconds))


def test_refresh_rotates_both_tokens(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    fresh = client.refresh(pair.refresh)
    assert fresh.status == 200
    assert set(fresh.document) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert fresh.document["refresh_token"] != pair.refresh
    assert client.get("/api/auth/me", token=fresh.document["access_token"]).status == 200
    assert client.refresh(fresh.document["refresh_token"]).status == 200


def test_within_the_grace_the_same_successor_comes_again(client_for: MakeClient) -> None:
    """C3.6: a lost answer or a second tab signs nobody out."""
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    first, second = client.refresh(pair.refresh), client.refresh(pair.refresh)
    assert first.document == second.document
    (used_at,) = RefreshToken.objects.exclude(used_at=None).values_list("used_at", flat=True)
    nine_seconds_later = factories.context(now=used_at + timedelta(seconds=9))
    third = refreshing.refresh(pair.refresh, context=nine_seconds_later).pair
    assert (third.access, third.refresh) == (first.document["access_token"], first.document["refresh_token"])
    assert RefreshToken.objects.count() == 2


def test_after_the_grace_reuse_ends_the_session(client_for: MakeClient) -> None:
    """C3.6: refresh_token_reused, the end of the session, a security event."""
    customer = factories.customer()
    pair = factories.session(factories.user(customer))
    client = client_for(None)
    fresh = client.refresh(pair.refresh).document
    age(11)
    reused = client.refresh(pair.refresh)
    assert (reused.status, reused.error_type) == (401, "refresh_token_reused")
    assert Session.objects.get().end_reason == "refresh_reuse"
    assert client.get("/api/auth/me", token=fresh["access_token"]).error_type == "session_ended"
    assert client.refresh(fresh["refresh_token"]).error_type == "session_ended"
    event = Event.objects.get(action="refresh_token_reused")
    assert (event.severity, event.customer_id) == ("high", customer.id)


def test_the_grace_can_be_switched_off(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer(refresh_grace=0)))
    client = client_for(None)
    assert client.refresh(pair.refresh).status == 200
    assert client.refresh(pair.refresh).error_type == "refresh_token_reused"


@pytest.mark.parametrize("grace", [0, 60])  # the longest: two hundred take their time
def test_of_200_simultaneous_refreshes_one_rotates(grace: int) -> None:
    """C3.6: of N simultaneous uses exactly one rotates."""
    customer = factories.customer(refresh_grace=grace)
    factories.limit(customer, "refreshes_per_session", 1000, 60)
    pair = factories.session(factories.user(customer))
    results = at_once(200, lambda _: outcome(lambda: refreshing.refresh(pair.refresh, context=factories.context())))
    assert RefreshToken.objects.count() == 2
    assert RefreshToken.objects.filter(used_at=None).count() == 1
    assert results.count("done") == (200 if grace else 1)


def test_simultaneous_refreshes_get_one_and_the_same_successor() -> None:
    customer = factories.customer(refresh_grace=60)
    pair = factories.session(factories.user(customer))
    answers = at_once(40, lambda _: refreshing.refresh(pair.refresh, context=factories.context()).pair)
    assert len({answer.refresh for answer in answers}) == 1
    assert len({answer.access for answer in answers}) == 1


def test_a_signature_without_a_row_is_worth_nothing(client_for: MakeClient) -> None:
    """C3.6: it counts only with its row in PostgreSQL."""
    pair = factories.session(factories.user(factories.customer()))
    RefreshToken.objects.all().delete()
    assert client_for(None).refresh(pair.refresh).error_type == "invalid_token"


def test_refreshed_tokens_carry_the_role_of_now(client_for: MakeClient) -> None:
    import jwt

    user = factories.user(factories.customer())
    pair = factories.session(user)
    lifecycle.change(user, changes={"role": "admin"}, context=factories.context("x"))
    fresh = client_for(None).refresh(pair.refresh).document["access_token"]
    assert jwt.decode(fresh, options={"verify_signature": False})["role"] == "admin"


def test_refreshes_of_a_session_are_limited(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.limit(customer, "refreshes_per_session", 2, 60)
    user = factories.user(customer)
    token = factories.session(user).refresh
    client = client_for(None)
    for _ in range(2):
        token = client.refresh(token).document["refresh_token"]
    refused = client.refresh(token)
    assert (refused.status, refused.document["error"]["limit"]) == (429, "refreshes_per_session")
    assert client.refresh(factories.session(user).refresh).status == 200


def test_lifetimes_are_the_customers(client_for: MakeClient) -> None:
    """C3.5: access 5 min to 24 h, refresh 1 h to 90 days."""
    from apps.core.errors import ValidationFailed

    customer = factories.customer(access_lifetime=300, refresh_lifetime=3600)
    pair = factories.session(factories.user(customer))
    assert pair.expires_in == 300
    assert client_for(None).refresh(pair.refresh).document["expires_in"] == 300
    for wrong in ({"access_lifetime": 299}, {"access_lifetime": 86_401}, {"refresh_lifetime": 3599}):
        with pytest.raises(ValidationFailed):
            factories.policy(customer, **wrong)


@pytest.mark.parametrize("refreshed", [False, True])
def test_an_access_token_may_outlive_the_refresh_token(client_for: MakeClient, *, refreshed: bool) -> None:
    """C3.5: the session ends when neither is good any more."""
    customer = factories.customer(access_lifetime=25_200, refresh_lifetime=3600)
    pair = factories.session(factories.user(customer), now=timezone.now() - timedelta(seconds=600))
    if refreshed:
        assert client_for(customer).refresh(pair.refresh).status == 200
    newest = RefreshToken.objects.get(used_at=None)
    assert Session.objects.get().expires_at == newest.access_expires_at > newest.expires_at


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"nonsense", b'{"refresh_token": 7}', b'{"refresh_token": ""}'])
def test_bad_bodies_are_refused(client_for: MakeClient, body: bytes) -> None:
    answer = client_for(None).call("POST", "/api/auth/refresh", body)
    assert answer.status in (400, 401)
    assert answer.error_type in {"validation_error", "malformed_request", "malformed_token"}


def test_a_key_of_another_customer_does_not_refresh(client_for: MakeClient) -> None:
    """And leaves an event with the token's customer, as any other call with such a key does."""
    one, other = factories.customer(), factories.customer()
    pair = factories.session(factories.user(one))
    assert client_for(other).refresh(pair.refresh).error_type == "invalid_api_key"
    (event,) = Event.objects.of(one.id).filter(action="refused")
    assert event.details == {"rule": "invalid_api_key", "step": "refresh"}
    assert client_for(one).refresh(pair.refresh).status == 200


def test_refreshing_goes_on_without_valkey(client_for: MakeClient, valkey_away: object) -> None:
    pair = factories.session(factories.user(factories.customer()))
    valkey_away.kill()  # type: ignore[attr-defined]
    fresh = client_for(None).refresh(pair.refresh)
    assert fresh.status == 200
    assert client_for(None).get("/api/auth/me", token=fresh.document["access_token"]).status == 200
    with pytest.raises(valkey.ValkeyUnavailable), valkey.reachable():
        valkey.client().ping()


def test_the_allowlist_binds_refresh_tokens_when_the_customer_says_so(client_for: MakeClient) -> None:
    """C1.6: a refresh token is one of the customer's tokens; a stolen one is worthless elsewhere, and not used up there."""
    customer = factories.customer()
    customers.replace_allowlist(customer=customer, networks={"192.0.2.0/24": ""}, context=factories.context("x"))
    pair = factories.session(factories.user(customer))
    outside = client_for(None, ip="198.51.100.1")
    pair_token = outside.refresh(pair.refresh).document["refresh_token"]
    factories.policy(customer, enforce_allowlist_on_tokens=True)
    refused = outside.refresh(pair_token)
    assert (refused.status, refused.error_type) == (403, "ip_not_allowed")
    assert RefreshToken.objects.filter(used_at=None).count() == 1
    assert client_for(None).refresh(pair_token).status == 200


def test_a_session_that_ends_while_it_refreshes_is_ended(client_for: MakeClient) -> None:
    """C3.4: whichever comes first, nothing minted in the race outlives the end."""
    customer = factories.customer()
    user, client = factories.user(customer), client_for(None)
    for _ in range(8):
        pair = factories.session(user)
        fresh: list[str] = []

        def act(number: int, pair: minting.TokenPair = pair, fresh: list[str] = fresh) -> str:
            if number % 2:
                return outcome(lambda: end(pair.session_id))
            return outcome(
                lambda: fresh.append(refreshing.refresh(pair.refresh, context=factories.context()).pair.access)
            )

        def end(session_id: UUID) -> None:
            sessions.end_one(
                customer_id=customer.id,
                user_id=user.id,
                session_id=session_id,
                reason=EndReason.OPERATOR,
                context=factories.context("x"),
            )

        results = at_once(4, act)
        assert set(results) <= {"done", "SessionEnded", "NotFound"}
        assert results[1::2].count("done") == 1
        for token in (pair.access, *fresh):
            assert client.get("/api/auth/me", token=token).error_type == "session_ended"


def test_the_limit_holds_without_valkey_and_says_when_to_come_back(client_for: MakeClient, valkey_away: object) -> None:
    """C6: the session's own rows are counted, so nothing that Valkey loses lets a session refresh more often."""
    customer = factories.customer()
    factories.limit(customer, "refreshes_per_session", 2, 60)
    token = factories.session(factories.user(customer)).refresh
    client = client_for(None)
    valkey_away.kill()  # type: ignore[attr-defined]
    for _ in range(2):
        token = client.refresh(token).document["refresh_token"]
    refused = client.refresh(token)
    assert (refused.status, refused.document["error"]["limit"]) == (429, "refreshes_per_session")
    assert 55 <= int(refused.headers["retry-after"]) <= 62
    issued_before(seconds=62)
    assert client.refresh(token).status == 200


def test_the_token_of_the_sign_in_does_not_count_against_the_limit(client_for: MakeClient) -> None:
    """Whether the session began a moment ago or long before: the same number of refreshes."""
    customer = factories.customer()
    factories.limit(customer, "refreshes_per_session", 1, 60)
    user, client = factories.user(customer), client_for(None)
    for began in (timezone.now(), timezone.now() - timedelta(minutes=10)):
        fresh = client.refresh(factories.session(user, now=began).refresh)
        assert fresh.status == 200
        assert client.refresh(fresh.document["refresh_token"]).status == 429


def test_what_others_change_while_a_process_remembers_the_session_is_seen(client_for: MakeClient) -> None:
    """The statement reads session and user itself: nothing remembered makes a token count."""
    customer = factories.customer()
    client = client_for(None)
    for change in (
        lambda pair: Session.objects.filter(id=pair.session_id).update(ended_at=timezone.now()),
        lambda pair: Session.objects.filter(id=pair.session_id).update(expires_at=timezone.now()),
        lambda pair: User.objects.filter(sessions__id=pair.session_id).update(status="deactivated"),
        lambda pair: RefreshToken.objects.filter(session=pair.session_id).delete(),
    ):
        pair = factories.session(factories.user(customer, email=f"{uuid4().hex}@example.com"))
        client.get("/api/auth/me", token=pair.access)  # remembered as it was
        change(pair)  # without an announcement
        events = Event.objects.filter(action="token_refreshed").count()
        assert client.refresh(pair.refresh).status == 401
        assert not RefreshToken.objects.filter(session=pair.session_id).exclude(used_at=None).exists()
        assert Event.objects.filter(action="token_refreshed").count() == events


def issued_before(*, seconds: float) -> None:
    """Let so many seconds pass since every token was issued and every session began."""
    past = timedelta(seconds=seconds)
    RefreshToken.objects.update(issued_at=F("issued_at") - past)
    Session.objects.update(created_at=F("created_at") - past)
