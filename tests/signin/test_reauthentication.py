"""C3.10, `POST /api/auth/reauthenticate`: as strong as the account's factors, and with limited guesses per session."""

import time
from typing import Any

import jwt
import pytest

from apps.audit.models import Event, Refusal
from apps.factors import recovery_codes
from apps.mail.models import Message
from apps.signin.models import Password
from apps.tokens.models import RefreshToken, Session
from apps.users import directory, emails
from apps.users.models import User
from demo.client import Answer
from tests import factories
from tests.api.authentication.test_cookies import ORIGIN, Browser
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.otp.reading import newest_code, wrong_code
from tests.races import at_once
from tests.roundtrips import counted
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member, second
from tests.signin.proving import old_session, prove, send

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+4915112345678"


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def is_fresh(answer: Answer) -> bool:
    return answer.status == 200 and time.time() - claims_of(answer.document["access_token"])["auth_time"] < 60


# --- The ways to prove it -------------------------------------------------------------------------------------------


def test_a_password_renews_the_session(client_for: MakeClient) -> None:
    """C3.10: new tokens of the same session; the old ones go on as after a refresh."""
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    assert client.delete("/api/auth/me", token=pair.access).error_type == "insufficient_user_authentication"
    answer = prove(client, pair.access, "password", password=PASSWORD)
    assert answer.encrypted
    assert is_fresh(answer)
    assert set(answer.document) == {"access_token", "refresh_token", "token_type", "expires_in"}
    fresh, old = claims_of(answer.document["access_token"]), claims_of(pair.access)
    assert (fresh["sid"], fresh["sub"], fresh["amr"]) == (old["sid"], old["sub"], ["pwd"])
    assert client.get("/api/auth/me", token=pair.access).status == 200
    assert RefreshToken.objects.get(id=claims_of(pair.refresh)["jti"]).used_at is not None
    event = Event.objects.get(action="reauthenticated")
    assert (event.user_id, event.details) == (user.id, {"method": "password", "session": str(pair.session_id)})
    assert client.delete("/api/auth/me", token=answer.document["access_token"]).status == 200


def test_the_old_refresh_token_is_dead_where_there_is_no_grace(client_for: MakeClient) -> None:
    """C3.6."""
    customer = generous(refresh_grace=0)
    client, pair = client_for(customer), old_session(member(customer))
    fresh = prove(client, pair.access, "password", password=PASSWORD).document
    assert client.refresh(fresh["refresh_token"]).status == 200
    assert client.refresh(pair.refresh).error_type == "refresh_token_reused"


def test_who_has_a_second_factor_gives_that(client_for: MakeClient) -> None:
    """Not the password, not the mailbox, and not a factor that is not enrolled."""
    customer = generous()
    user = member(customer)
    app, client, pair = enrol_app(user), client_for(customer), old_session(user)
    for method, proof in (
        ("password", {"password": PASSWORD}),
        ("email", {"code": "123456"}),
        ("sms", {"code": "123456"}),
        ("passkey", {"credential": {"id": "x"}}),
    ):
        assert prove(client, pair.access, method, **proof).error_type == "method_not_offered"
    for method in ("email", "sms", "passkey"):
        assert send(client, pair.access, method).error_type == "method_not_offered"
    assert client.get("/api/auth/reauthenticate", token=pair.access).document["methods"] == ["totp", "recovery_code"]
    answer = prove(client, pair.access, "totp", code=app.now())
    assert is_fresh(answer)
    assert claims_of(answer.document["access_token"])["amr"] == ["pwd", "otp", "mfa"]
    assert Session.objects.get(id=pair.session_id).proofs_tried == 0


