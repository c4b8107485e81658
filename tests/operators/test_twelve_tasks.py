"""Twelve things that operators do often, done in a real browser: each is a few clicks, and how many is counted.

With a folder in the environment (TASKS_TABLE) the table of docs/operators/tasks.md is written there.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Locator, Page

from apps.api_keys.models import ApiKey
from apps.approvals import decisions
from apps.approvals.models import CheckState, IdentityCheck
from apps.audit.models import Event
from apps.customers.models import AllowedNetwork, Customer, CustomerStatus
from apps.mail.models import MailQuotaUse, Message, MessageState
from apps.operators.models import AuthenticatorApp, RoleName
from apps.operators.team import scope
from apps.tokens.models import Session
from apps.users.models import UserStatus
from tests import browser, factories
from tests.conftest import MakeClient
from tests.mail import posting
from tests.operators.enrolling import app_of
from tests.operators.limiting import with_role
from tests.operators.looking import let_in
from tests.operators.signing_in import operator
from tests.operators.tasks_table import TABLE, written

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Hand:
    """An operator at the mouse: how many clicks and keys a task takes, and for how many seconds pages were waited for."""

    page: Page
    url: str
    clicks: int = 0
    keys: int = 0
    seconds: float = 0.0
    _origin: float = field(default=0.0)

    def begin(self) -> None:
        """At the overview."""
        self.page.goto(f"{self.url}/admin/")
        self.clicks, self.keys, self.seconds = 0, 0, 0.0
        self._origin = self._loaded()[0]

    def click(self, where: Locator) -> None:
        """What stays on this page."""
        where.click()
        self.clicks += 1

    def go(self, where: Locator) -> None:
        """A click that leads to the next page."""
        with browser.next_page(self.page):
            self.click(where)
        self._note()

    def type(self, where: Locator, text: str, *, then: str = "") -> None:
        """One click into the field, the text, and a key at its end that sends it."""
        where.click()
        where.fill("")
        where.press_sequentially(text)
        self.clicks, self.keys = self.clicks + 1, self.keys + len(text)
        if then:
            with browser.next_page(self.page):
                self.press(then)
            self._note()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def menu(self, path: str) -> None:
        """An entry of the sidebar."""
        self.go(self.page.locator(f"a[href='/admin/{path}']").first)

    def link(self, name: str) -> None:
        self.go(self.page.get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> None:
        self.go(self.page.get_by_role("button", name=name, exact=True).first)

    def _note(self) -> None:
        """From the click until the page was there: the server, the network of this machine, and the browser."""
        origin, seconds = self._loaded()
        if origin != self._origin:
            self._origin, self.seconds = origin, self.seconds + seconds

    def _loaded(self) -> tuple[float, float]:
        self.page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        found: list[float] = self.page.evaluate(
            "[performance.timeOrigin, performance.getEntriesByType('navigation')[0].loadEventEnd / 1000]"
        )
        return found[0], found[1]


@pytest.fixture
def hand(live_server: object) -> Iterator[Hand]:
    operator()
    url: str = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        let_in(page, url)
        yield Hand(page, url)


@pytest.fixture
def acme() -> Customer:
    return factories.customer(name="Acme", slug="acme")


def at_customer(hand: Hand) -> None:
    hand.begin()
    hand.menu("customers/customer/")
    hand.go(hand.page.locator("#result_list").get_by_role("link", name="Acme", exact=True))


def done(hand: Hand, task: str) -> None:
    """The task has not become longer than the table says."""
    row = TABLE[task]
    assert hand.clicks <= row.clicks, f"{task}: {hand.clicks} clicks"
    row.measured = (hand.clicks, hand.keys, hand.seconds)
    if folder := os.environ.get("TASKS_TABLE"):
        written(Path(folder))


def test_a_customer_and_its_first_key_are_made(hand: Hand) -> None:
    hand.begin()
    hand.menu("customers/customer/")
    hand.go(hand.page.locator("a[href='/admin/customers/customer/add/']").first)
    hand.type(hand.page.locator("#id_name"), "Acme", then="Enter")
    hand.button("Make the first key")
    hand.page.get_by_role("heading", name="The new key of Acme").first.wait_for()
    assert ApiKey.objects.get().customer.slug == "acme"
    done(hand, "create a customer and its first key")


def test_a_network_is_allowed(hand: Hand, acme: Customer) -> None:
    at_customer(hand)
    hand.link("Getting started")
    hand.button("Allow it")
    assert AllowedNetwork.objects.of(acme.id).exists()
    done(hand, "allow a network")


def test_secrets_are_rotated_in_both_forms(hand: Hand, acme: Customer) -> None:
    at_customer(hand)
    hand.link("Secrets")
    hand.link("Rotate secrets")
    hand.button("Rotate")
    hand.link("Emergency rotation")
    hand.button("Rotate and end all sessions")
    assert acme.signing_secrets.count() == 3
    done(hand, "rotate secrets in both forms")


def test_a_customer_is_suspended_and_resumed(hand: Hand, acme: Customer) -> None:
    at_customer(hand)
    hand.link("Danger zone")
    hand.link("Suspend")
    hand.button("Suspend")
    hand.link("Reactivate")
    hand.button("Reactivate")
    assert Customer.objects.get(id=acme.id).status == CustomerStatus.ACTIVE
    assert Event.objects.filter(action="customer_suspended").exists()
    done(hand, "suspend and resume a customer")


def test_ten_users_are_approved(hand: Hand) -> None:
    customer = factories.customer(demands_approval=True, demands_verified_email=False)
    for number in range(10):
        user = factories.user(customer, f"user{number}@example.com", status=UserStatus.PENDING)
        decisions.open_for(user, customer=factories.state_of(customer), now=timezone.now())
    hand.begin()
    hand.menu("approvals/identitycheck/")
    hand.click(hand.page.locator("#action-toggle"))
    hand.page.locator("select[name=action]").select_option("approve_selected")
    hand.clicks += 2  # a list is opened, and one of its lines chosen
    hand.button("Run")
    hand.page.get_by_role("heading", name="Approve 10 users?").wait_for()
    hand.button("Approve")
    hand.page.get_by_text("10 users approved").wait_for()
    assert IdentityCheck.objects.filter(state=CheckState.APPROVED).count() == 10
    done(hand, "approve ten users")


def test_the_reason_of_a_refusal_is_found(hand: Hand, acme: Customer, client_for: MakeClient) -> None:
    factories.limit(acme, "codes_per_email", 1)
    factories.policy(acme, code_resend_after=0)
    client = client_for(acme)
    for _ in range(2):
        client.request_otp("ada@example.com")
    hand.begin()
    hand.menu("why-refused/")
    hand.type(hand.page.get_by_label("Email address"), "ada@example.com", then="Enter")
    hand.page.get_by_text("Too many codes were asked for this address.").first.wait_for()
    done(hand, "find why a user was refused")


def test_a_users_sessions_are_ended(hand: Hand, acme: Customer) -> None:
    factories.session(factories.user(acme))
    hand.begin()
    hand.press("Control+k")
    hand.page.keyboard.type("ada@example.com")
    hand.keys += len("ada@example.com")
    hand.go(hand.page.locator("#command-results-list a", has_text="ada@example.com").first)
    hand.link("End all sessions")
    hand.button("End all sessions")
    assert not Session.objects.filter(ended_at=None).exists()
    done(hand, "end a user's sessions")


def test_a_mail_is_sent_again(hand: Hand, acme: Customer) -> None:
    posting.post()
    hand.begin()
    hand.menu("mail/message/")
    hand.go(hand.page.locator("#result_list th a").first)
    hand.link("Send again")
    hand.button("Send again")
    assert Event.objects.filter(action="mail_resent").exists()
    assert Message.objects.get().state == MessageState.QUEUED
    done(hand, "send a mail again")


def test_a_month_of_audit_is_exported(hand: Hand, acme: Customer) -> None:
    hand.begin()
    hand.menu("audit/event/")
    hand.click(hand.page.get_by_text("Find events"))
    since = timezone.now() - timedelta(days=30)
    hand.page.locator("#filter_since").fill(f"{since:%Y-%m-%dT%H:%M}")
    hand.clicks, hand.keys = hand.clicks + 1, hand.keys + len("202610280000")
    hand.button("Find")
    with hand.page.expect_download() as download:
        hand.click(hand.page.get_by_role("button", name="CSV", exact=True).first)
    assert "customer_created" in Path(download.value.path()).read_text(encoding="utf-8")
    done(hand, "export a month of audit")


def test_a_colleague_is_limited(hand: Hand, acme: Customer) -> None:
    who = with_role(RoleName.SUPPORT, name="clerk@example.com", unlimited=True)
    at_colleague(hand)
    hand.click(hand.page.locator("input[name=reach][value=some]"))
    with hand.page.expect_response(lambda answer: "term=Acme" in answer.url):  # a list of before it has the name, too
        hand.type(hand.page.locator(".select2-search__field"), "Acme")
    hand.click(hand.page.locator(".select2-results__option--highlighted", has_text="Acme"))
    hand.button("Save")
    assert scope.of_operator(User.objects.get(pk=who.pk)).customers == {acme.id}
    done(hand, "limit a colleague to a customer")


def test_a_lost_factor_is_reset(hand: Hand) -> None:
    app_of(with_role(RoleName.SUPPORT, name="clerk@example.com", unlimited=True))
    at_colleague(hand)
    hand.link("Reset the second factor")
    hand.type(hand.page.locator("#id_why"), "Asked by telephone, known by voice")
    hand.button("Reset the second factor")
    assert not AuthenticatorApp.objects.exists()
    done(hand, "reset a colleague's lost factor")


def at_colleague(hand: Hand) -> None:
    hand.begin()
    hand.menu("auth/user/")
    hand.go(hand.page.locator("#result_list").get_by_role("link", name="clerk@example.com", exact=True))


def test_the_nearest_quota_is_seen(hand: Hand, acme: Customer) -> None:
    factories.policy(acme, daily_code_quota=100, monthly_code_quota=100)  # at midnight the day begins anew
    today = timezone.now().date()
    facts: dict[str, Any] = {"day": today, "sent_today": 95, "month": today.replace(day=1), "sent_this_month": 95}
    MailQuotaUse.objects.create(customer_id=acme.id, **facts)
    hand.begin()
    hand.page.get_by_text("Acme").first.wait_for()
    done(hand, "see the nearest quota")
