"""C3.10: a stolen access token changes no factor, no address, no password, and erases nothing."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pyotp
import pytest

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.mail.models import Message
from apps.signin.models import Password
from apps.tokens.models import Session
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.accounts.moving import ask, confirm
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member, second
from tests.signin.proving import old_session, prove

pytestmark = pytest.mark.django_db(transaction=True)

Call = Callable[[Client, str, str], Answer]  # client, token, the id of a passkey


def posts(path: str, **document: object) -> Call:
    return lambda client, token, _passkey: client.post(path, document, token=token)


def deletes(path: str) -> Call:
    return lambda client, token, passkey: client.delete(path.format(passkey=passkey), token=token)


SENSITIVE: dict[str, Call] = {
    "begin an app": posts("/api/auth/2fa/totp"),
    "confirm an app": posts("/api/auth/2fa/totp/confirm", code="123456"),
    "remove the app": deletes("/api/auth/2fa/totp"),
    "begin a phone": posts("/api/auth/2fa/sms", phone="+4915112345678"),
    "confirm a phone": posts("/api/auth/2fa/sms/confirm", code="123456"),
    "remove the phone": deletes("/api/auth/2fa/sms"),
    "begin a passkey": posts("/api/auth/2fa/passkeys/options"),
    "add a passkey": posts("/api/auth/2fa/passkeys", credential={"id": "x"}),
    "remove a passkey": deletes("/api/auth/2fa/passkeys/{passkey}"),
    "make recovery codes": posts("/api/auth/2fa/recovery-codes"),
    "remove recovery codes": deletes("/api/auth/2fa/recovery-codes"),
    "erase the account": deletes("/api/auth/me"),
    "change the address": posts("/api/auth/change-email", email="thief@example.org"),
}
HARMLESS: dict[str, Call] = {
    "read the account": lambda client, token, _passkey: client.get("/api/auth/me", token=token),
    "rename": lambda client, token, _passkey: client.patch("/api/auth/me", {"name": "Ada"}, token=token),
    "read the factors": lambda client, token, _passkey: client.get("/api/auth/2fa", token=token),
    "rename a passkey": lambda client, token, passkey: client.patch(
        f"/api/auth/2fa/passkeys/{passkey}", {"name": "Laptop"}, token=token
    ),
    "end the other sessions": deletes("/api/auth/sessions"),
}


class Place:
    """A user with a password and a factor of every kind, at a customer beside another one."""

    def __init__(self, client_for: MakeClient) -> None:
        self.customer: Customer = generous()
        self.user: User = member(self.customer)
        self.client = client_for(self.customer)
        token = factories.session(self.user).access
        self.passkey = str(enrol_passkey(self.client, token, Authenticator()).document["id"])
        self.app = enrol_app(self.user)
        self.client.post("/api/auth/2fa/sms", {"phone": "+4915112345678"}, token=token)
        assert self.client.post("/api/auth/2fa/sms/confirm", {"code": newest_code()}, token=token).status == 200

    def state(self) -> list[Any]:
        """Everything that a thief would change."""
        tables = (Totp, Phone, Passkey, RecoveryCode, Password)
        rows = [list(table._default_manager.order_by("pk").values()) for table in tables]
        return [*rows, list(User.objects.values_list("id", "email")), Message.objects.count()]


@pytest.fixture
def place(client_for: MakeClient, settings: Any) -> Place:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"
    return Place(client_for)


@pytest.mark.parametrize("name", SENSITIVE)
def test_a_stolen_token_changes_nothing_that_lasts(place: Place, name: str) -> None:
    """The access token of a session whose proof is eleven minutes old."""
    stolen, before = old_session(place.user).access, place.state()
    refused = SENSITIVE[name](place.client, stolen, place.passkey)
    assert (refused.status, refused.error_type) == (401, "insufficient_user_authentication")
    assert refused.document["error"]["max_age"] == 600
    challenge = 'Bearer error="insufficient_user_authentication", max_age="600"'
    assert refused.headers["www-authenticate"] == challenge  # RFC 9470 section 3
    assert not refused.encrypted  # C2.2.3: a 401 never is
    assert place.state() == before


@pytest.mark.parametrize("name", SENSITIVE)
def test_who_has_just_proven_it_is_asked_for_nothing_more(place: Place, name: str) -> None:
    answer = SENSITIVE[name](place.client, factories.session(place.user).access, place.passkey)
    assert answer.error_type != "insufficient_user_authentication"
    assert answer.status < 300 or answer.error_type in ("invalid_otp", "invalid_passkey")


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_no_credential_needs_no_fresh_proof(place: Place, name: str) -> None:
    assert HARMLESS[name](place.client, old_session(place.user).access, place.passkey).status == 200


def test_a_call_that_carries_the_right_password_proves_itself(client_for: MakeClient) -> None:
    """C3.10: change-email and change-password carry it; a wrong one proves nothing, however fresh the session."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, old, fresh = client_for(customer), old_session(user).access, factories.session(user).access
    assert ask(client, old, password="a guess").error_type == "invalid_password"
    assert ask(client, fresh, password="a guess").error_type == "invalid_password"
    assert ask(client, old, password=PASSWORD).status == 202
    assert confirm(client, old, newest_code()).status == 200  # begun with a proof, and the code came back
    change = {"current_password": "a guess", "password": FRESH}
    assert client.post("/api/auth/change-password", change, token=old).error_type == "invalid_password"
    assert client.post("/api/auth/change-password", change | {"current_password": PASSWORD}, token=old).status == 200


