"""The second factor: what is asked for, what satisfies it, and that each is used once."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta

import pyotp
import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.factors import recovery_codes
from apps.factors.models import Totp
from apps.mail.models import Message
from apps.signin.models import Challenge, Password
from apps.tokens.models import Session
from apps.users import lifecycle
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code, wrong_code
from tests.races import at_once
from tests.signin.entering import EMAIL, enrol_app, generous, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+4915112345678"


def header_and_claims(token: str) -> tuple[dict[str, object], dict[str, object]]:
    header, claims, _signature = token.split(".")
    return tuple(json.loads(urlsafe_b64decode(part + "==")) for part in (header, claims))  # type: ignore[return-value]


def test_a_user_with_an_app_is_asked_for_its_code(client_for: MakeClient) -> None:
    """C4 login: 200 {"requires_2fa": true, "session_token", "methods": [...], "expires_in": 300}."""
    customer = factories.customer()
    user = member(customer)
    app = enrol_app(user)
    client = client_for(customer)
    asked = login(client)
    assert asked.status == 200
    assert set(asked.document) == {"requires_2fa", "session_token", "methods", "expires_in"}
    assert asked.document["requires_2fa"] is True
    assert asked.document["methods"] == ["totp", "recovery_code", "email"], "an email code ranks last"
    assert asked.document["expires_in"] == 300
    assert not Session.objects.exists()
    answer = second(client, asked.document["session_token"], "totp", code=app.now())
    assert answer.status == 200, answer.document
    assert answer.document["user"]["id"] == str(user.id)
    assert Event.objects.get(action="sign_in").details == {"method": "password", "second_factors": ["totp"]}


def test_the_session_token_is_a_token_of_its_own_kind(client_for: MakeClient) -> None:
    """C3.1: typ 2fa+jwt; neither it nor an access token counts as the other."""
    customer = factories.customer()
    user = member(customer)
    enrol_app(user)
    client = client_for(customer)
    token = login(client).document["session_token"]
    header, claims = header_and_claims(token)
    assert header["typ"] == "2fa+jwt"
    assert (claims["sub"], claims["customer_id"], claims["token_type"]) == (str(user.id), str(customer.id), "2fa")
    assert claims["exp"] - claims["iat"] == 300  # type: ignore[operator]
    assert (
        client.call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {token}"}).error_type == "invalid_token"
    )
    session = factories.session(user)
    for foreign in (session.access, session.refresh):
        assert second(client, foreign, "totp", code="000000").error_type == "invalid_token"


def test_it_is_worthless_at_another_customer(client_for: MakeClient) -> None:
    """C1.5."""
    customer, other = factories.customer(), factories.customer()
    app = enrol_app(member(customer))
    token = login(client_for(customer)).document["session_token"]
    assert second(client_for(other), token, "totp", code=app.now()).error_type == "invalid_token"
    assert second(client_for(None), token, "totp", code=app.now()).error_type == "invalid_token", "nor without a key"
    assert not Session.objects.exists()


def test_it_lives_five_minutes(client_for: MakeClient) -> None:
    customer = factories.customer()
    app = enrol_app(member(customer))
    client = client_for(customer)
    token = login(client).document["session_token"]
    Challenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert second(client, token, "totp", code=app.now()).error_type == "invalid_token"


def test_it_is_used_once(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    app = enrol_app(user)
    codes = recovery_codes.make(user, now=timezone.now())
    client = client_for(customer)
    token = login(client).document["session_token"]
    assert second(client, token, "totp", code=app.now()).status == 200
    again = second(client, token, "recovery_code", code=codes[0])
    assert (again.status, again.error_type) == (401, "invalid_token")
    assert recovery_codes.left(user.id) == 10, "what came too late is not used up"


def test_five_wrong_tries_spend_it(client_for: MakeClient) -> None:
    customer = generous()
    app = enrol_app(member(customer))
    client = client_for(customer)
    token = login(client).document["session_token"]
    for _ in range(5):
        assert second(client, token, "totp", code=wrong_code(app.now())).error_type == "invalid_otp"
    assert second(client, token, "totp", code=app.now()).error_type == "invalid_token"


def test_second_factors_of_one_user_are_limited_over_all_challenges(client_for: MakeClient) -> None:
    customer = generous()
    factories.limit(customer, "second_factors_per_user", 3)
    app = enrol_app(member(customer))
    client = client_for(customer)
    answers = []
    for _ in range(4):
        token = login(client).document["session_token"]
        answers.append(second(client, token, "totp", code=wrong_code(app.now())).error_type)
    assert answers == ["invalid_otp"] * 3 + ["rate_limited"]


def test_a_wrong_code_is_counted_for_the_account(client_for: MakeClient) -> None:
    """C6: wrong codes in a row, for one account, ever."""
    customer = factories.customer()
    user = member(customer)
    app = enrol_app(user)
    client = client_for(customer)
    second(client, login(client).document["session_token"], "totp", code=wrong_code(app.now()))
    user.refresh_from_db()
    assert (user.wrong_second_factors, user.wrong_codes) == (1, 0), "apart from those that anybody can enter"
    event = Event.objects.get(action="second_factor_rejected")
    assert (event.user_id, event.severity, event.outcome) == (user.id, "medium", "failure")


def test_a_code_of_the_app_is_not_taken_twice(client_for: MakeClient) -> None:
    """Issue: TOTP codes cannot be replayed."""
    customer = factories.customer()
    app = enrol_app(member(customer))
    client = client_for(customer)
    code = app.now()
    assert second(client, login(client).document["session_token"], "totp", code=code).status == 200
    assert second(client, login(client).document["session_token"], "totp", code=code).error_type == "invalid_otp"


def test_a_recovery_code_stands_in_once(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    enrol_app(user)
    code = recovery_codes.make(user, now=timezone.now())[3]
    client = client_for(customer)
    typed = code.lower().replace("-", " ")
    assert second(client, login(client).document["session_token"], "recovery_code", code=typed).status == 200
    again = second(client, login(client).document["session_token"], "recovery_code", code=code)
    assert again.error_type == "invalid_otp"
    assert recovery_codes.left(user.id) == 9


def test_an_email_code_is_a_second_factor_after_a_password(client_for: MakeClient) -> None:
    customer = factories.customer()
    enrol_app(member(customer))
    client = client_for(customer)
    token = login(client).document["session_token"]
    sent = send(client, token, "email")
    assert (sent.status, sent.document["expires_in"], sent.document["resend_in"]) == (200, 600, 30)
    assert Message.objects.order_by("-id")[0].kind == "second_factor_code"
    assert second(client, token, "email", code=newest_code()).status == 200


@pytest.mark.parametrize("method", ["email", "sms"])
def test_each_code_that_is_sent_is_an_event_that_says_how_and_not_whereto(
    client_for: MakeClient, settings: object, method: str
) -> None:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"  # type: ignore[attr-defined]
    customer = factories.customer(code_resend_after=0)
    user = member(customer)
    client, access = client_for(customer), factories.session(user).access
    client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=access)
    assert client.post("/api/auth/2fa/sms/confirm", {"code": newest_code()}, token=access).status == 200
    token = login(client).document["session_token"]
    before = set(Event.objects.values_list("id", flat=True))
    assert send(client, token, method).status == 200
    event = Event.objects.exclude(id__in=before).get()
    assert event.action == "second_factor_sent"
    assert (event.user_id, event.customer_id, event.actor) == (user.id, customer.id, f"user:{user.id}")
    assert (event.outcome, event.details, str(event.ip)) == ("success", {"method": method}, "192.0.2.7")


def test_a_code_that_is_not_sent_is_no_such_event(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=0)
    enrol_app(member(customer))
    client = client_for(customer)
    assert send(client, login(client).document["session_token"], "email").error_type == "quota_exceeded"
    assert not Event.objects.filter(action="second_factor_sent").exists()


def test_a_spent_quota_refuses_a_second_factor_by_email(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=0)
    enrol_app(member(customer))
    client = client_for(customer)
    refused = send(client, login(client).document["session_token"], "email")
    assert (refused.status, refused.error_type) == (429, "quota_exceeded")


def test_an_email_code_is_no_second_factor_after_an_email_code(client_for: MakeClient) -> None:
    """C4: a second factor only after a password, never after an email code."""
    customer = factories.customer()
    app = enrol_app(member(customer))
    client = client_for(customer)
    client.request_otp(EMAIL)
    asked = client.verify_otp(EMAIL, newest_code())
    assert asked.document["requires_2fa"] is True
    assert asked.document["methods"] == ["totp", "recovery_code"]
    token = asked.document["session_token"]
    assert send(client, token, "email").error_type == "method_not_offered"
    assert second(client, token, "email", code="123456").error_type == "method_not_offered"
    assert second(client, token, "totp", code=app.now()).status == 200


def test_an_email_code_is_none_after_a_password_set_by_mail(client_for: MakeClient) -> None:
    """C4: a reset does not get around a second factor."""
    customer = factories.customer()
    enrol_app(member(customer))
    Password.objects.update(set_by_mail=True)
    assert login(client_for(customer)).document["methods"] == ["totp", "recovery_code"]


def test_a_code_sent_for_one_challenge_is_worthless_for_another(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    enrol_app(member(customer))
    client = client_for(customer)
    first, other = (login(client).document["session_token"] for _ in range(2))
    send(client, first, "email")
    assert second(client, other, "email", code=newest_code()).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, newest_code()).error_type == "invalid_otp", "nor does it sign in by itself"


def test_who_is_deactivated_meanwhile_does_not_get_in(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    app = enrol_app(user)
    client = client_for(customer)
    token = login(client).document["session_token"]
    lifecycle.deactivate(user, context=factories.context("system"))
    assert second(client, token, "totp", code=app.now()).error_type == "invalid_token", "the challenge is void"


def test_a_user_without_a_factor_is_led_to_enrol_where_one_is_required(client_for: MakeClient) -> None:
    """Issue: a customer can require a factor, and a user without one is led to enrol."""
    customer = factories.customer(second_factor="required")
    user = member(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    asked = client.verify_otp(EMAIL, newest_code())
    assert asked.document["methods"] == []
    assert asked.document["enrol"] == ["passkey", "totp", "sms"]
    token = asked.document["session_token"]
    begun = client.before_sign_in("/api/auth/2fa/enrol", {"session_token": token, "method": "totp"})
    assert begun.status == 200
    assert begun.document["uri"].startswith("otpauth://totp/")
    assert begun.document["qr_svg"].startswith("<svg")
    app = pyotp.TOTP(begun.document["secret"])
    assert second(client, token, "totp", code=wrong_code(app.now())).error_type == "invalid_otp"
    answer = second(client, token, "totp", code=app.now())
    assert answer.status == 200, answer.document
    assert len(answer.document["recovery_codes"]) == 10
    assert Totp.objects.get(user=user).confirmed_at is not None
    assert "enrol" not in login(client).document


def test_after_a_password_a_code_by_email_comes_before_enrolling(client_for: MakeClient) -> None:
    """Else knowing the password would be enough to enrol an attacker's own app."""
    customer = factories.customer(second_factor="required")
    member(customer)
    client = client_for(customer)
    asked = login(client)
    assert asked.document["methods"] == ["email"]
    assert "enrol" not in asked.document
    token = asked.document["session_token"]
    refused = client.before_sign_in("/api/auth/2fa/enrol", {"session_token": token, "method": "totp"})
    assert refused.error_type == "method_not_offered"
    send(client, token, "email")
    answer = second(client, token, "email", code=newest_code())
    assert answer.document["enrol"] == ["passkey", "totp", "sms"], "signed in, and led to enrol"
    assert "access_token" in answer.document


