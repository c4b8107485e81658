"""What stands around every page of the admin: landmarks, and a way past the menu for those who use a keyboard."""

import pytest

from tests import browser, factories
from tests.operators.looking import enter
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_menu_is_skipped_by_keyboard(live_server: object) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    operator()
    factories.customer(name="Acme", slug="acme")
    with browser.kept_page() as page:
        enter(page, url, "/admin/customers/customer/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.id === 'content'")
        assert [page.locator(landmark).count() for landmark in ("main", "nav[aria-label=Menu]", "header")] == [1, 1, 1]


def test_the_account_and_the_menus_button_are_reached_by_keyboard(live_server: object) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    operator()
    with browser.kept_page() as page:
        enter(page, url)
        assert page.get_by_role("button", name="Show or hide the menu").count() == 1
        account = page.get_by_role("button", name="ops@example.com")
        account.focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Change password").wait_for()
        assert account.get_attribute("aria-expanded") == "true"
        page.get_by_role("button", name="Dark").press("Enter")
        page.wait_for_function("document.documentElement.classList.contains('dark')")
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Change password").wait_for(state="hidden")