def test_refreshing_proves_nothing(client_for: MakeClient) -> None:
    """C3.10: however often a session is refreshed, its tokens state the same proof as before."""
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    before = jwt.decode(pair.access, options={"verify_signature": False})
    tokens = client.refresh(pair.refresh).document
    tokens = client.refresh(tokens["refresh_token"]).document
    after = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (after["auth_time"], after["amr"]) == (before["auth_time"], before["amr"])
    assert after["iat"] > before["iat"]
    assert client.delete("/api/auth/me", token=tokens["access_token"]).error_type == "insufficient_user_authentication"


def test_nobody_makes_a_token_fresher_than_its_session(client_for: MakeClient) -> None:
    """Servers that verify may know a shared secret: what they sign must not claim a proof that nobody gave."""
    customer = generous()
    user = member(customer)
    pair, client = old_session(user), client_for(customer)
    from apps.customers import keyring

    found = factories.state_of(customer)
    keys = keyring.signing_keys(customer.id, keyring.current_kid(found))
    assert keys
    claims = jwt.decode(pair.access, options={"verify_signature": False}) | {"auth_time": int(time.time())}
    forged = jwt.encode(claims, keys.access.decode(), "HS256", headers={"typ": "at+jwt", "kid": keys.kid})
    assert client.get("/api/auth/me", token=forged).status == 200
    assert client.delete("/api/auth/me", token=forged).error_type == "insufficient_user_authentication"


def test_somebody_elses_fresh_proof_does_not_rub_off(client_for: MakeClient) -> None:
    """The same session's owner proves it; the thief has the token from before, or another session, or another customer's."""
    customer, other = generous(), generous()
    user, bob, twin = member(customer), member(customer, "bob@example.com"), member(other)
    client, pair = client_for(customer), old_session(user)
    elsewhere = old_session(user)
    fresh = prove(client, pair.access, "password", password=PASSWORD)
    assert fresh.status == 200
    for stolen in (pair.access, elsewhere.access, old_session(bob).access):
        assert client.delete("/api/auth/me", token=stolen).error_type == "insufficient_user_authentication"
    theirs = old_session(twin).access
    assert client_for(other).delete("/api/auth/me", token=theirs).error_type == "insufficient_user_authentication"
    assert client.delete("/api/auth/me", token=fresh.document["access_token"]).status == 200


def test_a_thief_of_the_refresh_token_gets_the_successor_but_not_the_proof(client_for: MakeClient) -> None:
    """C3.6: within the grace the old refresh token gets the same successor again, with the same proof."""
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    fresh = prove(client, pair.access, "password", password=PASSWORD).document
    stolen = client.refresh(pair.refresh)
    assert stolen.status == 200
    first, again = (
        jwt.decode(token, options={"verify_signature": False})
        for token in (fresh["access_token"], stolen.document["access_token"])
    )
    assert first["jti"] == again["jti"]
    assert client.delete("/api/auth/me", token=stolen.document["access_token"]).status == 401
    further = client.refresh(stolen.document["refresh_token"]).document["access_token"]
    assert client.delete("/api/auth/me", token=further).status == 401


