"""Registered clients refresh what they were given, and nobody else does (contract 3.6, hosted sign-in)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.customers.models import Customer
from apps.oauth import clients
from apps.oauth.models import RegisteredClient
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.users import lifecycle
from apps.users.models import User, UserStatus
from tests import factories
from tests.oauth.exchanging import anybody, hosted, post, refresh, signed_in
from tests.oauth.test_token_endpoint import claims_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refresh_token_rotates_with_the_client(customer: Customer, ada: User, client: RegisteredClient) -> None:
    """C3.6: within the grace the same successor; after it the session ends."""
    first = signed_in(client, ada, nonce="n")
    answer = refresh(client, first["refresh_token"])
    assert answer.status == 200
    second = answer.document
    assert second["refresh_token"] != first["refresh_token"]
    assert (second["scope"], second["user"]["id"]) == ("openid email", str(ada.id))
    said = claims_of(second["id_token"], customer, client.client_id)
    assert "nonce" not in said  # OpenID Connect Core section 12.2
    assert said["auth_time"] == claims_of(first["id_token"], customer, client.client_id)["auth_time"]
    again = refresh(client, first["refresh_token"]).document
    assert again["refresh_token"] == second["refresh_token"]
    long_ago = timezone.now() - timedelta(minutes=1)
    RefreshToken.objects.filter(used_at__isnull=False).update(used_at=long_ago)
    assert refresh(client, first["refresh_token"]).error_type == "invalid_grant"
    assert refresh(client, second["refresh_token"]).error_type == "invalid_grant"
    assert Session.objects.get(oauth_client_id=client.client_id).end_reason == EndReason.REFRESH_REUSE


def test_scopes_can_be_narrowed_and_never_widened(customer: Customer, ada: User, client: RegisteredClient) -> None:
    """RFC 6749 section 6"""
    given = signed_in(client, ada, scope="openid email")
    assert refresh(client, given["refresh_token"], scope="openid profile").error_type == "invalid_scope"
    narrow = refresh(client, given["refresh_token"], scope="openid").document
    assert narrow["scope"] == "openid"
    assert "email" not in claims_of(narrow["id_token"], customer, client.client_id)
    assert refresh(client, narrow["refresh_token"]).document["scope"] == "openid email"


def test_each_session_is_refreshed_at_its_own_place(customer: Customer, ada: User, client: RegisteredClient) -> None:
    """C4 (hosted sign-in): a client's with its authentication alone; never at the other endpoint, nor another client's."""
    mine = signed_in(client, ada)["refresh_token"]
    other, _ = factories.oauth_client(customer)
    secretive, _secret = factories.oauth_client(customer, is_confidential=True)
    assert refresh(other, mine).error_type == "invalid_grant"
    assert refresh(secretive, mine).error_type == "invalid_client"
    assert anybody().refresh(mine).error_type == "invalid_token"
    for stranger in (factories.session(ada).refresh, hosted(ada).refresh, "x", "a.b.c", mine[:-1]):
        assert refresh(client, stranger).error_type == "invalid_grant"
    stranger = signed_in(*of_another_customer())["refresh_token"]
    assert refresh(client, stranger).error_type == "invalid_grant"
    assert refresh(client, mine).status == 200  # nothing of all that has used it up


def of_another_customer() -> tuple[RegisteredClient, User]:
    other = factories.customer(algorithm="ES256")
    return factories.oauth_client(other)[0], factories.user(other)


def test_a_user_who_is_not_active_any_more_is_not_refreshed(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    given = signed_in(client, ada)
    lifecycle.deactivate(ada, context=factories.context())
    assert refresh(client, given["refresh_token"]).error_type == "invalid_grant"
    assert User.objects.get(id=ada.id).status == UserStatus.DEACTIVATED


def test_openid_goes_when_the_customer_signs_with_a_shared_secret(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    given = signed_in(client, ada)
    factories.policy(customer, algorithm="HS256")
    answer = refresh(client, given["refresh_token"]).document
    assert answer["scope"] == "email"
    assert "id_token" not in answer


def test_disabling_or_deleting_a_client_ends_its_sessions_at_once(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    """C3.4"""
    other, _ = factories.oauth_client(customer)
    given, others = signed_in(client, ada), signed_in(other, ada)
    clients.disable(client, context=factories.context())
    assert anybody().get("/api/auth/me", token=given["access_token"]).error_type == "session_ended"
    assert refresh(client, given["refresh_token"]).error_type == "invalid_client"
    assert anybody().get("/api/auth/me", token=others["access_token"]).status == 200
    clients.enable(client, context=factories.context())
    assert refresh(client, given["refresh_token"]).error_type == "invalid_grant"
    clients.delete(other, context=factories.context())
    assert anybody().get("/api/auth/me", token=others["access_token"]).error_type == "session_ended"
    assert refresh(other, others["refresh_token"]).error_type == "invalid_client"


def test_a_client_revokes_what_it_was_given_and_nothing_else(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    """RFC 7009"""

    def revoke(token: str, by: RegisteredClient = client) -> int:
        return post("/api/oauth/revoke", {"client_id": by.client_id, "token": token}).status

    other, _ = factories.oauth_client(customer)
    given, own = signed_in(client, ada), factories.session(ada)
    for token in (own.access, own.refresh, "x", given["id_token"]):
        assert revoke(token) == 200
    assert revoke(given["refresh_token"], other) == 200
    assert anybody().get("/api/auth/me", token=own.access).status == 200
    assert anybody().get("/api/auth/me", token=given["access_token"]).status == 200
    assert revoke(given["access_token"]) == 200
    assert anybody().get("/api/auth/me", token=given["access_token"]).error_type == "token_revoked"
    fresh = refresh(client, given["refresh_token"]).document
    assert revoke(fresh["refresh_token"]) == 200
    assert anybody().get("/api/auth/me", token=fresh["access_token"]).error_type == "session_ended"
    nobody = post("/api/oauth/revoke", {"client_id": "nobody", "token": own.access})
    assert (nobody.status, nobody.error_type) == (401, "invalid_client")
    assert post("/api/oauth/revoke", {"client_id": client.client_id}).error_type == "invalid_request"
