"""A spent quota stops sending, and nothing else; and it does not tell who has an account."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.core.ids import new_id
from apps.customers.models import Customer
from apps.mail import outbox
from apps.mail.errors import QuotaExceeded
from apps.mail.models import MailQuotaUse, Message
from apps.mail.outbox import MailDraft, Quota
from apps.users import lifecycle
from demo.client import Answer
from tests import factories
from tests.conftest import MakeClient
from tests.otp.test_enumeration_and_costs import stable

pytestmark = pytest.mark.django_db(transaction=True)


def spent(customer: Customer, client_for: MakeClient) -> None:
    assert client_for(customer).request_otp("first@example.com").status == 200


def without_wait(answer: Answer) -> object:
    """The answer without the seconds until the quota opens again."""
    status, document, headers = stable(answer)  # type: ignore[misc]
    document["error"].pop("retry_after")
    return status, document, {name: text for name, text in headers.items() if name not in ("retry-after", "ratelimit")}


@pytest.mark.parametrize("who", ["unknown", "deactivated", "closed"])
def test_a_spent_quota_answers_alike_for_those_who_would_get_no_mail(client_for: MakeClient, who: str) -> None:
    customer = factories.customer(daily_code_quota=1, creates_users_on_sign_in=False)
    factories.user(customer, "first@example.com")
    spent(customer, client_for)
    factories.user(customer, "known@example.com")
    if who == "deactivated":
        gone = factories.user(customer, "deactivated@example.com")
        lifecycle.deactivate(gone, context=factories.context("system"))
    if who == "closed":
        factories.user(customer, "closed@example.com", wrong_codes=100)
    client = client_for(customer)
    reference, answer = client.request_otp("known@example.com"), client.request_otp(f"{who}@example.com")
    assert (answer.status, answer.error_type) == (429, "quota_exceeded")
    assert without_wait(answer) == without_wait(reference)


def test_who_gets_no_mail_uses_up_no_quota(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=1, creates_users_on_sign_in=False)
    client = client_for(customer)
    for number in range(3):
        assert client.request_otp(f"stranger{number}@example.com").status == 200
    factories.user(customer, "known@example.com")
    assert client.request_otp("known@example.com").status == 200


def test_the_sandbox_neither_uses_up_nor_asks_for_quota(client_for: MakeClient) -> None:
    """C1.7: a test key sends nothing, so the quota does not apply to it."""
    customer = factories.customer(daily_code_quota=1)
    key = factories.api_key(customer, environment="test")[1]
    sandbox = client_for(None, headers={"X-OTP-API-Key": key})
    for number in range(3):
        assert sandbox.request_otp(f"user{number}@example.com").status == 200
    spent(customer, client_for)
    assert sandbox.request_otp("user9@example.com").status == 200


def test_a_429_says_in_its_headers_what_was_spent(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=1)
    spent(customer, client_for)
    refused = client_for(customer).request_otp("ada@example.com")
    wait = refused.headers["retry-after"]
    assert refused.headers["ratelimit-policy"] == '"codes_per_day";q=1;w=86400'
    assert refused.headers["ratelimit"] == f'"codes_per_day";r=0;t={wait}'


def test_each_answer_says_what_remains(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    asked, again = client.request_otp("ada@example.com"), client.request_otp("ada@example.com")
    assert asked.headers["ratelimit-policy"] == '"codes_per_email";q=5;w=900'
    assert asked.headers["ratelimit"] == '"codes_per_email";r=4;t=900'
    assert again.headers["ratelimit-policy"] == '"resend";q=1;w=30'
    assert again.headers["ratelimit"] == f'"resend";r=0;t={again.headers["retry-after"]}'


MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def post(customer: Customer, quota: Quota, now: datetime) -> Message:
    draft = MailDraft(
        message_id=new_id(),
        kind="sign_in_code",
        recipient="ada@example.com",
        locale="en",
        expires_at=now + timedelta(minutes=10),
        facts={"code": "123456", "spelled_code": "1 2 3 4 5 6", "minutes": 10},
    )
    branding = factories.state_of(customer).branding
    return outbox.post(draft=draft, branding=branding, quota=quota, now=now)


def test_requests_about_midnight_do_not_begin_the_day_again() -> None:
    """C6: exactly N; a request that began before midnight may be counted after one that began later."""
    customer, quota = factories.customer(), Quota(daily=2, monthly=100)
    before, after = MIDNIGHT - timedelta(seconds=1), MIDNIGHT + timedelta(seconds=1)
    post(customer, quota, after)
    post(customer, quota, before)
    for now in (before, after, before):
        with pytest.raises(QuotaExceeded):
            post(customer, quota, now)
    assert MailQuotaUse.objects.get(customer_id=customer.id).day == MIDNIGHT.date()


def test_a_new_day_and_a_new_month_begin_at_midnight_utc() -> None:
    customer, quota = factories.customer(), Quota(daily=1, monthly=2)
    post(customer, quota, MIDNIGHT - timedelta(days=2))
    post(customer, quota, MIDNIGHT - timedelta(seconds=1))
    with pytest.raises(QuotaExceeded) as refused:
        post(customer, quota, MIDNIGHT - timedelta(seconds=1))
    assert (refused.value.limit, refused.value.retry_after) == ("codes_per_month", 1)
    post(customer, quota, MIDNIGHT)
    with pytest.raises(QuotaExceeded) as refused:
        post(customer, quota, MIDNIGHT)
    assert (refused.value.limit, refused.value.retry_after) == ("codes_per_day", 86_400)


def test_a_quota_is_its_customers_own() -> None:
    one, other, quota = factories.customer(), factories.customer(), Quota(daily=1, monthly=1)
    post(one, quota, MIDNIGHT)
    post(other, quota, MIDNIGHT)
    with pytest.raises(QuotaExceeded):
        post(one, quota, MIDNIGHT)
