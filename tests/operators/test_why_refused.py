"""Why was this user refused? What happened, in order, and what would happen now: asked of the deciding functions, nothing consumed."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey
from apps.audit import refusals, steps
from apps.audit.models import Event, Refusal
from apps.audit.refusals import NewRefusal
from apps.core import valkey
from apps.customers import lifecycle as customers
from apps.customers.models import Customer
from apps.mail import ledger
from apps.mail.models import MailQuotaUse, Message
from apps.operators.models import RoleName
from apps.signin.models import Password
from apps.users import lifecycle
from apps.users.models import User, UserStatus
from demo.client import Client as ApiClient
from tests import factories
from tests.conftest import MakeClient
from tests.engines import OwnValkey
from tests.operators.limiting import give, with_role
from tests.operators.signing_in import operator, sign_in, signed_in
from tests.otp.reading import newest_code, wrong_code
from tests.roundtrips import counted
from tests.signin.entering import PASSWORD, login, member

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"
IP = "192.0.2.7"
SYSTEM = factories.context("system")
PATH = "/admin/why-refused/"


def ask(browser: Client, customer: Customer | None = None, **known: str) -> dict[str, Any]:
    """What the page shows."""
    query = {"email": EMAIL, **({"customer": customer.slug} if customer else {}), **known}
    answer = browser.get(PATH, query)
    assert answer.status_code == 200
    return answer.context_data  # type: ignore[attr-defined, no-any-return]


def told(shown: dict[str, Any], part: str = "story") -> list[tuple[str, int]]:
    return [(item.what, item.step.count) for item in shown[part]]


def rules(shown: dict[str, Any]) -> dict[str, str]:
    """Of the rules: name to what the label says."""
    return {str(line.name): str(line.verdict) for line in shown["checks"]}


def by(way: str, shown: dict[str, Any]) -> str:
    (verdict,) = [verdict for verdict in shown["verdicts"] if str(verdict.way) == f"By {way}"]
    return str(verdict.text)


# --- What happened ---------------------------------------------------------------------------------


def test_the_story_of_a_sign_in_is_told_in_order(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=30)
    client = client_for(customer)
    client.request_otp(EMAIL)
    client.request_otp(EMAIL)
    message = Message.objects.get()
    code = newest_code()
    for _ in range(2):
        client.verify_otp(EMAIL, wrong_code(code))
    ledger.accept(message_id=message.id, server="mx.example.com", answer="250 ok", now=timezone.now())
    client.verify_otp(EMAIL, code)
    shown = ask(browser, customer)
    assert [what for what, _ in told(shown)][:2] == ["Asked for a code", "A mail was queued"]
    assert ("Asking for a code was refused", 1) in told(shown)
    assert ("Gave a code that was refused", 2) in told(shown)
    names = [item.step.name for item in shown["story"]]
    order = ["code_requested", "refused", "code_rejected", "mail_accepted", "sign_in"]
    assert [name for name in names if name in order] == order
    accepted = shown["story"][names.index("mail_accepted")]
    assert (accepted.where, accepted.why) == ("mx.example.com", "250 ok")
    refused = shown["story"][names.index("refused")]
    assert refused.why == "A code was sent a moment ago; the next must wait."
    assert refused.frees.startswith("free again at ")
    assert refused.where.startswith(f"{IP} · ")  # from where, and by which key


def test_an_address_that_nobody_has_is_found_by_its_hash_and_its_mail(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer(creates_users_on_sign_in=False)
    client_for(customer).request_otp(EMAIL)
    login(client_for(customer))
    shown = ask(browser)  # the customer is found, too
    assert shown["about"].customer == customer
    assert [item.step.name for item in shown["story"]] == ["code_requested", "mail_withheld", "password_rejected"]
    assert shown["story"][0].why.startswith("No user of this customer has the address")
    assert shown["about"].user is None


@pytest.mark.parametrize("spelling", ["ADA@Example.COM", " ada@example.com ", "ada@EXAMPLE.com"])
def test_an_address_is_found_however_it_is_typed(browser: Client, client_for: MakeClient, spelling: str) -> None:
    client_for(factories.customer(daily_code_quota=0)).request_otp(EMAIL)
    assert told(ask(browser, email=spelling)) == [("Asking for a code was refused", 1)]


def test_a_time_narrows_the_story(browser: Client) -> None:
    customer, now = factories.customer(), timezone.now()
    for hours in (50, 5):
        context = factories.context(now=now - timedelta(hours=hours))
        refusals.record(
            NewRefusal(rule="resend", step=steps.ASK_FOR_CODE, address=EMAIL, customer_id=customer.id, context=context)
        )
    assert len(ask(browser)["story"]) == 2
    about = (now - timedelta(hours=50, minutes=20)).strftime("%Y-%m-%dT%H:%M")
    (item,) = ask(browser, at=about)["story"]
    assert (now - item.step.at).total_seconds() // 3600 == 50


def test_what_was_refused_before_an_address_was_known_is_shown_apart(browser: Client, client_for: MakeClient) -> None:
    """Of a revoked key or a foreign network nothing is known but key and network."""
    customer = factories.customer()
    row, text = factories.api_key(customer)
    api_keys.revoke(row, context=SYSTEM)
    client_for(None, headers={"X-OTP-API-Key": text}).request_otp(EMAIL)
    client_for(factories.customer()).request_otp(EMAIL)  # elsewhere
    for known in ({}, {"ip": IP}, {"key": row.key_id}):
        (item,) = ask(browser, customer, **known)["nameless"]
        assert (item.why, item.where) == ("The API key was revoked.", f"{IP} · {row.key_id}")
    for other in ({"ip": "198.51.100.1"}, {"key": "x" * 12}):
        assert ask(browser, customer, **other)["nameless"] == []


# --- What would happen now -------------------------------------------------------------------------


def suspended(customer: Customer) -> None:
    customers.suspend(customer, context=SYSTEM)


def inactive(customer: Customer) -> None:
    lifecycle.deactivate(factories.user(customer, EMAIL), context=SYSTEM)


def closed(customer: Customer) -> None:
    factories.user(customer, EMAIL, wrong_codes=100)


def uninvited(customer: Customer) -> None:
    factories.policy(customer, creates_users_on_sign_in=False)


def without_quota(customer: Customer) -> None:
    factories.policy(customer, daily_code_quota=0)


def fenced(customer: Customer) -> None:
    customers.replace_allowlist(customer=customer, networks={"198.51.100.0/24": ""}, context=SYSTEM)


def free(customer: Customer) -> None:
    factories.user(customer, EMAIL)


@pytest.mark.parametrize(
    ("arrange", "rule", "text"),
    [
        (free, None, "Nothing stands in the way now."),
        (suspended, "Customer", "The customer is suspended."),
        (fenced, "IP allowlist", "The address is outside the customer's IP allowlist."),
        (inactive, "Codes for this account", "The account is deactivated."),
        (
            closed,
            "Codes for this account",
            "So many wrong codes in a row were given that codes are closed to this user.",
        ),
        (uninvited, "Codes for this account", "No user of this customer has the address."),
        (without_quota, "Mail quota", "The customer's mail quota of today is spent."),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_what_the_page_foresees_happens(
    browser: Client, client_for: MakeClient, arrange: Callable[[Customer], None], rule: str | None, text: str
) -> None:
    customer = factories.customer()
    client = client_for(customer)
    key = ApiKey.objects.get(customer=customer).key_id
    arrange(customer)
    shown = ask(browser, customer, ip=IP, key=key)
    assert by("code", shown) == text
    assert [name for name, verdict in rules(shown).items() if verdict == "refuses" and name != "Password"] == (
        [rule] if rule else []
    )
    answer = client.request_otp(EMAIL)
    is_sent = answer.status == 200 and Message.objects.filter(state="queued").exists()
    assert is_sent is (rule is None)


@pytest.mark.parametrize(("asked", "refuses"), [(4, False), (5, True)])
def test_limits_show_how_they_stand_and_when_they_free(
    browser: Client, client_for: MakeClient, asked: int, refuses: bool
) -> None:
    customer = factories.customer(code_resend_after=0)
    client = client_for(customer)
    for _ in range(asked):
        assert client.request_otp(EMAIL).status == 200
    shown = ask(browser, customer, ip=IP)
    (line,) = [line for line in shown["checks"] if str(line.name) == "Codes asked for, this address"]
    assert (line.frees_at is not None) is refuses
    assert line.text == ("Too many codes were asked for this address." if refuses else "4 of 5")
    assert (client.request_otp(EMAIL).status == 429) is refuses
    if refuses:
        wait = Event.objects.get(action="refused").details["frees_at"]
        assert abs((line.frees_at - timezone.datetime.fromisoformat(wait)).total_seconds()) < 5


def test_a_key_is_asked_about_by_its_id(browser: Client, client_for: MakeClient) -> None:
    customer, other = factories.customer(), factories.customer()
    revoked = factories.api_key(customer)[0]
    api_keys.revoke(revoked, context=SYSTEM)
    reader = factories.api_key(customer, scopes=["users:read"])[0]
    texts = {
        revoked.key_id: "The API key was revoked.",
        reader.key_id: "A scope, a role or a permission is missing.",
        factories.api_key(other)[0].key_id: "This customer has no such API key.",
    }
    for key_id, text in texts.items():
        assert by("code", ask(browser, customer, key=key_id)) == text
    assert rules(ask(browser, customer))["API key"] == "not known"


def test_a_password_says_what_keeps_it_from_opening_the_account(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer()
    assert by("password", ask(browser, customer)).startswith("No user of this customer")
    user = member(customer)
    assert by("password", ask(browser, customer)) == "Nothing stands in the way now."
    Password.objects.filter(user=user).update(locked_until=timezone.now() + timedelta(minutes=9))
    shown = ask(browser, customer)
    assert by("password", shown) == "The password is locked after five wrong ones."
    (verdict,) = [verdict for verdict in shown["verdicts"] if str(verdict.way) == "By password"]
    assert verdict.frees_at == Password.objects.get().locked_until
    assert by("code", shown) == "Nothing stands in the way now."
    assert login(client_for(customer), PASSWORD).status == 401


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"state": "failed", "attempts": 3}, "The newest mail to this address was given up"),
        ({"state": "queued", "attempts": 1}, "No server took the newest mail to this address yet"),
        (
            {"next_try_at": timezone.now() - timedelta(minutes=5)},
            "Mails of this customer wait for longer than a minute.",
        ),
        ({"state": "sent"}, ""),
    ],
)
def test_mail_that_does_not_arrive_is_noticed(
    browser: Client, client_for: MakeClient, facts: dict[str, Any], text: str
) -> None:
    customer = factories.customer()
    client_for(customer).request_otp(EMAIL)
    Message.objects.update(**facts)
    (line,) = [line for line in ask(browser, customer)["checks"] if str(line.name) == "Mail"]
    assert line.text.startswith(text)
    assert str(line.verdict) == ("note" if text else "passes")


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({"demands_verified_email": True}, "The account is pending: its address is not proven yet."),
        (
            {"demands_verified_email": False, "demands_approval": True},
            "The account is pending: it is not approved yet.",
        ),
    ],
)
def test_a_pending_user_is_told_apart(browser: Client, policy: dict[str, Any], text: str) -> None:
    customer = factories.customer(**policy)
    factories.user(customer, EMAIL, status=UserStatus.PENDING, email_verified_at=None)
    shown = ask(browser, customer)
    (line,) = [line for line in shown["checks"] if str(line.name) == "Approval"]
    assert line.text.startswith(text)
    assert str(line.verdict) == "note"


def test_looking_consumes_nothing(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    client = client_for(customer)
    client.request_otp(EMAIL)
    client.verify_otp(EMAIL, wrong_code(newest_code()))

    def held() -> dict[bytes, bytes | None]:
        return {key: valkey.client().dump(key) for key in valkey.client().keys("gatehouse:*")}

    before, events, quota = held(), Event.objects.count(), list(MailQuotaUse.objects.values())
    for _ in range(20):
        ask(browser, customer, ip=IP)
    assert held() == before
    assert Event.objects.count() == events
    assert list(MailQuotaUse.objects.values()) == quota
    assert client.verify_otp(EMAIL, newest_code()).status == 200


def test_without_valkey_the_page_says_that_codes_cannot_be_asked_for(
    browser: Client, client_for: MakeClient, valkey_away: OwnValkey
) -> None:
    customer = factories.customer()
    valkey_away.kill()
    assert by("code", ask(browser, customer, ip=IP)).startswith("Valkey does not answer")
    assert client_for(customer).request_otp(EMAIL).status == 503


# --- Who may look, and at what ---------------------------------------------------------------------


@pytest.mark.parametrize("rights", [(), ("audit.view_event",), ("users.view_user",)])
def test_both_rights_are_needed(rights: tuple[str, ...]) -> None:
    row = operator("clerk@example.com", is_superuser=False)
    for right in rights:
        app, name = right.split(".")
        give(row, [Permission.objects.get(codename=name, content_type__app_label=app)])
    browser = sign_in("clerk@example.com")
    assert browser.get(PATH, {"email": EMAIL}).status_code == 403
    assert PATH not in browser.get("/admin/").content.decode()


def test_nobody_looks_without_signing_in() -> None:
    assert Client().get(PATH, {"email": EMAIL}).status_code == 302


def test_who_is_limited_to_some_customers_learns_nothing_of_others(browser: Client, client_for: MakeClient) -> None:
    mine, theirs = factories.customer(), factories.customer()
    for customer in (mine, theirs):
        factories.user(customer, EMAIL)
        client_for(customer).request_otp(EMAIL)
        client_for(customer).request_otp(EMAIL)
    assert [customer for customer, _ in ask(browser)["choices"]] == [mine, theirs]
    browser = signed_in(with_role(RoleName.SUPPORT, mine))
    assert ask(browser)["about"].customer == mine
    for name in (theirs.slug, theirs.name, str(theirs.id)):
        page = browser.get(PATH, {"email": EMAIL, "customer": name})
        assert page.context["nothing"] is True
        others = {theirs.slug, theirs.name, str(theirs.id)} - {name}
        assert not [text for text in others if text in page.content.decode()]
    foreign = Event.objects.filter(customer_id=theirs.id, action="refused").get()
    assert browser.get(PATH, {"event": str(foreign.id)}).status_code == 404
    assert browser.get(PATH, {"user": str(User.objects.get(customer=theirs).id)}).status_code == 404
    own = {"customer": str(mine.id), "event": str(foreign.id), "email": ""}
    assert browser.get(PATH, own).status_code == 404


def test_one_click_from_the_users_page_and_from_an_event(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer, EMAIL)
    client_for(customer).request_otp(EMAIL)
    client_for(customer).request_otp(EMAIL)
    event = Event.objects.get(action="refused")  # it names no user: the address is known by its hash
    pages = (f"/admin/users/user/{user.id}/change/", f"/admin/audit/event/{event.id}/change/")
    for address in pages:
        (link,) = re.findall(rf'href="({PATH}[^"]+)"', browser.get(address).content.decode())
        shown = browser.get(link).context_data  # type: ignore[attr-defined]
        assert "Asking for a code was refused" in [item.what for item in shown["story"]]
    assert shown["form"].data["ip"] == IP
    assert rules(shown)["Codes for this account"] == "not known"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("email", "not an address"),
        ("at", "yesterday"),
        ("ip", "300.1.1.1"),
        ("key", "ghk_live_x"),
        ("customer", "x" * 300),
    ],
)
def test_what_cannot_be_is_said_at_its_field(browser: Client, field: str, text: str) -> None:
    page = browser.get(PATH, {"email": EMAIL, field: text})
    assert page.status_code == 200
    assert field in page.context["form"].errors
    assert "about" not in page.context


def test_an_address_that_is_known_nowhere(browser: Client) -> None:
    page = browser.get(PATH, {"email": "nobody@example.com"})
    assert "Nothing is known of this here." in page.content.decode()


# --- What it costs -----------------------------------------------------------------------------------


def busy(customer: Customer, client: ApiClient, user: User, times: int) -> None:
    for number in range(times):
        context = factories.context(ip=f"198.51.100.{number}")
        for address in (EMAIL, ""):
            refusals.record(
                NewRefusal(
                    rule="resend", step=steps.ASK_FOR_CODE, address=address, customer_id=customer.id, context=context
                )
            )
        client.request_otp(EMAIL)
        lifecycle.change(user, changes={"name": f"Name {number}"}, context=SYSTEM)


def test_its_queries_do_not_grow_with_what_happened(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    for name in ("codes_per_email", "codes_per_ip"):
        factories.limit(customer, name, 1000)
    user, client = factories.user(customer, EMAIL), client_for(customer)
    costs = []
    for times in (1, 20):
        busy(customer, client, user, times)
        ask(browser, customer, ip=IP)
        with counted() as cost:
            shown = ask(browser, customer, ip=IP)
        costs.append((len(cost.statements), cost.round_trips))
    assert len(shown["story"]) > 60
    assert costs[0] == costs[1] == (14, 4), cost.statements
    assert Refusal.objects.count() == 40
