"""A way to success through every operation, and to every shape that its answer may have."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass

import pyotp

from demo.client import Answer, Client, TokenKeys, envelope
from tests import factories
from tests.accounts.moving import ask, confirm, moved, undo, undo_token
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.accounts.registering import register, verify
from tests.approvals.approving import waiting
from tests.approvals.checking import answer, secret_of
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.oauth.exchanging import code_for, exchange, post, refresh, signed_in, userinfo
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member, second, send

PAPER = b"%PDF-1.7\n"
NUMBER, NEWCOMER = "+4915112345678", "eve@example.com"


class Place:
    """A customer with one user, who has a password, and a session."""

    def __init__(self, client_for: MakeClient, **policy: object) -> None:
        self.client_for = client_for
        self.customer = generous(code_resend_after=0, **policy)
        self.user = member(self.customer)
        self.token = factories.session(self.user).access
        self.client = client_for(self.customer)

    def server(self, *scopes: str, environment: str = "live") -> Client:
        _row, key = factories.api_key(self.customer, scopes=list(scopes), environment=environment)
        return self.client_for(None, headers={"X-OTP-API-Key": key})

    def enrol_phone(self) -> Answer:
        self.client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=self.token)
        return self.client.post("/api/auth/2fa/sms/confirm", {"code": newest_code()}, token=self.token)

    def enrol_passkey(self) -> tuple[Authenticator, Answer]:
        device = Authenticator()
        return device, enrol_passkey(self.client, self.token, device)

    def challenge(self) -> str:
        """The session token of a sign-in that waits for a second factor."""
        asked: str = login(self.client).document["session_token"]
        return asked

    def must_enrol(self, method: str, **fields: object) -> tuple[str, Answer]:
        """A sign-in by code where a factor is demanded that the user lacks, and how enrolling it begins."""
        factories.policy(self.customer, second_factor="required")
        self.client.request_otp(EMAIL)
        token = self.client.verify_otp(EMAIL, newest_code()).document["session_token"]
        document = {"session_token": token, "method": method, **fields}
        return token, self.client.before_sign_in("/api/auth/2fa/enrol", document)


@dataclass(frozen=True)
class Way:
    operation: str
    story: str
    go: Callable[[Place], Answer]

    @property
    def name(self) -> str:
        return f"{self.operation} {self.story}".strip()


WAYS: list[Way] = []


def way(operation: str, go: Callable[[Place], Answer], story: str = "") -> None:
    WAYS.append(Way(operation, story, go))


def posted(path: str, document: object) -> Callable[[Client], Answer]:
    return lambda client: client.call("POST", path, json.dumps(document).encode())


# --- By code, by password -------------------------------------------------------------------------------------------


def by_code(place: Place, **fields: object) -> Answer:
    place.client.request_otp(EMAIL)
    return place.client.verify_otp(EMAIL, newest_code(), **fields)


def with_app(place: Place) -> Place:
    enrol_app(place.user)
    return place


way("POST /api/auth/request-otp", lambda place: place.client.request_otp(EMAIL))
way("POST /api/auth/verify-otp", by_code)
way("POST /api/auth/verify-otp", lambda place: by_code(place, delivery="cookie"), "with cookies")
way("POST /api/auth/verify-otp", lambda place: by_code(with_app(place)), "a challenge")
way("POST /api/auth/login", lambda place: login(place.client))
way("POST /api/auth/login", lambda place: login(place.client, delivery="cookie"), "with cookies")
way("POST /api/auth/login", lambda place: login(with_app(place).client), "a challenge")


# --- The second factor ----------------------------------------------------------------------------------------------


def by_app(place: Place, **fields: object) -> Answer:
    app = enrol_app(place.user)
    return second(place.client, login(place.client, **fields).document["session_token"], "totp", code=app.now())


def send_passkey(place: Place) -> Answer:
    place.enrol_passkey()
    return send(place.client, place.challenge(), "passkey")


def send_sms(place: Place) -> Answer:
    place.enrol_phone()
    return send(place.client, place.challenge(), "sms")


def first_of_both(place: Place) -> Answer:
    """Where both are demanded the first leads to the next challenge."""
    place.enrol_phone()
    place.enrol_passkey()
    factories.policy(place.customer, second_factor="both")
    token = place.challenge()
    send(place.client, token, "sms")
    return second(place.client, token, "sms", code=newest_code())


def led_to_enrol(place: Place) -> Answer:
    factories.policy(place.customer, second_factor="required")
    token = place.challenge()
    send(place.client, token, "email")
    return second(place.client, token, "email", code=newest_code())


def enrolled_on_the_way(place: Place) -> Answer:
    token, _begun = place.must_enrol("sms", phone=NUMBER)
    return second(place.client, token, "sms", code=newest_code())


way("POST /api/auth/2fa/send", lambda place: send(with_app(place).client, place.challenge(), "email"), "by email")
way("POST /api/auth/2fa/send", send_sms, "by SMS")
way("POST /api/auth/2fa/send", send_passkey, "a passkey")
way("POST /api/auth/2fa/verify", by_app)
way("POST /api/auth/2fa/verify", lambda place: by_app(place, delivery="cookie"), "with cookies")
way("POST /api/auth/2fa/verify", first_of_both, "the next challenge")
way("POST /api/auth/2fa/verify", led_to_enrol, "and enrol")
way("POST /api/auth/2fa/verify", enrolled_on_the_way, "enrolled on the way")
way("POST /api/auth/2fa/enrol", lambda place: place.must_enrol("totp")[1], "an app")
way("POST /api/auth/2fa/enrol", lambda place: place.must_enrol("sms", phone=NUMBER)[1], "a phone")
way("POST /api/auth/2fa/enrol", lambda place: place.must_enrol("passkey")[1], "a passkey")


def by_passkey(place: Place, **fields: object) -> Answer:
    device, _made = place.enrol_passkey()
    options = place.client.before_sign_in("/api/auth/passkey/options", {})
    document = {"credential": device.get(options.document), **fields}
    return place.client.before_sign_in("/api/auth/passkey/verify", document)


way("POST /api/auth/passkey/options", lambda place: place.client.before_sign_in("/api/auth/passkey/options", {}))
way("POST /api/auth/passkey/verify", by_passkey)
way("POST /api/auth/passkey/verify", lambda place: by_passkey(place, delivery="cookie"), "with cookies")


# --- Into an account, and back --------------------------------------------------------------------------------------


def sign_up(place: Place) -> Answer:
    document = {"email": NEWCOMER, "password": PASSWORD}
    return place.client_for(None).before_sign_in("/api/auth/signup", document)


def registered(place: Place) -> Answer:
    register(place.client, email=NEWCOMER)
    return verify(place.client, newest_code(), NEWCOMER)


def reset_by_mail(place: Place) -> Answer:
    forgot(place.client)
    return reset(place.client, mailed_token())


def confirmed(place: Place) -> Answer:
    ask(place.client, place.token)
    return confirm(place.client, place.token, newest_code())


def undone(place: Place) -> Answer:
    client, _token, _user = moved(place.client_for)
    return undo(client, undo_token())


def checked_outside(place: Place) -> Answer:
    customer, client, check = waiting(place.client_for, identity_check_url="https://checks.example.test/")
    return answer(client, check.id, {"approved": True}, secret_of(customer))


way("POST /api/auth/signup", sign_up)
way("POST /api/auth/register", lambda place: register(place.client, email=NEWCOMER))
way("POST /api/auth/verify-email", registered)
way("POST /api/auth/forgot-password", lambda place: forgot(place.client))
way("POST /api/auth/reset-password", reset_by_mail)
way("POST /api/auth/change-email", lambda place: ask(place.client, place.token))
way("POST /api/auth/change-email/confirm", confirmed)
way("POST /api/auth/change-email/undo", undone)
way("POST /api/identity-checks/{check_id}", checked_outside)


# --- Tokens, sessions, the account ----------------------------------------------------------------------------------


def change_password(place: Place) -> Answer:
    document = {"current_password": PASSWORD, "password": FRESH}
    return place.client.post("/api/auth/change-password", document, token=place.token)


def end_another(place: Place) -> Answer:
    factories.session(place.user)
    rows = place.client.get("/api/auth/sessions", token=place.token).document["results"]
    other = next(row["id"] for row in rows if not row["current"])
    return place.client.delete(f"/api/auth/sessions/{other}", token=place.token)


def refresh_by_cookie(place: Place) -> Answer:
    signed_in = login(place.client, delivery="cookie")
    cookies = [line.strip().partition(";")[0] for line in signed_in.headers["set-cookie"].splitlines()]
    proof = {"X-CSRF-Token": signed_in.document["csrf_token"], "Origin": "https://auth.example.test"}
    return place.client.call("POST", "/api/auth/refresh", headers={"Cookie": "; ".join(cookies), **proof})


def cookie_session(place: Place) -> Answer:
    signed_in = login(place.client, delivery="cookie")
    cookies = [line.strip().partition(";")[0] for line in signed_in.headers["set-cookie"].splitlines()]
    headers = {"Cookie": "; ".join(cookies), "Sec-Fetch-Site": "same-origin"}
    return place.client.call("GET", "/api/auth/cookie-session", headers=headers)


def export(place: Place, query: str = "") -> Answer:
    with_app(place)
    return place.client.get(f"/api/auth/me/export{query}", token=place.token)


way("POST /api/auth/refresh", lambda place: place.client.refresh(factories.session(place.user).refresh))
way("POST /api/auth/refresh", refresh_by_cookie, "with cookies")
way("GET /api/auth/cookie-session", cookie_session)
way("POST /api/auth/logout", lambda place: place.client.post("/api/auth/logout", {}, token=place.token))
way("GET /api/auth/me", lambda place: place.client.get("/api/auth/me", token=place.token))
way("PATCH /api/auth/me", lambda place: place.client.patch("/api/auth/me", {"name": "Ada"}, token=place.token))
way("DELETE /api/auth/me", lambda place: place.client.delete("/api/auth/me", token=place.token))
way("GET /api/auth/me/export", export)
way("GET /api/auth/me/export", lambda place: export(place, "?section=sessions"), "a section")
way("POST /api/auth/change-password", change_password)
way("GET /api/auth/sessions", lambda place: place.client.get("/api/auth/sessions", token=place.token))
way("DELETE /api/auth/sessions", lambda place: place.client.delete("/api/auth/sessions", token=place.token))
way("DELETE /api/auth/sessions/{session_id}", end_another)


def announce_file(place: Place) -> Answer:
    document = {"name": "paper.pdf", "purpose": "identity_document", "size": len(PAPER)}
    return place.client.post("/api/files", document, token=place.token)


def send_file(place: Place) -> Answer:
    return place.client.put_file(announce_file(place).document["id"], PAPER, token=place.token)


def file_address(place: Place) -> str:
    return f"/api/files/{send_file(place).document['id']}"


way("POST /api/files", announce_file)
way("PUT /api/files/{file_id}/content", send_file)
way("GET /api/files", lambda place: place.client.get("/api/files", token=place.token))
way("GET /api/files/{file_id}", lambda place: place.client.get(file_address(place), token=place.token))
way(
    "GET /api/files/{file_id}/content",
    lambda place: place.client.get(f"{file_address(place)}/content", token=place.token),
)
way("DELETE /api/files/{file_id}", lambda place: place.client.delete(file_address(place), token=place.token))


def reauthenticate(place: Place, **proof: str) -> Answer:
    return place.client.post("/api/auth/reauthenticate", proof, token=place.token)


def reauthenticate_by_cookie(place: Place) -> Answer:
    signed_in = login(place.client, delivery="cookie")
    page, path = signed_in.document, "/api/auth/reauthenticate"
    cookies = [line.strip().partition(";")[0] for line in signed_in.headers["set-cookie"].splitlines()]
    keys = TokenKeys(prk=urlsafe_b64decode(page["payload_key"] + "="), kid=page["payload_kid"])
    body = envelope(keys.seal({"method": "password", "password": PASSWORD}, info=f"request POST {path}"))
    proof = {"X-CSRF-Token": page["csrf_token"], "Origin": "https://auth.example.test"}
    return place.client.call("POST", path, body, headers={"Cookie": "; ".join(cookies), **proof}, keys=keys)


def ask_for_proof(place: Place, method: str) -> Answer:
    return place.client.post("/api/auth/reauthenticate/send", {"method": method}, token=place.token)


def by_sms(place: Place) -> Answer:
    place.enrol_phone()
    return ask_for_proof(place, "sms")


def by_device(place: Place) -> Answer:
    place.enrol_passkey()
    return ask_for_proof(place, "passkey")


way("GET /api/auth/reauthenticate", lambda place: place.client.get("/api/auth/reauthenticate", token=place.token))
way("POST /api/auth/reauthenticate", lambda place: reauthenticate(place, method="password", password=PASSWORD))
way("POST /api/auth/reauthenticate", reauthenticate_by_cookie, "with cookies")
way("POST /api/auth/reauthenticate/send", by_sms, "by SMS")
way("POST /api/auth/reauthenticate/send", by_device, "a passkey")


# --- A user's own factors -------------------------------------------------------------------------------------------


def begin_app(place: Place) -> Answer:
    return place.client.post("/api/auth/2fa/totp", {}, token=place.token)


def confirm_app(place: Place) -> Answer:
    code = pyotp.TOTP(begin_app(place).document["secret"]).now()
    return place.client.post("/api/auth/2fa/totp/confirm", {"code": code}, token=place.token)


def factors_of_every_kind(place: Place) -> Answer:
    with_app(place).enrol_phone()
    place.enrol_passkey()
    return place.client.get("/api/auth/2fa", token=place.token)


def passkey_path(place: Place) -> str:
    return f"/api/auth/2fa/passkeys/{place.enrol_passkey()[1].document['id']}"


def remove_phone(place: Place) -> Answer:
    place.enrol_phone()
    return place.client.delete("/api/auth/2fa/sms", token=place.token)


def recovery_codes(place: Place, method: str) -> Answer:
    confirm_app(place)
    document = {} if method == "POST" else None
    return place.client.with_token(method, "/api/auth/2fa/recovery-codes", document, token=place.token)


way("GET /api/auth/2fa", lambda place: place.client.get("/api/auth/2fa", token=place.token), "none")
way("GET /api/auth/2fa", factors_of_every_kind, "of every kind")
way("POST /api/auth/2fa/totp", begin_app)
way("POST /api/auth/2fa/totp/confirm", confirm_app)
way("DELETE /api/auth/2fa/totp", lambda place: with_app(place).client.delete("/api/auth/2fa/totp", token=place.token))
way(
    "POST /api/auth/2fa/sms", lambda place: place.client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=place.token)
)
way("POST /api/auth/2fa/sms/confirm", Place.enrol_phone)
way("DELETE /api/auth/2fa/sms", remove_phone)
way("POST /api/auth/2fa/passkeys", lambda place: place.enrol_passkey()[1])
way(
    "POST /api/auth/2fa/passkeys/options",
    lambda place: place.client.post("/api/auth/2fa/passkeys/options", {}, token=place.token),
)
way(
    "PATCH /api/auth/2fa/passkeys/{passkey_id}",
    lambda place: place.client.patch(passkey_path(place), {"name": "My phone"}, token=place.token),
)
way(
    "DELETE /api/auth/2fa/passkeys/{passkey_id}",
    lambda place: place.client.delete(passkey_path(place), token=place.token),
)
way("POST /api/auth/2fa/recovery-codes", lambda place: recovery_codes(place, "POST"))
way("DELETE /api/auth/2fa/recovery-codes", lambda place: recovery_codes(place, "DELETE"))


# --- Servers, and who verifies offline ------------------------------------------------------------------------------


def introspected(place: Place, token: str) -> Answer:
    return posted("/api/auth/introspect", {"token": token})(place.server("tokens:introspect"))


def state_of_the_user(place: Place) -> Answer:
    return posted("/api/internal/verify-user", {"user_id": str(place.user.id)})(place.server("internal"))


def sandbox(place: Place) -> Answer:
    client = place.client_for(None, headers=place.server("auth", environment="test").headers)
    client.request_otp(EMAIL)
    return client.call("GET", "/api/sandbox/messages")


def published(place: Place, document: str) -> Answer:
    factories.policy(place.customer, algorithm="ES256")
    return place.client_for(None).call("GET", f"/customers/{place.customer.slug}/.well-known/{document}")


def let_in(place: Place) -> Answer:
    headers = {"Authorization": f"Bearer {place.token}"}
    return place.client_for(None).call("GET", f"/verify?customer={place.customer.slug}", headers=headers)


way("GET /verify", let_in)
way("POST /api/auth/introspect", lambda place: introspected(place, place.token), "an access token")
way(
    "POST /api/auth/introspect",
    lambda place: introspected(place, factories.session(place.user).refresh),
    "a refresh token",
)
way("POST /api/auth/introspect", lambda place: introspected(place, "x"), "no token")
way(
    "POST /api/auth/revoke",
    lambda place: posted("/api/auth/revoke", {"token": place.token})(place.server("tokens:revoke")),
)
way("POST /api/internal/verify-user", state_of_the_user)
way("GET /api/sandbox/messages", sandbox)
way("GET /customers/{slug}/.well-known/jwks.json", lambda place: published(place, "jwks.json"))
way("GET /customers/{slug}/.well-known/openid-configuration", lambda place: published(place, "openid-configuration"))
way(
    "GET /.well-known/oauth-authorization-server/customers/{slug}",
    lambda place: place.client_for(None).call(
        "GET", f"/.well-known/oauth-authorization-server/customers/{place.customer.slug}"
    ),
)


# --- Registered clients ---------------------------------------------------------------------------------------------


def by_public_client(place: Place, scope: str | None = "openid email") -> Answer:
    factories.policy(place.customer, algorithm="ES256")
    client, _ = factories.oauth_client(place.customer)
    return exchange(client, code_for(client, place.user, scope=scope))


def refreshed_by_client(place: Place) -> Answer:
    client, _ = factories.oauth_client(place.customer)
    return refresh(client, signed_in(client, place.user, scope="email")["refresh_token"])


def revoked_by_client(place: Place) -> Answer:
    client, _ = factories.oauth_client(place.customer)
    token = signed_in(client, place.user, scope="email")["refresh_token"]
    return post("/api/oauth/revoke", {"client_id": client.client_id, "token": token})


def asked_who(place: Place, method: str) -> Answer:
    client, _ = factories.oauth_client(place.customer)
    return userinfo(signed_in(client, place.user, scope="email profile")["access_token"], method)


def administered(place: Place, method: str, path: str = "", document: object = None) -> Answer:
    client, _ = factories.oauth_client(place.customer, is_confidential=True)
    admin = factories.user(place.customer, "admin@example.com", role="admin")
    address = "/api/customer/clients" + path.replace("{client_id}", client.client_id)
    return place.client.with_token(method, address, document, token=factories.session(admin).access)


NEW_CLIENT = {"name": "Web", "confidential": True, "redirect_uris": [factories.REDIRECT_URI]}
NEW_PAGE = {**NEW_CLIENT, "confidential": False}

way("POST /api/oauth/token", by_public_client, "for a code")
way("POST /api/oauth/token", lambda place: by_public_client(place, None), "for a code without scopes")
way("POST /api/oauth/token", refreshed_by_client, "for a refresh token")
way("POST /api/oauth/revoke", revoked_by_client)
way("GET /api/oauth/userinfo", lambda place: asked_who(place, "GET"))
way("POST /api/oauth/userinfo", lambda place: asked_who(place, "POST"))
way("GET /api/customer/clients", lambda place: administered(place, "GET"))
way("POST /api/customer/clients", lambda place: administered(place, "POST", "", NEW_CLIENT))
way("POST /api/customer/clients", lambda place: administered(place, "POST", "", NEW_PAGE), "public")
way("GET /api/customer/clients/{client_id}", lambda place: administered(place, "GET", "/{client_id}"))
way(
    "PATCH /api/customer/clients/{client_id}",
    lambda place: administered(place, "PATCH", "/{client_id}", {"name": "Site", "active": False}),
)
way("DELETE /api/customer/clients/{client_id}", lambda place: administered(place, "DELETE", "/{client_id}"))
way(
    "POST /api/customer/clients/{client_id}/rotate-secret",
    lambda place: administered(place, "POST", "/{client_id}/rotate-secret", {"overlap": 60}),
)