def test_who_has_a_factor_cannot_enrol_another_on_the_way_in(client_for: MakeClient) -> None:
    """Else knowing the password would be enough to enrol an attacker's own app."""
    customer = factories.customer(second_factor="required")
    enrol_app(member(customer))
    client = client_for(customer)
    token = login(client).document["session_token"]
    for method in ("totp", "sms", "passkey"):
        document = {"session_token": token, "method": method, "phone": "+4915112345678"}
        assert client.before_sign_in("/api/auth/2fa/enrol", document).error_type == "method_not_offered"


def test_of_a_hundred_uses_of_one_challenge_one_signs_in(client_for: MakeClient) -> None:
    """Issue: races: 100 simultaneous uses of one challenge token → 1."""
    customer = generous()
    user = member(customer)
    enrol_app(user)
    codes = recovery_codes.make(user, now=timezone.now())
    client = client_for(customer)
    token = login(client).document["session_token"]
    statuses = at_once(
        100, lambda number: second(client, token, "recovery_code", code=codes[number % 10]).status, threads=100
    )
    assert statuses.count(200) == 1
    assert Session.objects.count() == 1
    assert recovery_codes.left(user.id) == 9


@pytest.mark.parametrize("method", ["totp", "recovery_code"])
def test_of_a_hundred_uses_of_one_code_one_signs_in(client_for: MakeClient, method: str) -> None:
    """Issue: races: 100 simultaneous uses of one recovery code, TOTP code → 1."""
    customer = generous()
    user = member(customer)
    app = enrol_app(user)
    client = client_for(customer)
    tokens = [login(client).document["session_token"] for _ in range(25)]  # each is good for five tries
    code = app.now() if method == "totp" else recovery_codes.make(user, now=timezone.now())[0]
    statuses = at_once(100, lambda number: second(client, tokens[number % 25], method, code=code).status, threads=100)
    assert statuses.count(200) == 1
    assert Session.objects.count() == 1


