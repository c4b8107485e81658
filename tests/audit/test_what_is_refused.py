"""Each way to be refused leaves an event that says by which rule, through the API as clients call it (contract 8)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client as DjangoClient
from django.utils import timezone

from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey
from apps.audit import refusals
from apps.audit.models import Event, Refusal
from apps.customers import lifecycle as customers
from apps.customers.models import Customer
from apps.signin.models import Password
from apps.users import lifecycle
from apps.users.models import User, UserStatus
from demo.client import Client
from tests import factories
from tests.conftest import MakeClient, over_django
from tests.factors.enrolling import wrong_totp
from tests.otp.reading import newest_code, wrong_code
from tests.roundtrips import counted
from tests.signin.entering import PASSWORD, enrol_app, login, member, second

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"
SYSTEM = factories.context("system")


def newest() -> Event:
    """What was refused last: the event that was written, or counted, last."""
    return Event.objects.filter(refusal__isnull=False).order_by("-refusal__last_at", "-id")[0]


def deactivate(user: User) -> None:
    lifecycle.deactivate(user, context=SYSTEM)


# --- The API key, and where the request comes from ------------------------------------------------


def with_key(client_for: MakeClient, text: str, ip: str = "192.0.2.7") -> None:
    client_for(None, headers={"X-OTP-API-Key": text}, ip=ip).verify_otp(EMAIL, "123456")


def revoked(of: Customer) -> str:
    row, text = factories.api_key(of)
    api_keys.revoke(row, context=SYSTEM)
    return text


def expired(of: Customer) -> str:
    row, text = factories.api_key(of)
    ApiKey.objects.filter(id=row.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return text


def mistyped(of: Customer) -> str:
    return factories.api_key(of)[1][:-1] + "!"


def of_nobody(of: Customer) -> str:
    row, text = factories.api_key(of)
    row.delete()
    return text


@pytest.mark.parametrize(
    ("make", "rule", "is_known"),
    [
        (revoked, "revoked_api_key", True),
        (expired, "expired_api_key", True),
        (mistyped, "mistyped_api_key", False),
        (of_nobody, "unknown_api_key", False),
    ],
)
def test_a_refused_key(client_for: MakeClient, make: Callable[[Customer], str], rule: str, is_known: bool) -> None:
    """The key is named by its id, if it is one of ours; never by its text."""
    customer = factories.customer()
    text = make(customer)
    with_key(client_for, text)
    event = newest()
    assert (event.action, event.details["rule"], event.outcome) == ("refused", rule, "denied")
    assert (event.customer_id, event.details.get("key_id")) == (
        (customer.id, text.split("_")[2]) if is_known else (None, None)
    )
    assert text.split("_")[3] not in str(event.details)


def test_a_suspended_customer(client_for: MakeClient) -> None:
    customer = factories.customer()
    client, token = client_for(customer), factories.session(factories.user(customer)).access
    customers.suspend(customer, context=SYSTEM)
    client.request_otp(EMAIL)
    assert (newest().customer_id, newest().details["rule"]) == (customer.id, "customer_suspended")
    client_for(None).get("/api/auth/me", token=token)
    assert (newest().details["rule"], newest().details["step"]) == ("customer_suspended", "call_with_token")
    DjangoClient().get(f"/sign-in/{customer.slug}")
    assert newest().details["step"] == "open_page"


def test_an_address_outside_the_allowlist(client_for: MakeClient) -> None:
    customer = factories.customer()
    row, text = factories.api_key(customer)
    customers.replace_allowlist(customer=customer, networks={"192.0.2.0/24": ""}, context=SYSTEM)
    for _ in range(2):
        with_key(client_for, text, ip="198.51.100.1")
    event = newest()
    assert (event.action, event.severity, event.ip) == ("address_refused", "medium", "198.51.100.1")
    assert (event.details["rule"], event.details["key_id"]) == ("ip_not_allowed", row.key_id)
    assert event.refusal.count == 2


def test_a_page_of_no_customer() -> None:
    DjangoClient().get("/sign-in/no-such-customer")
    assert (newest().details["rule"], newest().customer_id) == ("unknown_customer", None)


# --- Limits and quotas ----------------------------------------------------------------------------


def test_limits_on_asking_say_which_and_when_they_free(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.limit(customer, "codes_per_email", 1)
    factories.policy(customer, code_resend_after=30)
    client = client_for(customer)
    assert [client.request_otp(EMAIL).status for _ in range(2)] == [200, 429]
    assert newest().details["rule"] == "resend"
    factories.policy(customer, code_resend_after=0)
    assert client.request_otp(EMAIL).document["error"]["limit"] == "codes_per_email"
    event = newest()
    assert (event.details["rule"], event.details["step"]) == ("codes_per_email", "ask_for_code")
    assert event.details["frees_at"] > event.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(event.details["key_id"]) == 12
    assert refusals.of_address(EMAIL).of(customer.id).count() == 2


def test_a_spent_quota(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=0)
    client_for(customer).request_otp(EMAIL)
    assert newest().details["rule"] == "codes_per_day"
    assert newest().details["frees_at"].endswith("T00:00:00Z")


def test_a_limit_on_tries(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.limit(customer, "tries_per_email_and_ip", 1)
    client = client_for(customer)
    assert [client.verify_otp(EMAIL, "000000").status for _ in range(2)] == [400, 429]
    assert (newest().details["rule"], newest().details["step"]) == ("tries_per_email_and_ip", "give_code")


def test_a_limit_on_refreshing(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.limit(customer, "refreshes_per_session", 1)
    user, client = factories.user(customer), client_for(None)
    again = client.refresh(factories.session(user).refresh).document["refresh_token"]
    assert client.refresh(again).status == 429
    assert (newest().details["rule"], newest().user_id) == ("refreshes_per_session", user.id)


# --- Codes ----------------------------------------------------------------------------------------


def test_codes_that_are_wrong_used_or_were_never_asked_for(client_for: MakeClient) -> None:
    client = client_for(factories.customer())

    def rule_of(code: str) -> str:
        assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
        assert newest().action == "code_rejected"
        rule: str = newest().details["rule"]
        return rule

    assert rule_of("000000") == "no_living_code"
    client.request_otp(EMAIL)
    code = newest_code()
    assert rule_of(wrong_code(code)) == "wrong_code"
    assert client.verify_otp(EMAIL, code).status == 200
    assert rule_of(code) == "no_living_code"


def test_the_last_wrong_code_that_a_set_allows(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    wrong = wrong_code(newest_code())
    for _ in range(5):
        client.verify_otp(EMAIL, wrong)
    rows = Refusal.objects.order_by("first_at")
    assert [(row.event.details["rule"], row.count) for row in rows] == [("wrong_code", 4), ("codes_spent", 1)]


@pytest.mark.parametrize(
    ("close", "rule"),
    [
        (deactivate, "code_void"),  # closing an account voids its codes
        (lambda user: User.objects.filter(id=user.id).update(wrong_codes=100), "wrong_codes_in_a_row"),
        (lambda user: User.objects.filter(id=user.id).update(status=UserStatus.DEACTIVATED), "user_inactive"),
    ],
    ids=["deactivated", "closed", "inactive"],
)
def test_a_right_code_of_an_account_that_was_closed(
    client_for: MakeClient, close: Callable[[User], object], rule: str
) -> None:
    customer = factories.customer()
    user = factories.user(customer, EMAIL)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    close(user)
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert newest().details["rule"] in (rule, "no_living_code" if rule == "code_void" else rule)


@pytest.mark.parametrize(
    ("arrange", "withheld"),
    [
        (lambda customer: factories.user(customer, EMAIL, status=UserStatus.DEACTIVATED), "user_inactive"),
        (lambda customer: factories.user(customer, EMAIL, wrong_codes=100), "wrong_codes_in_a_row"),
        (lambda customer: factories.policy(customer, creates_users_on_sign_in=False), "unknown_user"),
        (lambda customer: None, None),
    ],
    ids=["inactive", "closed", "unknown", "new"],
)
def test_a_code_that_is_not_sent_says_why(
    client_for: MakeClient, arrange: Callable[[Customer], object], withheld: str | None
) -> None:
    """The client is told nothing (contract 5); the event names the rule, and the mail that is not sent."""
    customer = factories.customer()
    arrange(customer)
    assert client_for(customer).request_otp(EMAIL).status == 200
    event = Event.objects.get(action="code_requested")
    assert event.details.get("withheld") == withheld
    assert len(event.details["message"]) == 36


# --- Passwords, second factors, passkeys ----------------------------------------------------------


def lock(user: User) -> None:
    Password.objects.filter(user=user).update(locked_until=timezone.now() + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("arrange", "rule"),
    [
        (lambda customer: None, "unknown_user"),
        (lambda customer: factories.user(customer, EMAIL), "no_password"),
        (lambda customer: member(customer, EMAIL, "another horse entirely"), "wrong_password"),
        (lambda customer: deactivate(member(customer, EMAIL)), "user_inactive"),
        (lambda customer: lock(member(customer, EMAIL)), "password_locked"),
    ],
    ids=["unknown", "none", "wrong", "inactive", "locked"],
)
def test_a_refused_password(client_for: MakeClient, arrange: Callable[[Customer], object], rule: str) -> None:
    """One answer for all (contract 4), and the rule in the event. Found by the address, whether or not there is a user."""
    customer = factories.customer()
    arrange(customer)
    client = client_for(customer)
    login(client, PASSWORD, "warm@example.com")
    with counted() as cost:
        assert login(client, PASSWORD).error_type == "invalid_credentials"
    event = newest()
    assert (event.action, event.details["rule"]) == ("password_rejected", rule)
    assert refusals.of_address(EMAIL).of(customer.id).count() == 1
    assert len(cost.statements) == 3  # user with password, count, event


def test_a_wrong_second_factor(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    wrong = wrong_totp(enrol_app(user))
    client = client_for(customer)
    token = login(client).document["session_token"]
    assert second(client, token, "totp", code=wrong).status == 400
    event = newest()
    assert (event.action, event.user_id, event.details["rule"]) == (
        "second_factor_rejected",
        user.id,
        "wrong_second_factor",
    )
    assert second(client, "x" * 20, "totp", code="000000").status == 400  # no token at all: nobody was refused anything
    assert newest().id == event.id


def test_a_passkey_of_nobody(client_for: MakeClient) -> None:
    customer = factories.customer()
    client_for(customer).before_sign_in("/api/auth/passkey/verify", {"credential": {"id": "x"}})
    assert (newest().action, newest().details["step"]) == ("passkey_rejected", "give_passkey")


# --- Sessions and rights --------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "rule"), [("ended", "session_ended"), ("deactivated", "user_inactive")])
def test_a_refresh_that_is_refused(client_for: MakeClient, what: str, rule: str) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    pair, client = factories.session(user), client_for(None)
    if what == "ended":
        client.with_token("POST", "/api/auth/logout", {}, token=pair.access)
    else:
        deactivate(user)
    assert client.refresh(pair.refresh).status == 401
    assert (newest().details["rule"], newest().details["step"], newest().user_id) == (rule, "refresh", user.id)


def test_a_pending_user_whose_rights_do_not_count_yet(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer, status=UserStatus.PENDING, role="company_user")
    token = factories.session(user).access
    headers = {"authorization": f"Bearer {token}"}
    answer = DjangoClient().get(f"/verify?customer={customer.slug}&permission=invoices.read", headers=headers)
    assert answer.status_code == 403
    assert (newest().details["rule"], newest().user_id) == ("user_pending", user.id)


# --- What it costs, and what it tells -------------------------------------------------------------


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_a_refused_request_costs_one_statement_whether_or_not_the_address_is_known(
    client_for: MakeClient,
    is_known: bool,
) -> None:
    """C5: no answer, time or size tells whether an email has an account."""
    customer = factories.customer()
    if is_known:
        factories.user(customer, EMAIL)
    client = client_for(customer)
    client.request_otp(EMAIL)
    with counted() as cost:
        assert client.request_otp(EMAIL).error_type == "resend_too_soon"
    assert (len(cost.statements), cost.transactions, cost.round_trips) == (1, 0, 2)  # replay; wait and limits
    assert newest().user_id is None


def test_addresses_as_long_or_as_odd_as_they_may_be_are_refused_as_any_other(client_for: MakeClient) -> None:
    customer = factories.customer(daily_code_quota=0)
    longest = f"{'a' * 64}@{'.'.join(['b' * 59] * 3)}.example"
    odd = "Ünï.cöde+tag@bücher.example"
    for address in (longest, odd):
        assert client_for(customer).request_otp(address).error_type == "quota_exceeded"
    assert Refusal.objects.count() == 2
    assert "cöde" not in str(list(Event.objects.values()))


def test_a_header_that_nobody_vouches_for_does_not_say_where_from(client_for: MakeClient, settings: object) -> None:
    customer = factories.customer(daily_code_quota=0)
    key, service_key = factories.api_key(customer)[1], settings.SERVICE_ENCRYPTION_KEY  # type: ignore[attr-defined]
    send = over_django(REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="203.0.113.66")
    Client(send=send, api_key=key, service_key=service_key).request_otp(EMAIL)
    assert newest().ip == "192.0.2.7"
