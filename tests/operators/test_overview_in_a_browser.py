"""The overview as operators see it: wide and on a phone, light and dark, by keyboard and by axe."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page

from apps.alerts import watching
from apps.alerts.models import Alert, AlertKind, AlertRule
from apps.audit import actions
from apps.audit.models import Severity
from apps.figures import counting
from apps.mail.models import MessageState
from tests import browser, factories
from tests.figures import happening
from tests.operators.looking import Content, enter, fits
from tests.operators.signing_in import operator
from tests.portal.gallery import PHONE, WANTED, WIDE

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def a_busy_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEPT", timedelta(hours=20))
    operator()
    now = timezone.now()
    acme = factories.customer(name="Analytical Engines of Lovelace and Babbage", slug="acme", daily_code_quota=50)
    other = factories.customer(name="Acme Two", slug="acme-two")
    for hour in range(20):
        at = now - hour * counting.HOUR - MINUTE
        for number in range((hour * 7) % 5 + 1):
            happening.sign_in(acme.id, at, ("code", "passkey", "password")[number % 3])
            happening.code(other.id if number else acme.id, at, took=0.4 * number + 0.3, used=number % 2 == 0)
        happening.failure(acme.id, at, (actions.CODE_REJECTED, actions.PASSWORD_REJECTED)[hour % 2])
    happening.failure(acme.id, now - MINUTE, actions.CODE_GUESSING, severity=Severity.HIGH)
    happening.code(acme.id, now - MINUTE, took=None, state=MessageState.FAILED)
    factories.session(factories.user(acme))
    happening.count(timezone.now())


def fill_in(page: Page, text: str) -> None:
    field = page.get_by_label("Customer", exact=True)
    field.fill(text)
    with browser.next_page(page):
        field.press("Enter")


def test_it_is_read_and_used_by_everybody(live_server: object) -> None:
    """axe finds nothing of ours in any look; no script fails; nothing scrolls to the side, not even with German words.

    test_every_page has shown axe the overview as it opens, and of a customer that there is not.
    """
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        gallery = Content(page)
        enter(page, url)
        gallery.fit("overview")
        page.goto(f"{url}/admin/?days=7")
        page.get_by_text("As a table").first.click()
        gallery.look("overview-table")
        fill_in(page, "acme t")
        gallery.look("overview-one-customer")
        page.goto(f"{url}/admin/?customer=nobody")
        gallery.fit("overview-unknown-customer")
    with browser.kept_page("de") as page:
        german = Content(page)
        enter(page, url, "/admin/?days=30")
        page.get_by_role("heading", name="Was zu tun ist").wait_for()
        german.fit("overview-german")
    assert not (gallery.faults + german.faults), "\n".join(gallery.faults + german.faults)


def test_it_is_used_by_keyboard_alone(live_server: object) -> None:
    """From the period to the customer, and from a figure to its rows."""
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url)
        page.get_by_role("link", name="Today", exact=True).focus()
        page.keyboard.press("Tab")
        with browser.next_page(page):
            page.keyboard.press("Enter")
        page.wait_for_url("**days=7**")
        assert page.get_by_role("link", name="7 days").get_attribute("aria-current") == "page"
        page.get_by_role("link", name="30 days").focus()
        page.keyboard.press("Tab")
        page.keyboard.type("acme")
        with browser.next_page(page):
            page.keyboard.press("Enter")
        page.get_by_role("heading", name="Overview of Analytical Engines").wait_for()
        page.get_by_role("link", name="Failures", exact=False).first.focus()
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        with browser.next_page(page):
            page.keyboard.press("Enter")
        page.wait_for_url("**/admin/audit/event/**")
        assert page.locator("#result_list tbody tr").count() >= 20


def test_an_alert_is_acknowledged_by_keyboard(live_server: object) -> None:
    """From the overview to the list, to the alert, to yes; the pages of alerts have no fault of ours, wide or on a phone."""
    AlertRule.objects.create(kind=AlertKind.FAILURES, threshold=10)
    AlertRule.objects.create(kind=AlertKind.SECURITY, threshold=1, recipients="ops@acme.example")
    watching.watch(now=timezone.now())
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url)
        press(page.get_by_role("link", name="Acknowledge 1 alert"))
        page.wait_for_url("**/admin/alerts/alert/**")
        keep(page, "alerts")
        press(page.locator("#result_list tbody th a").first)
        page.wait_for_url("**/change/**")
        keep(page, "alert")
        page.set_viewport_size({"width": 1400, "height": 900})  # where the action is not behind three dots
        press(page.get_by_role("link", name="Acknowledge", exact=True))
        page.get_by_role("heading", name="Acknowledge this alert?").first.wait_for()
        press(page.get_by_role("button", name="Acknowledge"))
        page.get_by_text("Acknowledged.").first.wait_for()
        page.goto(f"{url}/admin/alerts/alertrule/add/")
        keep(page, "alert-rule")
        page.goto(f"{url}/admin/")
        assert not page.get_by_role("link", name="Acknowledge 1 alert").count()
    assert not Alert.objects.filter(acknowledged_at=None).exists()


def press(where: Locator) -> None:
    """By keyboard, and on to the page that it leads to."""
    with browser.next_page(where.page):
        where.press("Enter")


def keep(page: Page, name: str) -> None:
    """Nothing scrolls to the side; and a picture, where they are wanted."""
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert fits(page), name
        if folder := os.environ.get(WANTED):
            page.screenshot(path=f"{folder}/{name}-{size['width']}.png", full_page=True)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