def test_of_many_wrong_tries_at_once_five_are_made(client_for: MakeClient) -> None:
    customer = generous()
    app = enrol_app(member(customer))
    client = client_for(customer)
    token = login(client).document["session_token"]
    wrong = wrong_code(app.now())
    types = at_once(40, lambda _: second(client, token, "totp", code=wrong).error_type)
    assert types.count("invalid_otp") == 5
    assert types.count("invalid_token") == 35


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"method": "totp"}, "code"),
        ({"method": "passkey"}, "credential"),
        ({"method": "carrier pigeon", "code": "123456"}, "method"),
        ({"code": "123456"}, "method"),
        ({"method": "totp", "code": "1" * 65}, "code"),
    ],
)
def test_bad_input_names_the_field(client_for: MakeClient, more: dict[str, str], field: str) -> None:
    client = client_for(factories.customer())
    answer = client.before_sign_in("/api/auth/2fa/verify", {"session_token": "a.b.c", **more})
    assert (answer.status, list(answer.document["error"]["fields"])) == (400, [field])


@pytest.mark.parametrize(
    "credential",
    [
        {"id": 7},
        {"response": "x"},
        {"response": {"clientDataJSON": 1}},
        {"id": "x", "response": {"clientDataJSON": "e30"}},
    ],
)
def test_a_credential_of_any_shape_is_refused_kindly(client_for: MakeClient, credential: object) -> None:
    client = client_for(factories.customer())
    answer = client.before_sign_in("/api/auth/passkey/verify", {"credential": credential})
    assert (answer.status, answer.error_type) == (400, "invalid_passkey"), answer.document


@pytest.mark.parametrize("credential", [[1], "text", 7, True, None])
def test_a_credential_that_is_no_object_is_named(client_for: MakeClient, credential: object) -> None:
    client = client_for(factories.customer())
    answer = client.before_sign_in("/api/auth/passkey/verify", {"credential": credential})
    assert (answer.status, answer.error_type) == (400, "validation_error")
    assert list(answer.document["error"]["fields"]) == ["credential"]