def test_a_customer_sets_how_old_a_proof_may_be(client_for: MakeClient) -> None:
    """C3.10: per customer."""
    customer, other = generous(reauthenticate_after=60), generous()
    user, twin = member(customer), member(other)
    from datetime import timedelta

    from django.utils import timezone

    before = timezone.now() - timedelta(seconds=90)
    refused = client_for(customer).delete("/api/auth/me", token=factories.session(user, now=before).access)
    assert refused.document["error"]["max_age"] == 60
    assert 'max_age="60"' in refused.headers["www-authenticate"]
    assert client_for(other).delete("/api/auth/me", token=factories.session(twin, now=before).access).status == 200
    pair = factories.session(user, now=before)
    factories.policy(customer, reauthenticate_after=3600)  # counts at once, for tokens from before, too
    assert client_for(customer).delete("/api/auth/me", token=pair.access).status == 200


@pytest.mark.parametrize("wrong", [0, 59, 86_401, None])
def test_between_a_minute_and_a_day(wrong: int | None) -> None:
    from apps.core.errors import ValidationFailed

    with pytest.raises(ValidationFailed) as error:
        factories.policy(factories.customer(), reauthenticate_after=wrong)
    assert list(error.value.fields or {}) == ["reauthenticate_after"]


# --- What tokens say of it -------------------------------------------------------------------------------------------


def said(answer: Answer) -> tuple[int, list[str]]:
    """`auth_time` and `amr` of both tokens, which agree."""
    assert answer.status < 300, answer.document
    found = [
        jwt.decode(answer.document[name], options={"verify_signature": False})
        for name in ("access_token", "refresh_token")
    ]
    both = [(claims["auth_time"], claims["amr"]) for claims in found]
    assert both[0] == both[1]
    row = Session.objects.get(id=found[0]["sid"])
    assert row.auth_time is not None
    assert (int(row.auth_time.timestamp()), row.amr.split()) == both[0]
    return both[0]


def test_every_way_in_says_when_and_how(client_for: MakeClient) -> None:
    """C3.1: `auth_time`, and `amr` by RFC 8176."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, now = client_for(customer), int(time.time())
    client.request_otp(EMAIL)
    by_code = said(client.verify_otp(EMAIL, newest_code()))
    by_password = said(login(client))
    device = Authenticator()
    enrol_passkey(client, factories.session(user).access, device)
    options = client.before_sign_in("/api/auth/passkey/options", {}).document
    credential = device.get(options)
    by_passkey = said(client.before_sign_in("/api/auth/passkey/verify", {"credential": credential}))
    app = enrol_app(user)
    by_app = said(second(client, login(client).document["session_token"], "totp", code=app.now()))
    signed_up = client_for(None).before_sign_in("/api/auth/signup", {"email": "o@example.com", "password": PASSWORD})
    found = [by_code, by_password, by_passkey, by_app, said(signed_up)]
    assert [methods for _at, methods in found] == [["otp"], ["pwd"], ["hwk", "mfa"], ["pwd", "otp", "mfa"], ["pwd"]]
    assert all(now <= at <= time.time() for at, _methods in found)


def test_a_new_user_can_enrol_at_once(client_for: MakeClient) -> None:
    """A sign-in by code is itself a fresh proof."""
    customer = generous()
    client = client_for(customer)
    client.request_otp("new@example.com")
    token = client.verify_otp("new@example.com", newest_code()).document["access_token"]
    begun = client.post("/api/auth/2fa/totp", {}, token=token)
    code = pyotp.TOTP(begun.document["secret"]).now()
    assert client.post("/api/auth/2fa/totp/confirm", {"code": code}, token=token).status == 200


def test_introspection_says_it_too(client_for: MakeClient) -> None:
    """RFC 9470 section 6.2: resource servers ask for it."""
    from tests.api.servers import Server

    customer = generous()
    pair = old_session(member(customer), amr=("pwd", "otp", "mfa"))
    claims = jwt.decode(pair.access, options={"verify_signature": False})
    for token in (pair.access, pair.refresh):
        found = Server(customer).introspect(token)
        assert (found["auth_time"], found["amr"]) == (claims["auth_time"], ["pwd", "otp", "mfa"])


def test_no_event_and_no_try_is_spent_on_a_refusal(place: Place) -> None:
    stolen = old_session(place.user)
    before = Event.objects.count()
    for call in SENSITIVE.values():
        assert call(place.client, stolen.access, place.passkey).status == 401
    assert Event.objects.count() == before
    assert Session.objects.get(id=stolen.session_id).proofs_tried == 0
