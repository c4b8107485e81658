"""Limits of sign-in by code hold exactly: under any concurrency, and against those who would get around them."""

import time

import pytest

from apps.audit.models import Event
from apps.core import valkey
from apps.core.client_address import counted_as
from apps.customers import limits
from apps.mail.models import Message, MessageState
from apps.otp import code_requests
from apps.otp.code_requests import CodeRequest
from apps.signin import by_code
from apps.signin.by_code import CodeSignIn
from apps.tokens.models import Session
from apps.users import emails
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code, wrong_code
from tests.races import at_once, outcome

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"


def wish(customer: object, email: str = EMAIL, ip: str = "192.0.2.7") -> CodeRequest:
    return CodeRequest(
        customer=factories.state_of(customer),  # type: ignore[arg-type]
        address=emails.parse(email),
        purpose="login",
        locale="",
        context=factories.context(ip=ip, user_agent="", request_id=""),
    )


def attempt(customer: object, code: str, ip: str = "192.0.2.7") -> CodeSignIn:
    asked = wish(customer, ip=ip)
    return CodeSignIn(asked.customer, asked.address, code, "body", asked.context)


def generous(customer: object) -> None:
    names = ("tries_per_email_and_ip", "tries_per_ip", "tries_per_email", "codes_per_ip", "codes_per_customer")
    factories.first_limits(customer, *names, count=100_000)  # type: ignore[arg-type]


def test_of_a_thousand_redemptions_32_at_a_time_one_signs_in() -> None:
    customer = factories.customer()
    generous(customer)
    code_requests.request_code(wish(customer))
    mine = attempt(customer, newest_code())
    results = at_once(1000, lambda _: outcome(lambda: by_code.sign_in(mine)))
    assert results.count("done") == 1
    assert results.count("InvalidOtp") == 999
    assert Session.objects.count() == 1


def test_the_budget_of_wrong_tries_is_exact_under_concurrency() -> None:
    customer = factories.customer()
    generous(customer)
    code_requests.request_code(wish(customer))
    right = newest_code()
    wrong = attempt(customer, wrong_code(right))
    at_once(50, lambda _: outcome(lambda: by_code.sign_in(wrong)))
    assert outcome(lambda: by_code.sign_in(attempt(customer, right))) == "InvalidOtp"


@pytest.mark.parametrize("which", ["daily_code_quota", "monthly_code_quota"])
def test_a_quota_of_n_sends_n_of_ten_n(which: str) -> None:
    """C6: exactly N under any concurrency."""
    customer = factories.customer(**{which: 12})
    generous(customer)
    wishes = [wish(customer, f"user{number}@example.com") for number in range(120)]
    results = at_once(120, lambda number: outcome(lambda: code_requests.request_code(wishes[number])))
    assert results.count("done") == 12
    assert results.count("QuotaExceeded") == 108
    assert Message.objects.filter(state=MessageState.QUEUED).count() == 12


def test_a_spent_quota_says_when_it_opens_and_stops_only_sending(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=1)
    client = client_for(customer)
    client.request_otp(EMAIL)
    refused = client.request_otp("bob@example.com")
    assert (refused.status, refused.error_type) == (429, "quota_exceeded")
    assert refused.document["error"]["limit"] == "codes_per_day"
    assert 0 < refused.document["error"]["retry_after"] <= 86_400
    assert client.verify_otp(EMAIL, newest_code()).status == 200


def test_the_quota_survives_the_loss_of_valkey(client_for: MakeClient) -> None:
    client = client_for(factories.customer(daily_code_quota=1))
    client.request_otp(EMAIL)
    valkey.client().flushdb()
    assert client.request_otp("bob@example.com").error_type == "quota_exceeded"


def test_a_refused_quota_leaves_no_living_code_and_no_wait(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=0)
    client = client_for(customer)
    assert client.request_otp(EMAIL).error_type == "quota_exceeded"
    factories.policy(customer, daily_code_quota=5)
    assert client.request_otp(EMAIL).status == 200


def test_codes_for_an_address_cannot_be_had_by_other_spellings(client_for: MakeClient) -> None:
    """C6: case, dots and plus-tags do not evade a counter."""
    client = client_for(factories.customer(code_resend_after=0))
    spellings = ["ada.lovelace@example.com", "ADA.lovelace@example.com", "adalovelace@EXAMPLE.com"]
    spellings += ["a.d.a.lovelace+1@example.com", "adalovelace+two@example.com"]
    assert [client.request_otp(spelling).status for spelling in spellings] == [200] * 5
    sixth = client.request_otp("AdaLovelace+three@example.com")
    assert sixth.document["error"]["limit"] == "codes_per_email"
    assert sixth.headers["ratelimit"].startswith('"codes_per_email";r=0;t=')


