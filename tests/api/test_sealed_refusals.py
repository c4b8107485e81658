"""C2.2.1: refusals of a genuine token are encrypted too, even before its session is looked at; a 401 never is."""

from functools import partial

import pytest
from django.utils import timezone

from apps.customers import lifecycle
from apps.customers.models import Customer
from demo.client import TokenKeys
from tests import factories
from tests.conftest import MakeClient, over_django
from tests.contract.documented import CheckedClient

pytestmark = pytest.mark.django_db(transaction=True)
ME = "/api/auth/me"
WHO = "operator:x"


@pytest.fixture
def customer() -> Customer:
    return factories.customer()


def test_a_refusal_of_a_suspended_customer_is_sealed(client_for: MakeClient, customer: Customer) -> None:
    """C1.8: the client can open it, so it is bound to this call and its status."""
    token = factories.session(factories.user(customer)).access
    lifecycle.suspend(customer, context=factories.context(WHO))
    for method, document in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        refused = client_for(None).with_token(method, ME, document, token=token)
        assert (refused.status, refused.error_type, refused.encrypted) == (403, "customer_suspended", True)


def test_a_refusal_of_an_address_outside_the_allowlist_is_sealed(client_for: MakeClient, customer: Customer) -> None:
    """C1.6."""
    token = factories.session(factories.user(customer)).access
    networks = {"198.51.100.0/24": ""}
    lifecycle.replace_allowlist(customer=customer, networks=networks, context=factories.context(WHO))
    factories.policy(customer, enforce_allowlist_on_tokens=True)
    refused = client_for(None).get(ME, token=token)
    assert (refused.status, refused.error_type, refused.encrypted) == (403, "ip_not_allowed", True)


def test_a_refusal_of_a_cookie_without_its_csrf_token_is_sealed(client_for: MakeClient, customer: Customer) -> None:
    """C3.8."""
    pair = factories.session(factories.user(customer), delivery="cookie")
    headers = {"Cookie": f"__Host-gatehouse_access={pair.access}"}
    keys = TokenKeys(prk=pair.payload_key, kid=str(pair.session_id))
    refused = client_for(None).call("POST", "/api/auth/logout", headers=headers, keys=keys)
    assert (refused.status, refused.error_type, refused.encrypted) == (403, "csrf_failed", True)


def test_refusals_of_a_cookie_are_sealed_under_the_key_of_its_session(
    client_for: MakeClient, customer: Customer
) -> None:
    """C2.2.1, C3.8: the page has no other."""
    pair = factories.session(factories.user(customer), delivery="cookie")
    call = partial(
        client_for(None).call,
        headers={"Cookie": f"__Host-gatehouse_access={pair.access}"},
        keys=TokenKeys(prk=pair.payload_key, kid=str(pair.session_id)),
    )
    networks = {"198.51.100.0/24": ""}
    lifecycle.replace_allowlist(customer=customer, networks=networks, context=factories.context(WHO))
    factories.policy(customer, enforce_allowlist_on_tokens=True)
    outside = call("GET", ME)
    assert (outside.status, outside.error_type, outside.encrypted) == (403, "ip_not_allowed", True)
    lifecycle.suspend(customer, context=factories.context(WHO))
    suspended = call("GET", ME)
    assert (suspended.status, suspended.error_type, suspended.encrypted) == (403, "customer_suspended", True)


def test_a_refusal_for_a_missing_role_is_sealed(client_for: MakeClient, customer: Customer) -> None:
    """As for every refusal after the token has been accepted."""
    token = factories.session(factories.user(customer)).access
    missing = client_for(None).delete("/api/auth/sessions/01900000-0000-7000-8000-00000000abcd", token=token)
    assert (missing.status, missing.encrypted) == (404, True)


def test_a_refusal_of_a_forged_token_is_plain_and_says_nothing(client_for: MakeClient, customer: Customer) -> None:
    """There is no genuine token to encrypt to, and no 403 either."""
    token = factories.session(factories.user(customer)).access
    lifecycle.suspend(customer, context=factories.context(WHO))
    for forged in (token[:-4] + "AAAA", "a.b.c", token.replace(".", "..")):
        refused = client_for(None).call("GET", ME, headers={"Authorization": f"Bearer {forged}"})
        assert refused.status in (400, 401)
        assert not refused.encrypted


def test_a_refusal_of_an_expired_token_is_plain(client_for: MakeClient, customer: Customer) -> None:
    from datetime import timedelta

    token = factories.session(factories.user(customer), now=timezone.now() - timedelta(days=2)).access
    lifecycle.suspend(customer, context=factories.context(WHO))
    refused = client_for(None).get(ME, token=token)
    assert (refused.status, refused.error_type, refused.encrypted) == (401, "token_expired", False)


def test_refusals_before_sign_in_and_at_refresh_are_plain(client_for: MakeClient, customer: Customer) -> None:
    pair, client = factories.session(factories.user(customer)), client_for(customer)
    lifecycle.suspend(customer, context=factories.context(WHO))
    for refused in (client.request_otp("ada@example.com"), client_for(None).refresh(pair.refresh)):
        assert (refused.status, refused.error_type, refused.encrypted) == (403, "customer_suspended", False)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/api/auth/%6D%65", "/api/auth/me"),
        ("/%61pi/auth/m%65", "/api/auth/me"),
        ("/api/auth/me%3f", "/api/auth/me%3f"),  # reserved: stays as it was sent
    ],
)
def test_the_key_is_bound_to_the_path_with_unreserved_characters_decoded(
    client_for: MakeClient, customer: Customer, settings: object, sent: str, meant: str
) -> None:
    """C2.2.2: a proxy may encode them or not; both ends derive the key from the same path."""
    token = factories.session(factories.user(customer)).access
    client = CheckedClient(send=over_django(REMOTE_ADDR="192.0.2.7", RAW_URI=sent))
    answer = client.call("GET", meant, headers={"Authorization": f"Bearer {token}"}, keys=TokenKeys(token))
    if meant == ME:
        assert (answer.status, answer.encrypted, answer.document["email"]) == (200, True, "ada@example.com")
