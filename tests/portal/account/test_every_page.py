"""Every page of the account, walked through once in a real browser against the running service, and looked at."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from apps.core.state.announcements import announce
from apps.customers.models import Customer
from apps.factors.models import Passkey
from apps.tokens import state
from apps.tokens.models import Session
from apps.users.models import User
from tests import browser, factories
from tests.journeys.test_passkeys_in_a_browser import Device
from tests.portal.account.test_devices import remembered
from tests.portal.gallery import Gallery
from tests.running import Running
from tests.signin.entering import FRESH, generous
from tests.worker import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]

ADA, NEW, BOB = "ada@example.com", "lovelace@example.org", "bob@example.com"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"


class Owner:
    """The owner of an account, who walks from page to page and looks at each."""

    def __init__(self, page: Page, running: Running, customer: Customer) -> None:
        self.page, self.running, self.customer = page, running, customer
        self.gallery = Gallery(page)
        self.messages = 0

    def at(self, path: str = "") -> None:
        self.page.goto(f"{self.running.url}/account/{self.customer.slug}/{path}".rstrip("/"))

    def look(self, name: str) -> None:
        self.gallery.look(f"account-{name}")

    def press(self, button: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=button, exact=True).click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).click()

    def said(self) -> str:
        return self.page.locator(".note[role=status]").inner_text()

    def code_for(self, address: str, *, count: int = 1) -> str:
        return self.running.mailbox.wait_for_code(address, count=count)

    def sign_in(self) -> None:
        """By a code, from the page that was asked for."""
        self.at("name")
        self.page.get_by_label("Email address").fill(ADA)
        self.press("Email me a code")
        self.page.get_by_label("Code").fill(self.code_for(ADA))
        self.press("Sign in")
        self.page.get_by_role("heading", name="Name and language").wait_for()


def test_every_page_can_be_used_by_everybody(make_running: Callable[..., Running], tmp_path: Path) -> None:
    """axe finds nothing on any page, light and dark, phone and wide; no script fails, and no policy is broken."""
    messages = tmp_path / "sms.jsonl"
    running = make_running(SMS_BACKEND="apps.mail.sms_transports.File", SMS_FILE_PATH=str(messages))
    customer = generous(name="Acme", colour="#0b6e4f", remember_device_days=30)
    user = factories.user(customer, ADA, email_verified_at=customer.created_at)
    with browser.page(locale="en", timezone_id="Asia/Tokyo") as page:
        owner = Owner(page, running, customer)
        device = Device(page)
        owner.sign_in()
        about_oneself(owner)
        passkeys(owner)
        authenticator_app(owner)
        phone(owner, messages)
        recovery_codes(owner)
        sessions_and_devices(owner, user)
        address(owner)
        password(owner)
        proof(owner, user)
        device.set_presence(simulated=False)  # it would offer the passkey of the erased account again and again
        data_and_deletion(owner)
    assert not owner.gallery.faults, "\n".join(owner.gallery.faults)
    assert not User.objects.filter(id=user.id).exists()


def about_oneself(owner: Owner) -> None:
    owner.look("name")
    owner.page.get_by_label("Name").fill("Ada Lovelace")
    owner.press("Save")
    assert owner.said() == "Saved."


def passkeys(owner: Owner) -> None:
    """The first factor brings recovery codes, which can be copied and downloaded."""
    owner.follow("Passkeys not set up")
    owner.follow("Add a passkey")
    owner.look("passkey-add")
    owner.press("Add a passkey")
    owner.page.get_by_role("heading", name="Your recovery codes").wait_for()
    owner.look("recovery-codes-shown")
    codes = owner.page.locator(".codes li").all_inner_texts()
    with owner.page.expect_download() as download:
        owner.press("Download")
    text = download.value.path().read_text(encoding="utf-8")
    assert [code for code in codes if code not in text] == []
    owner.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner.press("Copy")
    owner.page.get_by_text("Copied.").wait_for()
    assert owner.page.evaluate("navigator.clipboard.readText()") == text
    owner.follow("I have kept them")
    owner.at("passkeys/add")
    owner.press("Add a passkey")  # the same device once more
    owner.page.get_by_text("This device has a passkey for your account already.").wait_for()
    owner.at("passkeys")
    owner.follow("Rename")
    owner.page.get_by_label("Name").fill("My laptop")
    owner.look("passkey-rename")
    owner.press("Save")
    owner.page.get_by_role("main").get_by_text("My laptop").wait_for()
    owner.look("passkeys")
    owner.follow("Remove")
    owner.look("passkey-remove")
    owner.follow("No, leave it as it is")


def authenticator_app(owner: Owner) -> None:
    owner.at("authenticator-app")
    owner.follow("Set up an authenticator app")
    owner.press("Show the code")
    owner.page.get_by_text("Cannot scan it?").click()
    owner.look("app-confirm")
    secret = owner.page.locator("code.secret").inner_text()
    owner.page.get_by_role("textbox", name="Code").fill("000000")
    owner.press("Confirm")
    owner.look("app-wrong")
    owner.page.get_by_role("textbox", name="Code").fill(pyotp.TOTP(secret).now())
    owner.press("Confirm")
    assert owner.said() == "The authenticator app is set up."
    owner.look("app")
    owner.follow("Remove")
    owner.press("Remove")
    assert owner.said() == "Removed."


def phone(owner: Owner, messages: Path) -> None:
    owner.at("phone")
    owner.follow("Add a phone number")
    owner.look("phone-number")
    owner.page.get_by_label("Phone number").fill("+49 151 23456789")
    owner.press("Send the code")
    again = owner.page.locator("button[name=again]")
    expect(again).to_be_disabled()  # not for long: a look takes longer on a slow machine
    expect(again).to_have_text(re.compile(r"^Another code in \d+ s$"))
    owner.look("phone-confirm")
    wait_until(lambda: messages.exists() and messages.read_text(encoding="utf-8").endswith("\n"))
    sent = json.loads(messages.read_text(encoding="utf-8").splitlines()[-1])
    found = re.search(r"\b(\d{6})\b", json.dumps(sent))
    assert found
    owner.page.get_by_role("textbox", name="Code").fill(found[1])
    owner.press("Confirm")
    assert owner.said() == "The phone number is confirmed."


def recovery_codes(owner: Owner) -> None:
    owner.at("recovery-codes")
    owner.look("recovery-codes")
    owner.follow("Make new codes")


def sessions_and_devices(owner: Owner, user: User) -> None:
    """Times are the reader's own: this one is in Tokyo."""
    other = factories.session(user, user_agent=IPHONE)
    user.refresh_from_db()
    remembered(user)
    owner.at("sessions")
    owner.look("sessions")
    began = owner.page.locator("li", has_text="Mobile Safari").locator("time")
    assert "UTC" not in began.inner_text()
    assert "UTC" in str(began.get_attribute("title"))
    owner.page.locator("li", has_text="Mobile Safari").get_by_role("button", name="Sign out").click()
    assert owner.said() == "That device is signed out."
    assert Session.objects.get(id=other.session_id).ended_at
    factories.session(user, user_agent=IPHONE)
    owner.at("sessions/end-others")
    owner.press("Sign out everywhere else")
    owner.at("devices")
    owner.look("devices")
    owner.press("Forget")


