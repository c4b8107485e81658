"""Issue, "Must show": passkeys in headless Chromium with a virtual authenticator, end to end."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from apps.factors.models import Passkey
from apps.tokens.models import Session
from demo.client import Client
from tests import browser, factories
from tests.conftest import MakeClient
from tests.signin.entering import login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = """async options => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({publicKey})).toJSON();
}"""
GET = """async options => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({publicKey})).toJSON();
}"""


class EmptyPage(http.server.BaseHTTPRequestHandler):
    """Somebody's app, as far as a passkey is concerned: an origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>An app</title>")

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Device:
    """Chromium's virtual authenticator: a platform one that verifies its user."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def set_presence(self, *, simulated: bool) -> None:
        """Whether somebody touches the device at once when it is asked."""
        self.session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self.id, "enabled": simulated})

    def set_counter_back(self) -> None:
        """As a copy of the device would have it that was made before."""
        credential = {**self.credentials()[0], "signCount": 0}
        self.session.send(
            "WebAuthn.removeCredential", {"authenticatorId": self.id, "credentialId": credential["credentialId"]}
        )
        self.session.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})


def sign_in(client: Client, page: Page) -> Any:
    options = client.before_sign_in("/api/auth/passkey/options", {}).document
    return client.before_sign_in("/api/auth/passkey/verify", {"credential": page.evaluate(GET, options)})


def test_enrolled_in_a_browser_a_passkey_signs_in_alone_as_a_second_factor_and_not_as_a_copy(
    client_for: MakeClient, origin: str
) -> None:
    customer = factories.customer(passkey_domain="localhost", allowed_origins=[origin])
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    with browser.page() as page:
        page.goto(origin)
        device = Device(page)

        options = client.post("/api/auth/2fa/passkeys/options", {}, token=token).document
        credential = page.evaluate(CREATE, options)
        enrolled = client.post("/api/auth/2fa/passkeys", {"credential": credential, "name": "Laptop"}, token=token)
        assert enrolled.status == 201, enrolled.document
        assert len(device.credentials()) == 1

        alone = sign_in(client, page)
        assert alone.status == 200, alone.document
        assert alone.document["user"]["id"] == str(user.id)
        assert Passkey.objects.get().sign_count > 0

        asked = login(client).document
        assert asked["methods"][0] == "passkey"
        challenge = send(client, asked["session_token"], "passkey").document
        answer = page.evaluate(GET, challenge)
        assert second(client, asked["session_token"], "passkey", credential=answer).status == 200

        Session.objects.all().delete()
        device.set_counter_back()
        copied = sign_in(client, page)
        assert (copied.status, copied.error_type) == (400, "invalid_passkey")
        assert Passkey.objects.get().suspected_clone_at is not None
        assert not Session.objects.exists()
