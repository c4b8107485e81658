"""Signing in by one-time code, through the API."""

import pytest

from apps.audit.models import Event
from apps.mail import outbox
from apps.mail.models import LedgerEntry, Message, MessageState
from apps.tokens.models import Session
from apps.users import lifecycle
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import all_codes, code_of, newest_code, wrong_code

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"


def test_a_code_by_mail_signs_in(client_for: MakeClient) -> None:
    customer = factories.customer()
    client = client_for(customer)
    asked = client.request_otp("Ada@Example.com")
    assert asked.status == 200
    assert asked.document == {
        "success": True,
        "expires_in": 600,
        "resend_in": 30,
        "message": "If this address can sign in, a code is on its way to it.",
    }
    answer = client.verify_otp("ada@example.com", newest_code())
    assert answer.status == 200, answer.document
    assert answer.document["token_type"] == "Bearer"
    assert answer.document["expires_in"] == 7 * 3600
    user = User.objects.get()
    assert answer.document["user"] == {
        "id": str(user.id),
        "email": "Ada@Example.com",
        "name": "",
        "role": "company_user",
        "permissions": [],
        "status": "active",
        "customer_id": str(customer.id),
        "is_new": True,
    }
    assert LedgerEntry.objects.filter(step="code_used", message=Message.objects.get()).exists()
    assert set(Event.objects.values_list("action", flat=True)) >= {"code_requested", "sign_in"}


