"""An operator's way in, in a real browser and by keyboard: invited, a passkey enrolled, signed in with it, sessions ended."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from apps.mail import outbox
from apps.mail.models import Message
from apps.operators.models import OperatorPasskey, OperatorSession
from tests import browser
from tests.journeys.test_passkeys_in_a_browser import Device
from tests.operators.looking import enter_by_password, faults
from tests.operators.signing_in import AS_AUDITOR, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
FRESH = "another horse battery staple"


@pytest.fixture
def url(live_server: object, settings: object) -> Iterator[str]:
    """Passkeys need a name, and PUBLIC_URL is what they belong to."""
    address = live_server.url.replace("127.0.0.1", "localhost")  # type: ignore[attr-defined]
    settings.PUBLIC_URL = address  # type: ignore[attr-defined]
    return address


def link_in_mail(address: str) -> str:
    message = Message.objects.filter(recipient=address).exclude(content="").latest("created_at")
    found = re.search(r"http://localhost\S+#token=\S+", outbox.content_of(message).text)  # type: ignore[union-attr]
    assert found
    return found[0]


def type_and_go_on(page: Page, *texts: str) -> None:
    """By keyboard alone, from the field that has the focus."""
    for text in texts[:-1]:
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.type(texts[-1])
    with browser.next_page(page):
        page.keyboard.press("Enter")


def test_somebody_is_invited_enrols_a_passkey_and_signs_in_with_it(url: str) -> None:
    operator()
    assert sign_in().post("/admin/auth/user/add/", {"email": "new@example.com", **AS_AUDITOR}).status_code == 302
    with browser.kept_page() as page:
        device = Device(page)
        page.goto(link_in_mail("new@example.com"))
        assert "token" not in page.url
        page.locator("#id_new_password").focus()
        type_and_go_on(page, FRESH, FRESH)
        page.wait_for_url("**/admin/second-factor/")
        found = faults(page, "second-factor")
        page.get_by_label("Its name").fill("Laptop")
        page.get_by_role("button", name="Add a passkey").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/shown-once/**")
        assert len(device.credentials()) == 1
        assert OperatorPasskey.objects.get().name == "Laptop"
        page.goto(f"{url}/admin/second-factor/")
        found += faults(page, "second-factor-with-passkey", within="#content")
        page.context.clear_cookies()
        page.goto(f"{url}/admin/login/")
        page.locator("#id_username").fill("new@example.com")
        page.locator("#id_password").fill(FRESH)
        page.get_by_role("button", name="Sign in with your passkey").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/")
        device.session.detach()
    assert not found, "\n".join(found)
    assert User.objects.get(username="new@example.com").has_usable_password()


def test_a_forgotten_password_is_set_anew(url: str) -> None:
    operator()
    with browser.kept_page() as page:
        page.goto(f"{url}/admin/login/")
        with browser.next_page(page):
            page.get_by_role("link", name="Forgotten password").click()
        page.locator("#id_email").focus()
        type_and_go_on(page, "ops@example.com")
        page.get_by_text("a mail with a link is on its way").wait_for()
        page.goto(link_in_mail("ops@example.com"))
        page.locator("#id_new_password").focus()
        type_and_go_on(page, FRESH, FRESH)
        page.wait_for_url("**/admin/login/")
    assert User.objects.get().check_password(FRESH)


def test_sessions_are_seen_and_ended(url: str) -> None:
    operator()
    sign_in(ip="203.0.113.7")
    with browser.kept_page() as page:
        enter_by_password(page, url)
        page.goto(f"{url}/admin/sessions/")
        page.get_by_text("203.0.113.7").wait_for()
        found = faults(page, "own-sessions", within="#content")
        with browser.next_page(page):
            page.get_by_role("button", name="End the session on").press("Enter")
        page.get_by_text("1 session has ended.").wait_for()
    assert not found, "\n".join(found)
    assert OperatorSession.objects.count() == 1
