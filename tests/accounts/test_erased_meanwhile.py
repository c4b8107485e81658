"""Somebody is erased, by an operator, in the middle of their own flow: one waits for the other, and neither fails.

An insert beside a user who is just being deleted would fail at the commit only, and be a 500.
"""

import pytest
from django.utils import timezone

from apps.accounts import erasure
from apps.accounts.models import EmailChange, ResetToken
from apps.core import actors
from apps.core.valkey import ValkeyUnavailable
from apps.customers import links
from apps.factors import enrolled
from apps.factors.enrolled import Enrolled
from apps.factors.models import Phone, Totp
from apps.mail.models import Message, MessageState
from apps.otp import code_store
from apps.signin.models import Challenge
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories, meanwhile
from tests.accounts.moving import NEW
from tests.accounts.recovering import forgot
from tests.conftest import MakeClient
from tests.meanwhile import Intruder
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


def erase(user: User) -> None:
    erasure.erase(customer_id=user.customer_id, user_id=user.id, context=factories.context(actors.SYSTEM))


def test_who_forgot_a_password_and_is_being_erased_gets_no_link(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    client = client_for(customer)
    with meanwhile.uncommitted(lambda: erase(user)):
        assert forgot(client).status == 200, "as for anybody"
    assert Message.objects.get().state == MessageState.SUPPRESSED
    assert ResetToken.objects.get().user is None


def test_who_is_erased_while_the_link_is_written_leaves_neither_link_nor_address(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = generous()
    user = member(customer)
    client, to = client_for(customer), links.to
    erasing = Intruder(lambda: erase(user))

    def interrupted(*args: object, **options: object) -> str:
        erasing.begin()
        return to(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(links, "to", interrupted)
    assert forgot(client).status == 200
    erasing.result()
    assert not ResetToken.objects.exists()
    assert not Message.objects.exclude(recipient="", content="").exists()


@pytest.mark.parametrize("anybody", [False, True])
def test_a_code_of_who_is_being_erased_opens_nothing(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch, *, anybody: bool
) -> None:
    """The code was right when it was given, and Valkey hears of the erasure too late. Then the user is gone."""
    customer = generous(creates_users_on_sign_in=anybody)
    user = member(customer)
    enrol_app(user)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()

    def away(_places: object) -> None:
        raise ValkeyUnavailable

    monkeypatch.setattr(code_store, "withdraw_all", away)
    with meanwhile.uncommitted(lambda: erase(user)):
        refused = client.verify_otp(EMAIL, code)
    assert (refused.status, refused.error_type) == (400, "invalid_otp")
    assert not User.objects.exists()


def test_who_is_erased_while_a_second_factor_is_asked_for_leaves_no_challenge(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = generous()
    user = member(customer)
    enrol_app(user)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code, of = newest_code(), enrolled.of
    erasing = Intruder(lambda: erase(user))

    def interrupted(user_id: object) -> Enrolled:
        erasing.begin()
        return of(user_id)  # type: ignore[arg-type]

    monkeypatch.setattr(enrolled, "of", interrupted)
    asked = client.verify_otp(EMAIL, code)
    assert (asked.status, asked.document["requires_2fa"]) == (200, True)
    erasing.result()
    assert not Challenge.objects.exists()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/api/auth/2fa/totp", {}),
        ("/api/auth/2fa/sms", {"phone": "+4915112345678"}),
        ("/api/auth/change-email", {"email": NEW}),
    ],
)
def test_whoever_begins_something_and_is_being_erased_is_told_that_nothing_is_there(
    client_for: MakeClient, settings: object, path: str, document: dict[str, str]
) -> None:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"  # type: ignore[attr-defined]
    customer = generous()
    user = factories.user(customer, EMAIL, email_verified_at=timezone.now())  # by code alone: no password to give again
    client, token = client_for(customer), factories.session(user).access
    with meanwhile.uncommitted(lambda: erase(user)):
        refused = client.post(path, document, token=token)
    assert (refused.status, refused.error_type) == (404, "not_found")
    assert [model.objects.count() for model in (User, Session, Totp, Phone, EmailChange, Message)] == [0] * 6