def test_the_second_sign_in_finds_the_same_user(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    for is_new in (True, False):
        assert client.request_otp(EMAIL).status == 200  # the first success lifted the wait for a further code
        answer = client.verify_otp(EMAIL, newest_code())
        assert answer.document["user"]["is_new"] is is_new
    assert User.objects.count() == 1
    assert Session.objects.count() == 2


def test_a_code_works_once(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    code = newest_code()
    assert client.verify_otp(EMAIL, code).status == 200
    again = client.verify_otp(EMAIL, code)
    assert (again.status, again.error_type) == (400, "invalid_otp")


def test_a_code_of_one_customer_is_worthless_at_another(client_for: MakeClient) -> None:
    """C1.5: the same email under two customers is two users and two codes."""
    one, other = factories.customer(), factories.customer()
    client_for(one).request_otp(EMAIL)
    code = newest_code()
    assert client_for(other).verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert client_for(one).verify_otp(EMAIL, code).status == 200
    client_for(other).request_otp(EMAIL)
    assert client_for(other).verify_otp(EMAIL, newest_code()).document["user"]["is_new"] is True
    assert User.objects.filter(email_identity=EMAIL).count() == 2


def test_a_code_typed_with_spaces_is_the_same_code(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    code = newest_code()
    assert client.verify_otp(EMAIL, f"{code[:3]} {code[3:]}").status == 200


def test_codes_follow_the_customers_policy(client_for: MakeClient) -> None:
    customer = factories.customer(code_length=10, code_alphabet="letters")
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    assert len(code) == 10
    assert code.isalpha()
    assert not set(code) & set("IOSZL")
    assert client.verify_otp(EMAIL, code.lower()).status == 200


def test_three_codes_live_at_once_and_the_oldest_gives_way(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    client = client_for(customer)
    for _ in range(4):
        assert client.request_otp(EMAIL).status == 200
    first, second, *_ = all_codes()
    assert client.verify_otp(EMAIL, first).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, second).status == 200


def test_success_kills_all_codes(client_for: MakeClient) -> None:
    client = client_for(factories.customer(code_resend_after=0))
    client.request_otp(EMAIL)
    client.request_otp(EMAIL)
    first, second = all_codes()
    assert client.verify_otp(EMAIL, second).status == 200
    assert client.verify_otp(EMAIL, first).error_type == "invalid_otp"


def test_asking_again_does_not_refill_the_budget(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    factories.limit(customer, "tries_per_email_and_ip", 100)
    client = client_for(customer)
    client.request_otp(EMAIL)
    for _ in range(4):
        assert client.verify_otp(EMAIL, wrong_code(newest_code())).error_type == "invalid_otp"
    client.request_otp(EMAIL)
    codes = all_codes()
    assert client.verify_otp(EMAIL, wrong_code(codes[1])).error_type == "invalid_otp"  # the fifth: spent
    for code in codes:
        assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, all_codes()[-1]).status == 200  # a new set has a new budget


def test_no_further_code_within_the_wait(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    assert client.request_otp(EMAIL).status == 200
    again = client.request_otp("ADA@example.com")
    assert (again.status, again.error_type) == (429, "resend_too_soon")
    assert 1 <= again.document["error"]["retry_after"] <= 30
    assert again.headers["retry-after"] == str(again.document["error"]["retry_after"])
    assert "ratelimit" in again.headers
    assert Message.objects.count() == 1


def test_a_deactivated_user_gets_neither_code_nor_session(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    user = factories.user(customer, EMAIL)
    lifecycle.deactivate(user, context=factories.context("system"))
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert client.request_otp(EMAIL).status == 200
    assert Message.objects.order_by("-id")[0].state == MessageState.SUPPRESSED
    assert Session.objects.count() == 0


def test_strangers_make_no_account_where_the_customer_forbids_it(client_for: MakeClient) -> None:
    customer = factories.customer(creates_users_on_sign_in=False)
    client = client_for(customer)
    assert client.request_otp(EMAIL).status == 200
    assert Message.objects.get().state == MessageState.SUPPRESSED
    factories.user(customer, "known@example.com")
    client.request_otp("known@example.com")
    assert client.verify_otp("known@example.com", newest_code()).document["user"]["is_new"] is False


def test_a_look_alike_address_does_not_get_into_anothers_account(client_for: MakeClient) -> None:
    """Addresses compare case-folded, "ß" as "ss"; but a code proves the mailbox it went to, and no other."""
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp("stra\u00dfe@example.com")
    code = newest_code()
    factories.user(customer, "strasse@example.com")
    assert client.verify_otp("strasse@example.com", code).error_type == "invalid_otp"


def test_mail_to_a_known_user_goes_to_the_address_that_user_gave(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.user(customer, "Ada.Lovelace@example.com")
    client_for(customer).request_otp("ada.lovelace@EXAMPLE.com")
    assert Message.objects.get().recipient == "Ada.Lovelace@example.com"


def test_a_new_account_has_the_address_its_code_was_sent_to(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    client.request_otp("Stra\u00dfe@example.com")
    assert client.verify_otp("strasse@example.com", newest_code()).error_type == "invalid_otp"
    answer = client.verify_otp("stra\u00dfe@EXAMPLE.com", newest_code())
    assert answer.document["user"]["email"] == "Stra\u00dfe@example.com"


def test_too_many_wrong_codes_in_a_row_close_codes_until_somebody_opens_them(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    factories.limit(customer, "wrong_codes_in_a_row", 3, window=0)
    user = factories.user(customer, EMAIL)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    for _ in range(3):
        client.verify_otp(EMAIL, wrong_code(code))
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"  # the right one, too
    client.request_otp(EMAIL)
    assert Message.objects.order_by("-id")[0].state == MessageState.SUPPRESSED
    lifecycle.clear_wrong_codes(user, context=factories.context("operator:x"))
    client_elsewhere = client_for(customer, ip="198.51.100.9")
    client_elsewhere.request_otp(EMAIL)
    assert client_elsewhere.verify_otp(EMAIL, newest_code()).status == 200


def test_success_ends_the_row_of_wrong_codes(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer, EMAIL)
    client = client_for(customer)
    client.request_otp(EMAIL)
    client.verify_otp(EMAIL, wrong_code(newest_code()))
    user.refresh_from_db()
    assert user.wrong_codes == 1
    client.verify_otp(EMAIL, newest_code())
    user.refresh_from_db()
    assert user.wrong_codes == 0


def test_a_test_key_sends_nothing_and_lists_what_it_would_have_sent(client_for: MakeClient) -> None:
    """C1.7: the sandbox, visible to that key alone."""
    customer = factories.customer()
    _, key = factories.api_key(customer, environment="test")
    _, other_test_key = factories.api_key(customer, environment="test")
    client = client_for(None, headers={"X-OTP-API-Key": key})
    client.request_otp(EMAIL)
    message = Message.objects.get()
    assert message.state == MessageState.SANDBOXED
    listed = client.call("GET", "/api/sandbox/messages")
    assert listed.status == 200
    assert [(item["to"], item["kind"]) for item in listed.document["results"]] == [(EMAIL, "sign_in_code")]
    assert code_of(message) in listed.document["results"][0]["text"]
    stranger = client_for(None, headers={"X-OTP-API-Key": other_test_key})
    assert stranger.call("GET", "/api/sandbox/messages").document["results"] == []
    live = client_for(customer)
    assert live.call("GET", "/api/sandbox/messages").error_type == "permission_denied"
    assert client_for(None).call("GET", "/api/sandbox/messages").error_type == "api_key_required"
    assert client.verify_otp(EMAIL, code_of(message)).status == 200


@pytest.mark.parametrize("locale", ["de", "de-AT", "de_AT"])
def test_the_mail_speaks_the_readers_language(client_for: MakeClient, locale: str) -> None:
    client_for(factories.customer(name="Laden")).request_otp(EMAIL, locale=locale)
    assert "ist Ihr Code für Laden" in outbox.content_of(Message.objects.get()).subject


@pytest.mark.parametrize("locale", ["xx", "../../etc", "🦉", "de" * 17])
def test_an_unknown_language_is_english(client_for: MakeClient, locale: str) -> None:
    assert client_for(factories.customer()).request_otp(EMAIL, locale=locale).status == 200
    assert "is your code for" in outbox.content_of(Message.objects.get()).subject
