"""Two tabs, a grave change, and an undo, in a real browser: by keyboard, and looked at in every size and scheme."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from apps.audit.models import Event
from apps.customers.models import Customer
from tests import browser, factories
from tests.operators.enrolling import app_of, code_of
from tests.operators.looking import enter_by_password, faults, let_in
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)


def press(page: Page, name: str, role: str = "button") -> None:
    """By keyboard, and on to the page that it leads to."""
    with browser.next_page(page):
        page.get_by_role(role, name=name, exact=True).press("Enter")  # type: ignore[arg-type]


def test_of_two_tabs_the_later_one_is_told_and_keeps_what_was_typed(live_server: LiveServer) -> None:
    operator()
    customer = factories.customer(name="Acme")
    path = f"{live_server.url}/admin/customers/customer/{customer.id}/policy/"
    with browser.kept_page() as tab:
        let_in(tab, live_server.url)
        tab.goto(path)
        other = tab.context.new_page()
        other.goto(path)
        other.locator("#id_code_lifetime").fill("2 min")
        press(other, "Save Codes")
        other.get_by_text("Saved: Codes.").wait_for()
        tab.locator("#id_code_length").fill("8")
        press(tab, "Save Codes")
        tab.get_by_text("nothing was saved").wait_for()
        assert tab.get_by_text("A code is good for: from 10 min to 2 min.").count() == 1
        assert tab.get_by_text("Changed meanwhile, from 10 min to 2 min.").count() == 1
        assert tab.locator("#id_code_lifetime").input_value() == "2 min"
        assert tab.locator("#id_code_length").input_value() == "8"
        assert faults(tab, "stale-form", within=".errornote") == []
        press(tab, "Save Codes")
        tab.get_by_text("Saved: Codes.").wait_for()
    saved = Customer.objects.get(id=customer.id)
    assert (saved.code_length, saved.code_lifetime) == (8, 120)


def test_a_grave_change_asks_is_done_and_is_undone(live_server: LiveServer) -> None:
    """test_every_page has shown axe the danger zone, the question before a suspension, and the one before an undo."""
    who = operator()
    customer = factories.customer(name="Acme")
    factories.session(factories.user(customer))
    path = f"{live_server.url}/admin/customers/customer/{customer.id}"
    with browser.kept_page() as page:
        enter_by_password(page, live_server.url, code=code_of(app_of(who)))
        page.goto(f"{path}/policy/")
        page.locator("#id_access_lifetime").fill("1 h")
        press(page, "Save Tokens and sessions")
        page.get_by_role("heading", name="Change the policy of Acme?").wait_for()
        assert page.get_by_text("1 h in the place of 7 h").count() == 1
        assert faults(page, "grave-policy", within="#content") == []
        press(page, "Change it")
        page.wait_for_url("**/policy/#tokens")
        page.goto(f"{path}/danger/")
        press(page, "Suspend", "link")
        page.get_by_role("heading", name="Suspend Acme?").wait_for()
        press(page, "Suspend")
        page.wait_for_url("**/change/")
        assert Customer.objects.get(id=customer.id).status == "suspended"
        suspended = Event.objects.get(action="customer_suspended")
        page.goto(f"{live_server.url}/admin/audit/event/{suspended.id}/change/")
        press(page, "Undo this change", "link")
        page.get_by_role("heading", name="Undo this change of Acme?").wait_for()
        press(page, "Undo")
        page.wait_for_url("**/customers/customer/**/change/")
    saved = Customer.objects.get(id=customer.id)
    assert (saved.status, saved.access_lifetime) == ("active", 3600)