def test_no_code_is_taken_twice(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    app, client = enrol_app(user), client_for(customer)
    code = app.now()
    one, other = old_session(user), old_session(user)
    assert is_fresh(prove(client, one.access, "totp", code=code))
    for token in (one.access, other.access):
        assert prove(client, token, "totp", code=code).error_type == "invalid_otp"
    recovery = recovery_codes.make(user, now=user.created_at)[0]
    assert is_fresh(prove(client, other.access, "recovery_code", code=recovery))
    assert prove(client, one.access, "recovery_code", code=recovery).error_type == "invalid_otp"


def test_a_code_by_sms(client_for: MakeClient, settings: Any) -> None:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token)
    client.post("/api/auth/2fa/sms/confirm", {"code": newest_code()}, token=token)
    pair = old_session(user)
    assert send(client, pair.access, "sms").status == 200
    answer = prove(client, pair.access, "sms", code=newest_code())
    assert is_fresh(answer)
    assert claims_of(answer.document["access_token"])["amr"] == ["pwd", "sms", "mfa"]


def test_a_passkey(client_for: MakeClient) -> None:
    customer = generous()
    user, bob = member(customer), member(customer, "bob@example.com")
    client, device, theirs = client_for(customer), Authenticator(), Authenticator()
    enrol_passkey(client, factories.session(user).access, device)
    enrol_passkey(client, factories.session(bob).access, theirs)
    pair, bobs = old_session(user), old_session(bob)
    options = send(client, pair.access, "passkey").document
    of_bob = send(client, bobs.access, "passkey").document
    assert prove(client, pair.access, "passkey", credential=device.get(of_bob)).error_type == "invalid_passkey"
    assert prove(client, pair.access, "passkey", credential=theirs.get(options)).error_type == "invalid_passkey"
    credential = device.get(send(client, pair.access, "passkey").document)
    answer = prove(client, pair.access, "passkey", credential=credential)
    assert is_fresh(answer)
    assert claims_of(answer.document["access_token"])["amr"] == ["pwd", "hwk", "mfa"]
    assert prove(client, pair.access, "passkey", credential=credential).error_type == "invalid_passkey"
    assert Refusal.objects.get(event__action="reauthentication_rejected").count == 3


def test_who_has_neither_password_nor_factor_gets_a_code(client_for: MakeClient) -> None:
    """A user who signs in by code alone must not be left without a way."""
    customer = generous(code_resend_after=0)
    user = factories.user(customer, EMAIL)
    client, pair = client_for(customer), old_session(user, amr=("otp",))
    assert prove(client, pair.access, "password", password=PASSWORD).error_type == "method_not_offered"
    assert send(client, pair.access, "email").status == 200
    mail = Message.objects.get()
    assert (mail.kind, mail.recipient) == ("reauthentication_code", EMAIL)
    answer = prove(client, pair.access, "email", code=newest_code())
    assert is_fresh(answer)
    assert claims_of(answer.document["access_token"])["amr"] == ["otp"]
    assert prove(client, pair.access, "email", code=newest_code()).error_type == "invalid_otp"


def test_a_suspected_copy_of_a_passkey_takes_no_protection_away(client_for: MakeClient) -> None:
    """Using a copy must not make the password enough. The user has to sign in again."""
    customer = generous()
    user = member(customer)
    client, device = client_for(customer), Authenticator()
    enrol_passkey(client, factories.session(user).access, device)
    user.recovery_codes.all().delete()
    user.passkeys.update(suspected_clone_at=user.created_at)
    pair = old_session(user)
    assert client.get("/api/auth/reauthenticate", token=pair.access).document["methods"] == []
    assert prove(client, pair.access, "password", password=PASSWORD).error_type == "method_not_offered"


def test_the_page_learns_how_things_stand(client_for: MakeClient) -> None:
    customer = generous(reauthenticate_after=300)
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    stale = client.get("/api/auth/reauthenticate", token=pair.access).document
    assert stale == {
        "methods": ["password"],
        "auth_time": claims_of(pair.access)["auth_time"],
        "max_age": 300,
        "fresh": False,
    }
    fresh = client.get("/api/auth/reauthenticate", token=factories.session(user).access).document
    assert fresh["fresh"] is True


# --- Each code for its own session ----------------------------------------------------------------------------------


