"""A user's whole journey through sign-in by a code from a mail: in a server's app, and in a browser's."""

import pytest

from apps.audit.models import Event
from apps.core import valkey
from apps.mail import outbox
from apps.mail.models import Message
from apps.payloads import service_keys
from demo.client import Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"


def test_from_the_first_code_to_the_last_logout(client_for: MakeClient) -> None:
    customer = factories.customer(name="Corner Shop", site_domain="shop.example")
    client = client_for(customer)
    tokens = sign_in(client)

    me = client.get("/api/auth/me", token=tokens["access_token"])
    assert me.encrypted
    assert me.document["email"] == EMAIL

    fresh = client.refresh(tokens["refresh_token"]).document
    assert client.get("/api/auth/me", token=fresh["access_token"]).status == 200

    listed = client.get("/api/auth/sessions", token=fresh["access_token"]).document["results"]
    assert [session["current"] for session in listed] == [True]

    left = client.post("/api/auth/logout", {}, token=fresh["access_token"])
    assert (left.status, left.document["message"]) == (200, "Logged out successfully")
    for token in (fresh["access_token"], tokens["access_token"]):
        assert client.get("/api/auth/me", token=token).status == 401
    assert client.refresh(fresh["refresh_token"]).status == 401

    story = ["code_requested", "user_created", "sign_in", "logout"]
    written = Event.objects.filter(action__in=story, customer_id=customer.id).order_by("id")
    assert list(written.values_list("action", flat=True)) == story


def sign_in(client: Client) -> dict[str, str]:
    assert client.request_otp(EMAIL).status == 200
    mail = outbox.content_of(Message.objects.get())
    code = newest_code()
    assert code in mail.subject
    assert code in mail.html
    assert mail.text.strip().endswith(f"@shop.example #{code}")  # bound to the site (C7.3)
    answer = client.verify_otp(EMAIL, code)
    assert answer.status == 200, answer.document
    tokens: dict[str, str] = answer.document
    return tokens


def test_a_browsers_app_needs_no_secret_to_sign_in(client_for: MakeClient) -> None:
    """C2.1: ECDH-ES to the published key; C1.4: with no key, a request belongs to the default customer."""
    client = client_for(None, public_jwk=service_keys.pairs()[0].public_jwk)
    assert client.request_otp(EMAIL).status == 200
    answer = client.verify_otp(EMAIL, newest_code(), delivery="cookie")
    assert answer.status == 200
    assert {"payload_key", "csrf_token", "user"} <= answer.document.keys()
    assert not {"access_token", "refresh_token"} & answer.document.keys()
    assert "__Host-gatehouse_access=" in answer.headers["set-cookie"]


def test_a_flushed_valkey_brings_nobody_back_and_signs_nobody_out(client_for: MakeClient) -> None:
    """C3.4: PostgreSQL is the truth, and Valkey may vanish at any moment."""
    client = client_for(factories.customer(site_domain="shop.example"))
    tokens = sign_in(client)
    valkey.client().flushdb()
    assert client.get("/api/auth/me", token=tokens["access_token"]).status == 200
    client.post("/api/auth/logout", {}, token=tokens["access_token"])
    valkey.client().flushdb()
    assert client.get("/api/auth/me", token=tokens["access_token"]).status == 401