def test_counters_are_the_customers_own(client_for: MakeClient) -> None:
    """C1.5: two sets of limits."""
    one, other = factories.customer(code_resend_after=0), factories.customer(code_resend_after=0)
    for _ in range(5):
        client_for(one).request_otp(EMAIL)
    assert client_for(one).request_otp(EMAIL).status == 429
    assert client_for(other).request_otp(EMAIL).status == 200


def test_a_forged_forwarded_for_does_not_evade_the_limit_of_an_address(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.limit(customer, "codes_per_ip", 3)
    statuses = []
    for number in range(5):
        client = client_for(customer, headers={"X-Forwarded-For": f"203.0.113.{number}"})
        client.headers["X-OTP-API-Key"] = factories.api_key(customer)[1]
        statuses.append(client.request_otp(f"user{number}@example.com").status)
    assert statuses == [200, 200, 200, 429, 429]


def test_ipv6_is_counted_by_its_64() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:1") != counted_as("2001:db8:0:1::1")


def test_tries_are_limited_by_address_and_network(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    wrong = wrong_code(newest_code())
    for _ in range(5):
        assert client.verify_otp(EMAIL, wrong).status == 400
    sixth = client.verify_otp(EMAIL, wrong)
    assert (sixth.status, sixth.document["error"]["limit"]) == (429, "tries_per_email_and_ip")


def test_tries_of_one_network_are_counted_across_customers(client_for: MakeClient) -> None:
    statuses = []
    for number in range(21):
        if number % 4 == 0:
            client = client_for(factories.customer())
        statuses.append(client.verify_otp(f"user{number}@example.com", "123456"))
    assert [answer.status for answer in statuses] == [400] * 20 + [429]
    assert statuses[-1].document["error"]["limit"] == "tries_per_ip"


def test_guessing_at_many_accounts_raises_one_alarm_and_pauses_each(client_for: MakeClient) -> None:
    """C6: 1,000 wrong codes of all a customer's users in 10 minutes; here 3."""
    customer = factories.customer(code_resend_after=0)
    generous(customer)
    factories.limit(customer, limits.WRONG_CODES_PER_CUSTOMER, 3, window=600)
    client = client_for(customer)
    for number in range(5):
        assert client.verify_otp(f"user{number}@example.com", "123456").error_type == "invalid_otp"
    paused = client.verify_otp("user4@example.com", "123456")
    assert (paused.status, paused.document["error"]["limit"]) == (429, "wrong_codes_per_customer")
    assert client.request_otp("user4@example.com").status == 429
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200  # the right code still works
    assert Event.objects.filter(action="code_guessing", severity="high").count() == 1


def test_requests_are_limited_exactly_under_concurrency() -> None:
    customer = factories.customer(code_resend_after=0)
    generous(customer)
    factories.limit(customer, "codes_per_email", 7)
    asked = wish(customer)
    results = at_once(70, lambda _: outcome(lambda: code_requests.request_code(asked)))
    assert results.count("done") == 7
    assert results.count("RateLimited") == 63


def test_a_customers_short_window_does_not_empty_the_log_of_the_others(client_for: MakeClient) -> None:
    """C6: tries of one network count across customers; a customer with another window does not reset the count."""
    one, other = factories.customer(), factories.customer()
    factories.limit(one, "tries_per_ip", 2)
    factories.limit(other, "tries_per_ip", 1000, 1)
    guess, reset = client_for(one), client_for(other)
    for number in range(2):
        assert guess.verify_otp(f"u{number}@example.com", "000000").error_type == "invalid_otp"
    time.sleep(1.1)
    assert reset.verify_otp("somebody@example.com", "000000").error_type == "invalid_otp"
    assert guess.verify_otp("another@example.com", "000000").status == 429


def test_a_further_code_too_soon_says_which_limit_it_was(client_for: MakeClient) -> None:
    """C6: a 429 says which limit it was."""
    client = client_for(factories.customer())
    client.request_otp("ada@example.com")
    again = client.request_otp("ada@example.com")
    assert (again.status, again.error_type) == (429, "resend_too_soon")
    assert again.document["error"]["limit"] == "resend"
