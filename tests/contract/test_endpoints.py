"""C4: every endpoint exists, in its envelope, and refuses callers without credentials. A new one must be placed here."""

import pytest
from django.test import Client as Browser

from apps.core.ids import new_id
from tests import factories
from tests.conftest import MakeClient
from tests.contract.operations import OPERATIONS, SCHEMA, address, envelope_of

pytestmark = pytest.mark.django_db(transaction=True)

SERVICE = [  # S: the body is encrypted to the service
    "POST /api/auth/request-otp",
    "POST /api/auth/verify-otp",
    "POST /api/auth/signup",
    "POST /api/auth/register",
    "POST /api/auth/verify-email",
    "POST /api/auth/login",
    "POST /api/auth/2fa/send",
    "POST /api/auth/2fa/verify",
    "POST /api/auth/2fa/enrol",
    "POST /api/auth/forgot-password",
    "POST /api/auth/reset-password",
    "POST /api/auth/change-email/undo",
    "POST /api/auth/passkey/options",
    "POST /api/auth/passkey/verify",
]
TOKEN = [  # T: access token, bodies encrypted both ways
    "POST /api/auth/logout",
    "GET /api/auth/reauthenticate",
    "POST /api/auth/reauthenticate",
    "POST /api/auth/reauthenticate/send",
    "GET /api/auth/me",
    "PATCH /api/auth/me",
    "DELETE /api/auth/me",
    "GET /api/auth/me/export",
    "POST /api/auth/change-password",
    "POST /api/auth/change-email",
    "POST /api/auth/change-email/confirm",
    "GET /api/auth/sessions",
    "DELETE /api/auth/sessions",
    "DELETE /api/auth/sessions/{session_id}",
    "GET /api/auth/2fa",
    "POST /api/auth/2fa/totp",
    "DELETE /api/auth/2fa/totp",
    "POST /api/auth/2fa/totp/confirm",
    "POST /api/auth/2fa/sms",
    "DELETE /api/auth/2fa/sms",
    "POST /api/auth/2fa/sms/confirm",
    "POST /api/auth/2fa/passkeys",
    "POST /api/auth/2fa/passkeys/options",
    "PATCH /api/auth/2fa/passkeys/{passkey_id}",
    "DELETE /api/auth/2fa/passkeys/{passkey_id}",
    "POST /api/auth/2fa/recovery-codes",
    "DELETE /api/auth/2fa/recovery-codes",
    "GET /api/files",
    "POST /api/files",
    "GET /api/files/{file_id}",
    "DELETE /api/files/{file_id}",
    "GET /api/files/{file_id}/content",
    "PUT /api/files/{file_id}/content",
]
ADMIN = [  # T, for users with the role `admin`
    "GET /api/customer/clients",
    "POST /api/customer/clients",
    "GET /api/customer/clients/{client_id}",
    "PATCH /api/customer/clients/{client_id}",
    "DELETE /api/customer/clients/{client_id}",
    "POST /api/customer/clients/{client_id}/rotate-secret",
]
TOKEN += ADMIN
OAUTH = [  # forms, and answers as OAuth's client libraries know them
    "POST /api/oauth/token",
    "POST /api/oauth/revoke",
]
PLAIN_WITH_TOKEN = [  # with the token of a registered client, plain
    "GET /api/oauth/userinfo",
    "POST /api/oauth/userinfo",
]
KEY = {  # K: API key with this scope, plain JSON over TLS
    "POST /api/auth/introspect": "tokens:introspect",
    "POST /api/auth/revoke": "tokens:revoke",
    "POST /api/internal/verify-user": "internal",
    "GET /api/sandbox/messages": "auth",
}
OPEN = [  # plain, with no credentials, or with those in the body
    "POST /api/auth/refresh",
    "POST /api/identity-checks/{check_id}",
    "GET /customers/{slug}/.well-known/jwks.json",
    "GET /customers/{slug}/.well-known/openid-configuration",
    "GET /.well-known/oauth-authorization-server/customers/{slug}",
]
PROXIES = ["GET /verify"]  # asked by proxies, by any method
COOKIES = ["GET /api/auth/cookie-session"]  # plain, by the cookies of a page
OUTSIDE_THE_SCHEMA = ["/healthz", "/readyz", "/api/schema", "/api/docs", "/.well-known/jwks.json"]


def place(name: str) -> str:
    some_id = str(new_id())
    ids = dict.fromkeys(("session_id", "passkey_id", "check_id", "file_id", "client_id"), some_id)
    return address(name, {**ids, "slug": "default"}, None)


def test_the_schema_holds_these_and_no_others() -> None:
    assert sorted(OPERATIONS) == sorted([*SERVICE, *TOKEN, *KEY, *OPEN, *COOKIES, *OAUTH, *PLAIN_WITH_TOKEN, *PROXIES])
    assert SCHEMA["openapi"].startswith("3.1")


@pytest.mark.parametrize("path", OUTSIDE_THE_SCHEMA)
def test_what_is_no_operation_answers_too(path: str) -> None:
    assert Browser().get(path).status_code == 200


