"""Every page of the hosted sign-in, walked through once in a real browser against the running service, and looked at."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pyotp
import pytest
from playwright.sync_api import Page

from tests import browser, factories
from tests.journeys.test_passkeys_in_a_browser import Device
from tests.portal.gallery import Gallery
from tests.portal.visiting import asked_by
from tests.running import Running
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]

ADA, GRACE, LINUS = EMAIL, "grace@example.com", "linus@example.com"


def test_every_page_can_be_used_by_everybody(make_running: Callable[..., Running], tmp_path: Path) -> None:
    """axe finds nothing on any page, light and dark, phone and wide; no script fails, and no policy is broken."""
    messages = tmp_path / "sms.jsonl"
    running = make_running(SMS_BACKEND="apps.mail.sms_transports.File", SMS_FILE_PATH=str(messages))
    customer = generous(name="Acme", colour="#0b6e4f", remember_device_days=30)
    app = enrol_app(member(customer, ADA))
    strict = generous(name="Acme Bank", colour="#ffd400", second_factor="required", demands_approval=True)
    member(strict, GRACE, email_verified_at=None, status="pending")
    home = f"{running.url}/sign-in/{customer.slug}"
    with browser.page(locale="en") as page:
        gallery = Gallery(page)
        page.goto(home)
        gallery.look("sign-in")

        page.get_by_label("Email address").fill("nobody@")
        page.evaluate("document.forms[0].noValidate = true")
        page.get_by_role("button", name="Email me a code").click()
        gallery.look("sign-in-fault")

        page.get_by_label("Email address").fill(LINUS)
        page.get_by_role("button", name="Email me a code").click()
        code = running.mailbox.wait_for_code(LINUS)
        gallery.look("code")
        page.get_by_label("Code").fill("111111" if code != "111111" else "222222")
        page.get_by_role("button", name="Sign in").click()
        gallery.look("code-wrong")

        page.goto(home)
        page.get_by_label("Email address").fill(ADA)
        page.get_by_role("button", name="Use my password").click()
        gallery.look("password")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        gallery.look("second-factor")
        page.get_by_role("button", name="Code by email").click()
        gallery.look("second-factor-send")
        page.get_by_role("button", name="Send me a code").click()
        gallery.look("second-factor-code")
        page.get_by_role("button", name="Recovery code").click()
        gallery.look("second-factor-recovery")

        page.goto(f"{home}/register")
        gallery.look("register")
        page.get_by_label("Email address").fill("new@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        gallery.look("verify-email")

        page.goto(f"{running.url}/account/{customer.slug}/forgot-password")
        gallery.look("forgot-password")
        page.goto(f"{running.url}/account/{customer.slug}/reset-password#token=abc")
        gallery.look("reset-password")
        page.goto(f"{running.url}/sign-in/nobody")
        gallery.look("unknown-customer")
        page.goto(f"{home}?client_id=x")
        gallery.look("unusable-request")

        page.goto(home)
        page.get_by_label("Email address").fill(ADA)
        page.get_by_role("button", name="Use my password").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Code").fill(app.now())
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{running.url}/sign-out/{customer.slug}")
        gallery.look("sign-out")
        client, _secret = factories.oauth_client(customer, name="Acme Shop")
        page.goto(f"{home}?{urlencode(asked_by(client, prompt='select_account'))}")
        gallery.look("choose-account")
        page.goto(f"{running.url}/sign-out/{customer.slug}")
        page.get_by_role("button", name="Sign out").click()
        gallery.look("signed-out")
        page.goto(f"{home}?{urlencode(asked_by(client))}")
        gallery.look("sign-in-for-an-app")

        demanded(page, running, gallery, strict.slug)
    assert not gallery.faults, "\n".join(gallery.faults)
    assert len(gallery.seen) >= 22


def demanded(page: Page, running: Running, gallery: Gallery, slug: str) -> None:
    """A second factor that the customer demands is enrolled on the way in, and an operator has to approve the user."""
    Device(page)
    page.goto(f"{running.url}/sign-in/{slug}")
    page.get_by_label("Email address").fill(GRACE)
    page.get_by_role("button", name="Use my password").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    gallery.look("enrol")
    page.get_by_role("button", name="Passkey").click()
    gallery.look("enrol-passkey")
    page.get_by_role("button", name="Choose another way").click()
    page.get_by_role("button", name="Code by SMS").click()
    gallery.look("enrol-phone")
    page.get_by_label("Number of your mobile phone").fill("+49 151 23456789")
    page.get_by_role("button", name="Send me a code").click()
    gallery.look("enrol-phone-code")
    page.get_by_role("button", name="Choose another way").click()
    page.get_by_role("button", name="Authenticator app").click()
    gallery.look("enrol-app")
    secret = page.locator("code").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Confirm").click()
    gallery.look("recovery-codes")
    page.get_by_role("button", name="I have kept them").click()
    gallery.look("pending")
