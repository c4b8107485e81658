"""Lists and the search as operators use them: wide and on a phone, light and dark, by keyboard and by axe."""

import pytest

from apps.users.models import User
from tests import browser, factories
from tests.operators import looking
from tests.operators.looking import enter, fits
from tests.operators.signing_in import operator
from tests.operators.test_in_a_browser import LONG

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sixty_users() -> None:
    operator()
    customer = factories.customer(name="Analytical Engines", slug="acme")
    for number in range(60):
        factories.user(customer, f"{number:02}.{LONG}")


def test_pages_are_walked_and_users_found_by_keyboard(live_server: object) -> None:
    """test_every_page has shown axe the list itself."""
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url, "/admin/users/user/")
        first = page.locator("#result_list th a").first.text_content()
        wrong = looking.faults(page, "pages", within="nav[aria-label=Pages]")
        with browser.next_page(page):
            page.get_by_role("link", name="Next").press("Enter")
        page.wait_for_url("**after=**")
        assert page.locator("#result_list tbody").count() == 25
        with browser.next_page(page):
            page.get_by_role("link", name="Previous").click()
        page.wait_for_url("**before=**")
        assert page.locator("#result_list th a").first.text_content() == first
        page.locator("h1").click()
        page.keyboard.press("Control+k")
        page.keyboard.type("07.ada")
        page.locator("#command-results-list li", has_text="07.ada").wait_for()
        wrong += looking.faults(page, "search", within="[role=dialog]")
        with browser.next_page(page):
            page.get_by_role("searchbox").press("Enter")
        page.wait_for_url(page_of("07"))
    assert not wrong, "\n".join(wrong)


def page_of(number: str) -> str:
    return f"**/users/user/{User.objects.get(email=f'{number}.{LONG}').id}/change/"


def test_who_types_faster_than_results_come_is_led_to_what_was_typed(live_server: object) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url)
        page.keyboard.press("Control+k")
        page.keyboard.type("07.ada")
        page.keyboard.press("Enter")
        page.wait_for_url(page_of("07"))
        page.keyboard.press("Control+k")
        page.keyboard.type("08.ada")
        page.locator("#command-results-list li", has_text="08.ada").wait_for()
        slow = {"offline": False, "latency": 700, "downloadThroughput": -1, "uploadThroughput": -1}
        network = page.context.new_cdp_session(page)
        network.send("Network.emulateNetworkConditions", slow)
        page.get_by_role("searchbox").fill("09.ada")
        page.keyboard.press("Enter")  # while the results of 08 are still there
        page.wait_for_url(page_of("09"))
        network.detach()


def test_a_search_that_failed_is_asked_again_by_enter(live_server: object) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url)
        page.route("**/admin/search/**", lambda route: route.fulfill(status=503))
        page.keyboard.press("Control+k")
        # What is typed is asked for after a moment, Enter or not.
        with page.expect_response("**/admin/search/**?*s=07.ada*"):
            page.keyboard.type("07.ada")
        with page.expect_response("**/admin/search/**"):
            page.keyboard.press("Enter")
        page.locator("#command-submit:not(.htmx-request)").wait_for()
        page.unroute("**/admin/search/**")
        page.keyboard.press("Enter")
        page.wait_for_url(page_of("07"))


def test_a_list_is_cards_on_a_phone(live_server: object) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        page.set_viewport_size({"width": 390, "height": 780})
        enter(page, url, "/admin/users/user/")
        assert fits(page)
        assert (
            page.locator("#result_list tr.data-row").first.evaluate("row => getComputedStyle(row).display") == "block"
        )
        assert page.evaluate("document.documentElement.scrollHeight") < 12_000
        card = page.locator("#result_list th").first
        assert card.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), "a long address is cut"