def address(owner: Owner) -> None:
    owner.at("email")
    owner.look("email")
    owner.page.get_by_label("New address").fill(NEW)
    owner.press("Send a code to the new address")
    owner.look("email-confirm")
    owner.page.get_by_role("textbox", name="Code").fill(owner.code_for(NEW))
    owner.press("Change the address")
    assert owner.said() == "Your address has been changed."
    owner.running.mailbox.wait_for(ADA, "undo-email-change")


def password(owner: Owner) -> None:
    owner.at("password")
    owner.page.get_by_label("New password").fill("password")
    owner.press("Set the password")
    owner.look("password-fault")
    owner.page.get_by_label("New password").fill(FRESH)
    owner.press("Set the password")
    assert "Your password is set" in owner.said()
    owner.look("overview")
    owner.at("password")
    owner.look("password")


def proof(owner: Owner, user: User) -> None:
    """By the passkey; and back to the page that asked for it."""
    grown_old(user)
    owner.at("delete")
    owner.look("prove-passkey")
    owner.press("Use my passkey")
    owner.page.get_by_role("heading", name="Delete your account").wait_for()
    Passkey.objects.filter(user=user).delete()
    grown_old(user)
    owner.at("delete")
    owner.look("prove-sms")
    owner.press("Send a code")
    owner.look("prove-sms-code")
    owner.follow("Another way: Recovery code")
    restored(user)


def data_and_deletion(owner: Owner) -> None:
    owner.at("data")
    owner.look("data")
    with owner.page.expect_download() as download:
        owner.press("Download")
    document = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert document["user"]["email"] == NEW
    owner.at("delete")
    owner.look("delete")
    owner.page.get_by_label("Your email address, to be sure").fill(NEW)
    owner.press("Delete the account for good")
    owner.look("deleted")
    owner.at()
    owner.page.get_by_role("button", name="Email me a code").wait_for()


def grown_old(user: User) -> None:
    """Nobody has proven anything for eleven minutes."""
    move(user, -timedelta(minutes=11))


def restored(user: User) -> None:
    move(user, timedelta(minutes=11))


def move(user: User, by: timedelta) -> None:
    session = Session.objects.get(user=user, ended_at=None)
    assert session.auth_time
    with transaction.atomic():
        Session.objects.filter(id=session.id).update(auth_time=session.auth_time + by)
        announce(state.subject(user.customer_id, session.id))
