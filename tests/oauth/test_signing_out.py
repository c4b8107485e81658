"""Signing out by the app (OpenID Connect RP-Initiated Logout 1.0): what is meant, who may say so, and what ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.customers import lifecycle as customers
from apps.customers.errors import CustomerSuspended
from apps.customers.models import Customer
from apps.oauth import client_tokens, signing_out
from apps.oauth.errors import UnusableRequest
from apps.oauth.models import RegisteredClient
from apps.oauth.signing_out import LogoutRequest
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.oauth.exchanging import code_for, exchange, hosted, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

GOODBYE = "https://app.example.com/goodbye"


@pytest.fixture
def client(customer: Customer) -> RegisteredClient:
    return factories.oauth_client(customer, post_logout_redirect_uris=[GOODBYE])[0]


def parsed(**parameters: Any) -> LogoutRequest:
    many = {name: value if isinstance(value, list) else [value] for name, value in parameters.items()}
    return signing_out.parse(many, now=timezone.now())


def test_an_app_signs_its_user_out_everywhere_that_hangs_together(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    """C4 (hosted sign-in): the hosted session, and what it has given, to this client and to others."""
    here, elsewhere = hosted(ada), hosted(ada)
    other, _ = factories.oauth_client(customer)
    given = exchange(client, code_for(client, ada, session=here)).document
    exchange(other, code_for(other, ada, session=here))
    exchange(client, code_for(client, ada, session=elsewhere))
    own = factories.session(ada)
    request = parsed(id_token_hint=given["id_token"], post_logout_redirect_uri=GOODBYE, state="a b&c")
    assert request.is_proven
    assert request.address == f"{GOODBYE}?state=a+b%26c"
    signing_out.sign_out(request, context=factories.context())
    living = set(Session.objects.alive(timezone.now()).values_list("id", flat=True))
    assert here.session_id not in living
    assert {elsewhere.session_id, own.session_id} <= living
    assert len(living) == 3  # and what the other hosted session has given
    signing_out.sign_out(request, context=factories.context())  # again: nothing more ends
    assert Session.objects.alive(timezone.now()).count() == 3


def test_without_an_id_token_of_ours_the_user_is_asked(customer: Customer, ada: User, client: RegisteredClient) -> None:
    """Anybody can send a browser here."""
    other, _ = factories.oauth_client(customer)
    given = signed_in(client, ada)
    for hint in ({}, {"id_token_hint": ""}, {"id_token_hint": "x"}):
        request = parsed(client_id=client.client_id, post_logout_redirect_uri=GOODBYE, **hint)
        assert not request.is_proven
        assert request.address == GOODBYE
        signing_out.sign_out(request, context=factories.context())
    tampered = given["id_token"][:-4] + "AAAA"
    assert not parsed(client_id=client.client_id, id_token_hint=tampered).is_proven
    assert Session.objects.alive(timezone.now()).filter(oauth_client_id=client.client_id).count() == 1
    with pytest.raises(UnusableRequest):  # given to one client, presented by another
        parsed(client_id=other.client_id, id_token_hint=given["id_token"])
    with pytest.raises(UnusableRequest):  # no id token
        parsed(client_id=client.client_id, id_token_hint=given["access_token"])


def test_an_expired_id_token_still_says_whom_it_means(
    customer: Customer, ada: User, client: RegisteredClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_tokens, "ID_TOKEN_LIFETIME", timedelta(seconds=-1))
    given = signed_in(client, ada)
    assert parsed(id_token_hint=given["id_token"]).is_proven


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"client_id": "nobody"},
        {"client_id": ["a", "b"]},
        {"post_logout_redirect_uri": "https://app.example.com/goodbye"},
        {"id_token_hint": "x"},
    ],
)
def test_without_a_client_nothing_is_done(client: RegisteredClient, parameters: dict[str, Any]) -> None:
    with pytest.raises(UnusableRequest):
        parsed(**parameters)


@pytest.mark.parametrize(
    "address", [factories.REDIRECT_URI, GOODBYE + "/", GOODBYE + "?x", "https://evil.example/", "//evil.example"]
)
def test_nobody_is_sent_to_an_address_that_is_not_registered_for_this(client: RegisteredClient, address: str) -> None:
    with pytest.raises(UnusableRequest):
        parsed(client_id=client.client_id, post_logout_redirect_uri=address)


def test_a_suspended_customer_and_a_disabled_client_sign_nobody_out(
    customer: Customer, client: RegisteredClient
) -> None:
    """C1.8"""
    customers.suspend(customer, context=factories.context())
    with pytest.raises(CustomerSuspended):
        parsed(client_id=client.client_id)
    RegisteredClient.objects.update(disabled_at=timezone.now())
    with pytest.raises(UnusableRequest):
        parsed(client_id=client.client_id)
