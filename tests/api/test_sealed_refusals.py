"""C2.2.1: a genuine token's refusals are encrypted too, also where it is refused before it counts; a 401 never is."""

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


def test_of_a_suspended_customer(client_for: MakeClient, customer: Customer) -> None:
    """C1.8; the demo client opens it, so it is bound to this call and its status."""
    token = factories.session(factories.user(customer)).access
    lifecycle.suspend(customer, context=factories.context(WHO))
    for method, document in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        refused = client_for(None).with_token(method, ME, document, token=token)
        assert (refused.status, refused.error_type, refused.encrypted) == (403, "customer_suspended", True)


def test_from_outside_the_allowlist(client_for: MakeClient, customer: Customer) -> None:
    """C1.6."""
    token = factories.session(factories.user(customer)).access
    networks = {"198.51.100.0/24": ""}
    lifecycle.replace_allowlist(customer=customer, networks=networks, context=factories.context(WHO))
    factories.policy(customer, enforce_allowlist_on_tokens=True)
    refused = client_for(None).get(ME, token=token)
    assert (refused.status, refused.error_type, refused.encrypted) == (403, "ip_not_allowed", True)


def test_of_a_cookie_without_its_proof(client_for: MakeClient, customer: Customer) -> None:
    """C3.8."""
    pair = factories.session(factories.user(customer), delivery="cookie")
    headers = {"Cookie": f"__Host-gatehouse_access={pair.access}"}
    keys = TokenKeys(pair.access)
    refused = client_for(None).call("POST", "/api/auth/logout", headers=headers, keys=keys)
    assert (refused.status, refused.error_type, refused.encrypted) == (403, "csrf_failed", True)


def test_of_a_role_that_one_lacks_as_before(client_for: MakeClient, customer: Customer) -> None:
    """Whatever else is refused after the token has counted."""
    token = factories.session(factories.user(customer)).access
    missing = client_for(None).delete("/api/auth/sessions/01900000-0000-7000-8000-00000000abcd", token=token)
    assert (missing.status, missing.encrypted) == (404, True)


def test_a_forged_token_is_told_nothing_by_it(client_for: MakeClient, customer: Customer) -> None:
    """There is no genuine token to encrypt to, and no 403 either."""
    token = factories.session(factories.user(customer)).access
    lifecycle.suspend(customer, context=factories.context(WHO))
    for forged in (token[:-4] + "AAAA", "a.b.c", token.replace(".", "..")):
        refused = client_for(None).call("GET", ME, headers={"Authorization": f"Bearer {forged}"})
        assert refused.status in (400, 401)
        assert not refused.encrypted


def test_an_expired_token_is_no_longer_genuine(client_for: MakeClient, customer: Customer) -> None:
    from datetime import timedelta

    token = factories.session(factories.user(customer), now=timezone.now() - timedelta(days=2)).access
    lifecycle.suspend(customer, context=factories.context(WHO))
    refused = client_for(None).get(ME, token=token)
    assert (refused.status, refused.error_type, refused.encrypted) == (401, "token_expired", False)


def test_before_sign_in_and_at_refresh_there_is_nothing_to_encrypt_to(
    client_for: MakeClient, customer: Customer
) -> None:
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
def test_the_path_counts_with_unreserved_characters_decoded(
    client_for: MakeClient, customer: Customer, settings: object, sent: str, meant: str
) -> None:
    """C2.2.2: a proxy may encode them or not; both ends derive the key from the same path."""
    token = factories.session(factories.user(customer)).access
    client = CheckedClient(send=over_django(REMOTE_ADDR="192.0.2.7", RAW_URI=sent))
    answer = client.call("GET", meant, headers={"Authorization": f"Bearer {token}"}, keys=TokenKeys(token))
    if meant == ME:
        assert (answer.status, answer.encrypted, answer.document["email"]) == (200, True, "ada@example.com")
