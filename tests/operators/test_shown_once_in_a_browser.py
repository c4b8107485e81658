"""A new key in a real browser: copied by keyboard, and gone after reload, leaving and back."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from apps.api_keys.models import ApiKey
from tests import browser, factories
from tests.operators.looking import faults, let_in
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)


def make_key(page: Page, url: str) -> str:
    page.goto(f"{url}/admin/api_keys/apikey/add/")
    # Made of the choice when the page has loaded, or later. The choice is a combobox, too.
    page.locator(".select2-selection").press("Enter")
    with page.expect_response(lambda answer: "term=Acme" in answer.url):  # a list of before it has the name, too
        page.locator(".select2-search__field").fill("Acme")
    page.locator(".select2-results__option--highlighted", has_text="Acme").wait_for()
    page.keyboard.press("Enter")
    page.locator("#id_name").fill("Web")
    with browser.next_page(page):
        page.get_by_role("button", name="Save", exact=True).press("Enter")
    page.wait_for_url("**/shown-once/**")
    return page.locator("#shown-once").inner_text()


def press(page: Page, name: str, number: int = 0) -> None:
    button = page.get_by_role("button", name=name).nth(number)
    button.focus()
    page.keyboard.press("Enter")


def test_a_key_is_copied_by_keyboard_and_gone_afterwards(live_server: LiveServer) -> None:
    operator()
    factories.customer(name="Acme")
    with browser.kept_page() as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        let_in(page, live_server.url)
        key = make_key(page, live_server.url)
        assert key.startswith("ghk_live_")
        press(page, "Copy")
        page.get_by_text("Copied.").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == key
        press(page, "Copy", 1)
        page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('curl '))")
        assert key in page.evaluate("navigator.clipboard.readText()")
        assert faults(page, "key-shown") == []
        with browser.next_page(page):
            page.get_by_role("link", name="I have copied it").press("Enter")
        page.wait_for_url("**/change/")
        page.go_back()
        page.get_by_role("heading", name="Nothing is shown here any more").wait_for()
        assert key not in page.content()
        assert faults(page, "key-gone", within="#content") == []
        page.go_back()
        page.go_forward()
        assert key not in page.content()
    assert ApiKey.objects.filter(name="Web").count() == 1


def test_loading_the_page_again_shows_and_makes_nothing(live_server: LiveServer) -> None:
    operator()
    factories.customer(name="Acme")
    with browser.kept_page() as page:
        let_in(page, live_server.url)
        key = make_key(page, live_server.url)
        page.reload()
        page.get_by_role("heading", name="Nothing is shown here any more").wait_for()
        assert key not in page.content()
    assert ApiKey.objects.filter(name="Web").count() == 1
