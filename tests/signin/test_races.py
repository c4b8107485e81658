"""What can happen between reading a password and signing in with it."""

import pytest
from django.utils import timezone

from apps.signin import by_password, completion, passwords, pending_sign_in
from apps.signin.errors import InvalidCredentials
from apps.signin.models import Password
from apps.tokens.models import Session
from apps.users import emails
from apps.users.models import User
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.conftest import MakeClient
from tests.meanwhile import Intruder
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member, second

pytestmark = pytest.mark.django_db(transaction=True)


def attempt(user: User) -> by_password.PasswordSignIn:
    customer = factories.state_of(user.customer)
    return by_password.PasswordSignIn(
        client_customer=customer,
        customer=customer,
        address=emails.parse(EMAIL),
        password=PASSWORD,
        delivery="body",
        context=factories.context(),
    )


def test_an_old_password_checked_before_a_reset_signs_nobody_in_after_it(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = factories.customer()
    user = member(customer)
    client = client_for(customer)
    forgot(client)
    matches = passwords.matches

    def slowly(text: str, encoded: str | None, *, is_imported: bool = False) -> bool:
        """The reset comes while Argon2 computes."""
        monkeypatch.setattr(passwords, "matches", matches)
        right = matches(text, encoded, is_imported=is_imported)
        assert reset(client, mailed_token()).status == 200
        return right

    monkeypatch.setattr(passwords, "matches", slowly)
    with pytest.raises(InvalidCredentials):
        by_password.sign_in(attempt(user))
    assert not Session.objects.filter(ended_at=None).exists()


def test_a_password_that_is_locked_while_it_is_checked_signs_nobody_in(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of simultaneous guesses, those after the fifth wrong one do not count."""
    customer = generous()
    user = member(customer)
    matches = passwords.matches

    def slowly(text: str, encoded: str | None, *, is_imported: bool = False) -> bool:
        monkeypatch.setattr(passwords, "matches", matches)
        for number in range(5):
            login(client_for(customer, ip=f"198.51.100.{number}"), "wrong")
        return matches(text, encoded, is_imported=is_imported)

    monkeypatch.setattr(passwords, "matches", slowly)
    with pytest.raises(InvalidCredentials):
        by_password.sign_in(attempt(user))
    assert Password.objects.get().locked_until is not None
    assert not Session.objects.exists()


def test_a_reset_that_comes_while_a_session_starts_waits_and_ends_it(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = factories.customer()
    user = member(customer)
    client = client_for(customer)
    forgot(client)
    token, proceed = mailed_token(), completion.proceed
    resetting = Intruder(lambda: reset(client, token).status)

    def interrupted(pending: pending_sign_in.PendingSignIn) -> object:
        resetting.begin()
        return proceed(pending)

    monkeypatch.setattr(completion, "proceed", interrupted)
    by_password.sign_in(attempt(user))
    assert resetting.result() == 200
    assert Session.objects.get().ended_at is not None


def test_a_challenge_begun_with_the_old_password_is_void_after_a_reset(client_for: MakeClient) -> None:
    customer = factories.customer()
    app = enrol_app(member(customer))
    client = client_for(customer)
    token = login(client).document["session_token"]
    forgot(client)
    assert reset(client, mailed_token()).status == 200
    assert second(client, token, "totp", code=app.now()).error_type == "invalid_token"


def test_and_after_a_change_of_the_password(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    app = enrol_app(user)
    client = client_for(customer)
    token = login(client).document["session_token"]
    document = {"current_password": PASSWORD, "password": FRESH}
    assert client.post("/api/auth/change-password", document, token=factories.session(user).access).status == 200
    assert second(client, token, "totp", code=app.now()).error_type == "invalid_token"


def test_a_wrong_first_code_on_the_way_in_is_counted_for_the_account(client_for: MakeClient, settings: object) -> None:
    """C5: counting a failure is never undone by the failing request's own rollback."""
    from tests.otp.reading import newest_code

    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"  # type: ignore[attr-defined]
    customer = factories.customer(second_factor="required")
    user = factories.user(customer, EMAIL, email_verified_at=timezone.now())
    client = client_for(customer)
    client.request_otp(EMAIL)
    token = client.verify_otp(EMAIL, newest_code()).document["session_token"]
    begun = {"session_token": token, "method": "sms", "phone": "+4915112345678"}
    assert client.before_sign_in("/api/auth/2fa/enrol", begun).status == 200
    assert second(client, token, "sms", code="000000").error_type == "invalid_otp"
    user.refresh_from_db()
    assert (user.wrong_second_factors, user.wrong_codes) == (1, 0)
    assert Password.objects.count() == 0
