"""`/api/oauth/userinfo`: what a client may know about its user, as it is now (OpenID Connect Core section 5.3)."""

import pytest

from apps.customers.models import Customer
from apps.oauth import clients
from apps.oauth.models import RegisteredClient
from apps.users import lifecycle
from apps.users.models import User
from tests import factories
from tests.oauth.exchanging import anybody, code_for, exchange, refresh, signed_in, userinfo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_claims_follow_the_scopes(customer: Customer, ada: User, client: RegisteredClient, method: str) -> None:
    answer = userinfo(signed_in(client, ada, scope="openid")["access_token"], method)
    assert (answer.status, answer.encrypted) == (200, False)
    assert answer.document == {"sub": str(ada.id)}
    assert answer.headers["cache-control"] == "no-store"
    lifecycle.change_profile(ada, changes={"name": "Ada King"}, context=factories.context())
    full = userinfo(signed_in(client, ada, scope="openid email profile")["access_token"], method).document
    assert full == {"sub": str(ada.id), "email": "ada@example.com", "email_verified": False, "name": "Ada King"}


def test_a_scope_that_is_taken_from_the_client_is_gone_at_once(ada: User, client: RegisteredClient) -> None:
    """C3.4: from what it was granted before, too: at the answer, at the next refresh, and for a code on its way."""
    given = signed_in(client, ada, scope="profile email")
    on_its_way = code_for(client, ada, scope="profile email")
    clients.change(client, changes={"scopes": ["profile"]}, context=factories.context())
    assert "email" not in userinfo(given["access_token"]).document
    assert refresh(client, given["refresh_token"]).document["scope"] == "profile"
    assert exchange(client, on_its_way).document["scope"] == "profile"


def test_a_token_that_no_client_was_given_learns_nothing_here(ada: User) -> None:
    """C2.2.1: what other tokens ask for is answered encrypted, at the other endpoints."""
    refused = userinfo(factories.session(ada).access)
    assert (refused.status, refused.error_type) == (403, "insufficient_scope")
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'


def test_without_a_good_token_there_is_nothing(ada: User, client: RegisteredClient) -> None:
    """RFC 6750 section 3: how to authenticate, and what was wrong."""
    none = anybody().call("GET", "/api/oauth/userinfo")
    assert (none.status, none.headers["www-authenticate"]) == (401, "Bearer")
    given = signed_in(client, ada)
    wrong = userinfo(given["refresh_token"])
    assert (wrong.status, wrong.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


def test_the_apps_page_may_read_the_answer(ada: User, client: RegisteredClient) -> None:
    """C3.8 (CORS)"""
    token = signed_in(client, ada)["access_token"]

    def allowed(origin: str) -> str | None:
        headers = {"Authorization": f"Bearer {token}", "Origin": origin}
        return anybody().call("GET", "/api/oauth/userinfo", headers=headers).headers.get("access-control-allow-origin")

    assert allowed("https://app.example.com") == "https://app.example.com"
    assert allowed("https://evil.example") is None
