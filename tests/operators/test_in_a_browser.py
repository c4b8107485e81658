"""An operator closes and opens an account, on a phone, in a real browser."""

import pytest
from playwright.sync_api import Page

from apps.audit.models import Event
from apps.users.models import User
from tests import browser, factories
from tests.operators.looking import enter, enter_by_password, fits
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "ada.augusta.countess.of.lovelace@analytical-engines.example.com"


def choose(page: Page, name: str) -> None:
    """One of the actions that stand below the verdict."""
    with browser.next_page(page):
        page.get_by_role("navigation", name="What you can do").get_by_role("link", name=name, exact=True).click()


def test_an_account_is_closed_and_opened_again_on_a_phone(live_server: object) -> None:
    operator()
    user = factories.user(factories.customer(demands_verified_email=False), LONG)
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        page.set_viewport_size({"width": 390, "height": 780})
        enter_by_password(page, url)
        assert fits(page)
        page.goto(f"{url}/admin/users/user/{user.id}/change/")
        assert fits(page)
        for name, status in (("Deactivate", "deactivated"), ("Reactivate", "active")):
            choose(page, name)
            assert fits(page)
            with browser.next_page(page):
                page.get_by_role("button", name=name).click()
            page.wait_for_url(f"**/{user.id}/change/")
            assert User.objects.get().status == status


def test_a_customers_page_saved_as_it_is_changes_nothing(live_server: object) -> None:
    """The browser's own form: lists and numbers come back as they were shown."""
    operator()
    customer = factories.customer(allowed_origins=["https://app.example.com"])
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url, f"/admin/customers/customer/{customer.id}/policy/")
        for name in ("Origins", "Files", "Tokens and sessions", "Limits and lockout", "Codes"):
            with browser.next_page(page):
                page.get_by_role("button", name=f"Save {name}", exact=True).click()
            page.get_by_text("Nothing was changed.").wait_for()
    actions = Event.objects.filter(customer_id=customer.id).values_list("action", flat=True)
    assert list(actions) == ["customer_created"]
