"""Codes sent and flows begun before an account was closed are worthless once it is open again."""

import pytest

from apps.accounts import deactivation
from apps.tokens.models import Session
from apps.users import lifecycle
from apps.users.models import User
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.accounts.registering import quick, register, verify
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, enrol_app, generous, login, member, second

pytestmark = pytest.mark.django_db(transaction=True)


def close_and_open(user: User) -> None:
    acting = factories.context("operator:o")
    deactivation.deactivate(user, context=acting)
    lifecycle.reactivate(user, context=acting)


def test_a_link_from_before_resets_no_password(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    client = client_for(customer)
    forgot(client)
    link = mailed_token()
    close_and_open(user)
    assert reset(client, link).error_type == "invalid_reset_token"
    assert login(client).status == 200, "the password is the old one"
    forgot(client)
    assert reset(client, mailed_token()).status == 200, "a new link works"


def test_a_challenge_from_before_is_met_by_nothing(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    app = enrol_app(user)
    client = client_for(customer)
    token = login(client).document["session_token"]
    close_and_open(user)
    assert second(client, token, "totp", code=app.now()).error_type == "invalid_token"
    assert not Session.objects.exists()
    assert second(client, login(client).document["session_token"], "totp", code=app.now()).status == 200


def test_a_code_from_before_signs_nobody_in(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    user = member(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    close_and_open(user)
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200


def test_a_code_from_before_proves_no_address(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client)
    code = newest_code()
    close_and_open(User.objects.get())
    assert verify(client, code).error_type == "invalid_otp"
    assert User.objects.get().email_verified_at is None


def test_what_others_have_in_hand_is_left_alone(client_for: MakeClient) -> None:
    customer, other = generous(), generous()
    user = member(customer)
    member(customer, "bob@example.com")
    member(other)
    client, theirs = client_for(customer), client_for(other)
    forgot(client, "bob@example.com")
    link = mailed_token()
    theirs.request_otp(EMAIL)
    code = newest_code()
    close_and_open(user)
    assert reset(client, link).status == 200
    assert theirs.verify_otp(EMAIL, code).status == 200
