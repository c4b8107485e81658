"""The holder of a test key reads the codes it sends: they are good only with test keys, and never for an administrator."""

import json
import re

import pytest

from apps.mail.models import Message
from apps.tokens.models import Session
from apps.users import lifecycle
from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.accounts.recovering import forgot, reset
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, enrol_app, generous, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)
CODE = re.compile(r"#(\d{6})")
LINK = re.compile(r"#token=([\w-]+)")


def sandbox(client_for: MakeClient, customer: factories.Customer) -> Client:
    """A client with a test key of the customer's."""
    client = client_for(None)
    client.headers["X-OTP-API-Key"] = factories.api_key(customer, environment="test")[1]
    return client


def code_in(client: Client) -> str | None:
    """What the holder of the key reads."""
    return _found_in(client, CODE)


def link_in(client: Client) -> str | None:
    """The token of the link that the holder of the key reads."""
    return _found_in(client, LINK)


def promote(user: User) -> None:
    lifecycle.change(user, changes={"role": "admin"}, context=factories.context("operator:o"))


def test_a_code_of_a_test_key_signs_in_with_a_test_key_alone(client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    test = sandbox(client_for, customer)
    test.request_otp(EMAIL)
    code = code_in(test)
    assert code
    assert client_for(customer).verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert test.verify_otp(EMAIL, code).status == 200
    assert Session.objects.get().sandbox_key_id


def test_a_live_code_does_not_sign_in_with_a_test_key(client_for: MakeClient) -> None:
    """A test key does not use up the wait or the codes of live keys either."""
    customer = generous()
    member(customer)
    live, test = client_for(customer), sandbox(client_for, customer)
    assert test.request_otp(EMAIL).status == 200
    assert live.request_otp(EMAIL).status == 200
    sent = CODE.search(_newest_text())
    assert sent
    assert test.verify_otp(EMAIL, sent[1]).error_type == "invalid_otp"
    assert live.verify_otp(EMAIL, sent[1]).status == 200


def test_a_test_key_reads_no_second_factor_of_a_live_sign_in(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    enrol_app(member(customer))
    live, test = client_for(customer), sandbox(client_for, customer)
    token = login(live).document["session_token"]
    send(test, token, "email")
    code = code_in(test)
    assert code
    assert second(live, token, "email", code=code).error_type == "invalid_otp"
    assert not Session.objects.exists()


def test_a_test_key_reads_nothing_that_enters_an_administrators_account(client_for: MakeClient) -> None:
    customer = generous()
    member(customer, role="admin")
    test = sandbox(client_for, customer)
    assert test.request_otp(EMAIL).status == 200, "which tells nothing"
    test.before_sign_in("/api/auth/forgot-password", {"email": EMAIL})
    assert code_in(test) is None
    assert "token=" not in json.dumps(test.call("GET", "/api/sandbox/messages").document)


def test_a_code_that_a_test_key_has_read_does_not_sign_in_who_has_become_an_administrator(
    client_for: MakeClient,
) -> None:
    customer = generous()
    user = member(customer)
    test = sandbox(client_for, customer)
    test.request_otp(EMAIL)
    code = code_in(test)
    assert code
    promote(user)
    assert test.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert not Session.objects.exists()


@pytest.mark.parametrize("key", ["test", "live"])
def test_nor_does_a_link_reset_the_password_with_whichever_key(client_for: MakeClient, key: str) -> None:
    customer = generous()
    user = member(customer)
    test = sandbox(client_for, customer)
    forgot(test)
    link = link_in(test)
    assert link
    promote(user)
    client = test if key == "test" else client_for(customer)
    assert reset(client, link).error_type == "invalid_reset_token"
    assert login(client_for(customer)).status == 200, "the password is the old one"


def test_a_link_that_a_test_key_has_read_resets_the_password_of_anybody_else(client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    test = sandbox(client_for, customer)
    forgot(test)
    assert reset(test, link_in(test) or "").status == 200


def _found_in(client: Client, pattern: re.Pattern[str]) -> str | None:
    found = pattern.search(json.dumps(client.call("GET", "/api/sandbox/messages").document))
    return found[1] if found else None


def _newest_text() -> str:
    from apps.mail import outbox

    return outbox.content_of(Message.objects.exclude(content="").order_by("-id")[0]).text
