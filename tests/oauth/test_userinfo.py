"""`/api/oauth/userinfo`: what a client may know about its user, as it is now (OpenID Connect Core section 5.3)."""

import pytest

from apps.customers.models import Customer
from apps.oauth.models import RegisteredClient
from apps.users import lifecycle
from apps.users.models import User
from tests import factories
from tests.oauth.exchanging import anybody, signed_in, userinfo

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