def test_a_code_is_good_in_the_session_that_asked_for_it_alone(client_for: MakeClient) -> None:
    """Not in another session of the user, not for another user or customer, and not to sign in."""
    customer, other = generous(code_resend_after=0), generous(code_resend_after=0)
    user, bob, twin = (
        factories.user(customer, EMAIL),
        factories.user(customer, "bob@example.com"),
        factories.user(other, EMAIL),
    )
    client, pair = client_for(customer), old_session(user)
    send(client, pair.access, "email")
    code = newest_code()
    for stranger, at in (
        (old_session(user), client),
        (old_session(bob), client),
        (old_session(twin), client_for(other)),
    ):
        assert prove(at, stranger.access, "email", code=code).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    client.request_otp(EMAIL)
    assert prove(client, pair.access, "email", code=newest_code()).error_type == "invalid_otp"
    assert is_fresh(prove(client, pair.access, "email", code=code))


def test_a_code_in_a_mailbox_of_before_is_worthless(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    user = factories.user(customer, EMAIL)
    client, pair = client_for(customer), old_session(user)
    send(client, pair.access, "email")
    code = newest_code()
    moved = emails.parse("lovelace@example.org")
    User.objects.filter(id=user.id).update(email=moved.typed, email_identity=moved.identity)
    assert prove(client, pair.access, "email", code=code).error_type == "invalid_otp"


def test_a_change_of_credentials_voids_a_code(client_for: MakeClient, settings: Any) -> None:
    """C4: of the session that goes on, too."""
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, pair = client_for(customer), factories.session(user)
    client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=pair.access)
    client.post("/api/auth/2fa/sms/confirm", {"code": newest_code()}, token=pair.access)
    send(client, pair.access, "sms")
    code = newest_code()
    document = {"current_password": PASSWORD, "password": FRESH}
    assert client.post("/api/auth/change-password", document, token=pair.access).status == 200
    assert prove(client, pair.access, "sms", code=code).error_type == "invalid_otp"
    send(client, pair.access, "sms")
    assert is_fresh(prove(client, pair.access, "sms", code=newest_code()))