@pytest.mark.parametrize("name", SERVICE)
def test_before_sign_in_bodies_are_encrypted_to_the_service(client_for: MakeClient, name: str) -> None:
    """C2.1: a plain body is refused; so is one encrypted under a key that is not the service's."""
    assert envelope_of(name) == "service"
    client = client_for(factories.customer())
    for body in (b'{"email": "ada@example.com"}', b"", b"[]"):
        refused = client.call("POST", place(name), body)
        assert (refused.status, refused.error_type) == (400, "encryption_required")
        assert not refused.encrypted
    stranger = client_for(factories.customer(), public_jwk=None)
    stranger._service_key = "11" * 32
    assert stranger.before_sign_in(place(name), {}).error_type == "decryption_failed"


@pytest.mark.parametrize("name", TOKEN)
def test_after_sign_in_a_token_is_asked_for_and_answers_are_encrypted(client_for: MakeClient, name: str) -> None:
    """C2.2: every answer with a body, errors included; never a 401."""
    assert envelope_of(name) == "token"
    method = name.split(" ", maxsplit=1)[0]
    customer = factories.customer()
    client = client_for(customer)
    refused = client.call(method, place(name))
    assert (refused.status, refused.error_type, refused.encrypted) == (401, "authentication_required", False)
    assert refused.headers["www-authenticate"] == "Bearer"
    pair = factories.session(factories.user(customer))
    answer = client.with_token(method, place(name), {} if method in ("POST", "PATCH") else None, token=pair.access)
    assert answer.encrypted, answer.document
    assert answer.headers["cache-control"] == "no-store"
    if method in ("POST", "PATCH"):
        fresh = factories.session(factories.user(customer, f"{new_id()}@example.com", role="admin"))
        headers = {"Authorization": f"Bearer {fresh.access}"}
        plain = client.call(method, place(name), b'{"code": "1"}', headers=headers)
        assert plain.status == 400
        assert plain.headers["x-encrypted"] == "true"


@pytest.mark.parametrize("name", OAUTH)
def test_clients_authenticate_by_themselves_and_are_refused_in_the_form_of_oauth(
    client_for: MakeClient, name: str
) -> None:
    """C4 (hosted sign-in); RFC 6749 section 5.2."""
    assert envelope_of(name) == "form"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = client_for(factories.customer()).call("POST", place(name), b"grant_type=refresh_token", headers=form)
    assert (refused.status, refused.error_type, refused.encrypted) == (401, "invalid_client", False)
    assert refused.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("name", PLAIN_WITH_TOKEN)
def test_who_the_user_is_takes_a_registered_clients_token(client_for: MakeClient, name: str) -> None:
    assert envelope_of(name) == "plain"
    method = name.split(" ", maxsplit=1)[0]
    client = client_for(None)
    assert client.call(method, place(name)).error_type == "authentication_required"
    bearer = {"Authorization": f"Bearer {factories.session(factories.user(factories.customer())).access}"}
    assert client.call(method, place(name), headers=bearer).error_type == "insufficient_scope"


@pytest.mark.parametrize("name", sorted(KEY))
def test_servers_need_a_key_with_the_scope(client_for: MakeClient, name: str) -> None:
    """C1.3, C4: K."""
    assert envelope_of(name) == "plain"
    method = name.split(" ", maxsplit=1)[0]
    customer = factories.customer()
    assert client_for(None).call(method, place(name)).error_type == "api_key_required"
    wrong = client_for(None, headers={"X-OTP-API-Key": "ghk_live_nonsense"}).call(method, place(name))
    assert (wrong.status, wrong.error_type) == (401, "invalid_api_key")
    _row, key = factories.api_key(customer, scopes=["users:read"])
    refused = client_for(None, headers={"X-OTP-API-Key": key}).call(
        method, place(name), b"{}" if method == "POST" else b""
    )
    assert (refused.status, refused.error_type) == (403, "permission_denied")


@pytest.mark.parametrize("name", [*SERVICE, *TOKEN, *sorted(KEY), *OPEN, *COOKIES, *OAUTH, *PLAIN_WITH_TOKEN])
def test_other_methods_are_refused(client_for: MakeClient, name: str) -> None:
    there = {found.split(" ")[0] for found in OPERATIONS if found.split(" ")[1] == name.split(" ")[1]}
    method = next(method for method in ("PUT", "DELETE", "POST") if method not in there)
    customer = factories.customer()
    _row, key = factories.api_key(customer, scopes=["auth", "tokens:introspect", "tokens:revoke", "internal"])
    headers = {"X-OTP-API-Key": key}
    if name in (*TOKEN, *PLAIN_WITH_TOKEN):
        user = factories.user(customer, role="admin")
        headers = {"Authorization": f"Bearer {factories.session(user).access}"}
    if name in COOKIES:
        token = factories.session(factories.user(customer), delivery="cookie").access
        headers = {"Cookie": f"__Host-gatehouse_access={token}", "Sec-Fetch-Site": "same-origin"}
    refused = Browser().generic(method, place(name), headers=headers)
    assert refused.status_code == 405
    assert refused.headers["Allow"]