def test_the_proof_of_one_session_is_not_anothers(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    client, one, other = client_for(customer), old_session(user), old_session(user)
    assert is_fresh(prove(client, one.access, "password", password=PASSWORD))
    assert client.delete("/api/auth/me", token=other.access).error_type == "insufficient_user_authentication"
    refreshed = client.refresh(other.refresh).document["access_token"]
    assert client.delete("/api/auth/me", token=refreshed).error_type == "insufficient_user_authentication"


def test_a_session_that_has_ended_proves_nothing(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    client.post("/api/auth/logout", {}, token=pair.access)
    assert prove(client, pair.access, "password", password=PASSWORD).status == 401
    assert not Event.objects.filter(action="reauthenticated").exists()


# --- Guessing --------------------------------------------------------------------------------------------------------


def test_a_stolen_token_guesses_ten_times_and_no_more(client_for: MakeClient) -> None:
    """The session ends. The user loses nothing else, and an event warns of it."""
    customer = generous()
    user = member(customer)
    app, client, pair = enrol_app(user), client_for(customer), old_session(user)
    here = factories.session(user)
    wrong = [prove(client, pair.access, "totp", code="000000") for _ in range(10)]
    assert {answer.error_type for answer in wrong} == {"invalid_otp"}
    assert prove(client, pair.access, "totp", code=app.now()).error_type == "session_ended"
    assert client.get("/api/auth/me", token=pair.access).error_type == "session_ended"
    assert client.refresh(pair.refresh).error_type == "session_ended"
    assert Session.objects.get(id=pair.session_id).end_reason == "wrong_proofs"
    assert Event.objects.get(action="reauthentication_rejected", severity="high").user_id == user.id
    assert client.get("/api/auth/me", token=here.access).status == 200


def test_a_refreshed_token_brings_no_fresh_tries(client_for: MakeClient) -> None:
    customer = generous()
    client, pair = client_for(customer), old_session(member(customer))
    for _ in range(10):
        prove(client, pair.access, "password", password="a guess")
    fresh = client.refresh(pair.refresh).document["access_token"]
    assert prove(client, fresh, "password", password=PASSWORD).error_type == "session_ended"


def test_guesses_of_a_thief_do_not_lock_the_owner_out(client_for: MakeClient) -> None:
    """The password, second factors and the limits of sign-in are untouched."""
    customer = factories.customer(code_resend_after=0)
    factories.limit(customer, "tries_per_ip", 1_000)
    user, bare = member(customer), factories.user(customer, "bare@example.com")
    thief = client_for(customer, ip="198.51.100.9")
    stolen = old_session(user).access
    for _ in range(10):
        prove(thief, stolen, "password", password="a guess")
    assert Password.objects.get().locked_until is None
    app = enrol_app(user)
    stolen = old_session(user).access
    for _ in range(10):
        prove(thief, stolen, "totp", code="000000")
    row = User.objects.get(id=user.id)
    assert (row.wrong_codes, row.wrong_second_factors) == (0, 0)
    stolen = old_session(bare).access
    for _ in range(5):
        send(thief, stolen, "email")
        prove(thief, stolen, "email", code="000000")
    owner = client_for(customer)
    assert second(owner, login(owner).document["session_token"], "totp", code=app.now()).status == 200
    owner.request_otp("bare@example.com")
    assert owner.verify_otp("bare@example.com", newest_code()).status == 200


def test_codes_that_are_asked_for_count_as_tries(client_for: MakeClient) -> None:
    """A thief must not flood the mailbox or send SMS without end."""
    customer = generous(code_resend_after=0)
    factories.limit(customer, "codes_per_email", 1_000)
    user = factories.user(customer, EMAIL)
    client, pair = client_for(customer), old_session(user)
    assert {send(client, pair.access, "email").status for _ in range(10)} == {200}
    assert send(client, pair.access, "email").error_type == "session_ended"
    assert Message.objects.count() == 10


def test_a_right_proof_breaks_the_row(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    for _ in range(3):
        for _ in range(9):
            assert prove(client, pair.access, "password", password="a guess").error_type == "invalid_password"
        assert is_fresh(prove(client, pair.access, "password", password=PASSWORD))


def test_a_thief_guesses_no_more_passwords_elsewhere(client_for: MakeClient) -> None:
    """change-password and change-email take the present password too: the same tries."""
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    for _ in range(5):
        document = {"current_password": "a guess", "password": FRESH}
        assert client.post("/api/auth/change-password", document, token=pair.access).error_type == "invalid_password"
        document = {"email": "thief@example.org", "password": "a guess"}
        assert client.post("/api/auth/change-email", document, token=pair.access).error_type == "invalid_password"
    assert prove(client, pair.access, "password", password=PASSWORD).error_type == "session_ended"


def test_of_many_guesses_at_once_ten_are_looked_at(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    wrong = wrong_code(enrol_app(user).now())
    client, pair = client_for(customer), old_session(user)
    found = at_once(40, lambda _: prove(client, pair.access, "totp", code=wrong).error_type, threads=16)
    assert found.count("invalid_otp") == 10
    assert set(found) == {"invalid_otp", "session_ended"}


def test_where_codes_are_closed_they_are_closed_here(client_for: MakeClient) -> None:
    """C6: after a hundred wrong ones in a row."""
    customer = generous()
    user = member(customer)
    app, client = enrol_app(user), client_for(customer)
    for _ in range(100):
        directory.count_wrong_second_factor(customer.id, user.email_identity)
    pair = old_session(user)
    assert prove(client, pair.access, "totp", code=app.now()).error_type == "method_not_offered"
    assert client.get("/api/auth/reauthenticate", token=pair.access).document["methods"] == ["recovery_code"]


# --- Many at once ----------------------------------------------------------------------------------------------------


def test_of_many_uses_of_one_code_one_counts(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    app, client, pair = enrol_app(user), client_for(customer), old_session(user)
    code = app.now()
    found = at_once(10, lambda _number: prove(client, pair.access, "totp", code=code).status, threads=10)
    assert sorted(found) == [200, *[400] * 9]


def test_two_tabs_that_prove_it_at_once_sign_nobody_out(client_for: MakeClient) -> None:
    """C3.6: one refresh token is alive afterwards, and all that hold it go on."""
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    found = at_once(8, lambda _n: prove(client, pair.access, "password", password=PASSWORD), threads=8)
    assert all(is_fresh(answer) for answer in found)
    assert RefreshToken.objects.filter(session_id=pair.session_id, used_at=None).count() == 1
    assert {client.refresh(answer.document["refresh_token"]).status for answer in found} == {200}


def test_a_password_changed_meanwhile_proves_nothing(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    client, pair = client_for(customer), old_session(user)
    document = {"current_password": PASSWORD, "password": FRESH}
    assert client.post("/api/auth/change-password", document, token=pair.access).status == 200
    assert prove(client, pair.access, "password", password=PASSWORD).error_type == "invalid_password"
    assert is_fresh(prove(client, pair.access, "password", password=FRESH))


# --- Cookies ---------------------------------------------------------------------------------------------------------


def test_in_cookie_mode_the_cookies_are_renewed(client_for: MakeClient) -> None:
    customer = generous(allowed_origins=[ORIGIN], code_resend_after=0)
    browser = Browser(client_for(customer))
    assert browser.sign_in().status == 200
    before = dict(browser.cookies)
    path = "/api/auth/reauthenticate"
    assert browser.call("POST", path, {"method": "email", "code": "1"}).error_type == "csrf_failed"
    assert browser.call("POST", f"{path}/send", {"method": "email"}, **browser.proof).status == 200
    factories.policy(customer, refresh_grace=0)
    proof = {"method": "email", "code": newest_code()}
    answer = browser.keep(browser.call("POST", path, proof, **browser.proof))
    assert answer.status == 200
    assert {"access_token", "refresh_token"}.isdisjoint(answer.document)
    assert all(browser.cookies[name] != value for name, value in before.items())
    assert browser.call("GET", "/api/auth/me").document["email"] == "ada@example.com"
    assert browser.call("DELETE", "/api/auth/me", **browser.proof).status == 200


# --- Bad input, and what it costs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "method"),
        ({"method": "magic"}, "method"),
        ({"method": ["totp"]}, "method"),
        ({"method": "totp"}, "code"),
        ({"method": "password", "code": "123456"}, "password"),
        ({"method": "passkey", "code": "123456"}, "credential"),
        ({"method": "totp", "code": "1" * 65}, "code"),
        ({"method": "totp", "code": {"a": 1}}, "code"),
        ({"method": "totp", "code": 123456}, "code"),
        ({"method": "password", "password": 7}, "password"),
        ({"method": "passkey", "credential": "x"}, "credential"),
    ],
)
def test_bad_input_names_the_field(client_for: MakeClient, document: dict[str, Any], field: str) -> None:
    customer = generous()
    pair = old_session(member(customer))
    answer = client_for(customer).post("/api/auth/reauthenticate", document, token=pair.access)
    assert (answer.status, answer.error_type) == (400, "validation_error")
    assert list(answer.document["error"]["fields"]) == [field]
    assert Session.objects.get(id=pair.session_id).proofs_tried == 0


@pytest.mark.parametrize("credential", [{"response": {}}, {"id": 1, "response": "x"}])
def test_what_is_no_credential_is_refused(client_for: MakeClient, credential: object) -> None:
    customer = generous()
    user = member(customer)
    client = client_for(customer)
    enrol_passkey(client, factories.session(user).access, Authenticator())
    answer = prove(client, old_session(user).access, "passkey", credential=credential)
    assert answer.error_type == "invalid_passkey"


def test_what_it_costs(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    client = client_for(customer)
    pair = old_session(user)
    for _ in range(2):  # notes the session's activity, then fills what is remembered
        client.get("/api/auth/me", token=pair.access)
    with counted() as password:
        assert prove(client, pair.access, "password", password=PASSWORD).status == 200
    # The user; factors, the password; the try; the user with its password; the user locked, factors and password anew,
    # the password unchanged; the session locked, its refresh token, the successor, the old one used, the session's
    # activity, its proof; the event.
    assert (len(password.statements), password.transactions) == (16, 1)
    app = enrol_app(user)
    pair = old_session(user)
    for _ in range(2):
        client.get("/api/auth/me", token=pair.access)
    with counted() as totp:
        assert prove(client, pair.access, "totp", code=app.now()).status == 200
    # The user; factors; the try; the user locked, factors anew, the app, its step; as above from the session on.
    assert (len(totp.statements), totp.transactions) == (14, 1)
