"""Pages of the admin as operators see them: by axe, in each size and scheme, and by keyboard."""

from collections.abc import Iterator

from django.contrib.auth.models import User
from playwright.sync_api import Page

from tests import browser
from tests.operators import looks
from tests.operators.signing_in import PASSWORD, signed_in
from tests.portal.gallery import Gallery, violations

# Colours fade from one scheme to the other.
END_OF_FADING = "document.getAnimations().filter(each => each instanceof CSSTransition).forEach(each => each.finish())"


def enter(page: Page, url: str, path: str = "/admin/", name: str = "ops@example.com") -> None:
    """At this page, without the one that signs in."""
    let_in(page, url, name)
    page.goto(f"{url}{path}")


def let_in(page: Page, url: str, name: str = "ops@example.com") -> None:
    """Signed in, wherever the browser goes."""
    cookies = signed_in(User.objects.get(username=name)).cookies
    page.context.add_cookies([{"name": key, "value": cookie.value, "url": url} for key, cookie in cookies.items()])


def put(page: Page, html: str) -> None:
    """In the place of the page of the admin that is open, as test_every_page does: loading takes ten times as long."""
    page.evaluate(looks.PUT, html)


def enter_by_password(page: Page, url: str, name: str = "ops@example.com", code: str = "") -> None:
    page.goto(f"{url}/admin/login/")
    page.get_by_label("Email").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_code").fill(code)
    with browser.next_page(page):
        page.get_by_role("button", name="Sign in", exact=True).press("Enter")
    page.wait_for_url("**/admin/")


def faults(page: Page, name: str, *, within: str = "body") -> list[str]:
    """What axe and the eye find wrong with what this page shows: wide and light, then on a phone and dark."""
    page.wait_for_load_state()
    found = []
    for look, rules in zip(looks.EACH_ONCE, ("all", "of looks"), strict=True):
        looks.show(page, look)
        page.locator(within).first.scroll_into_view_if_needed()
        found += [f"{name}, {looks.name_of(look)}: {fault}" for fault in _found(page, rules, within)]
    looks.show(page, looks.LOOKS[0])
    return found


def misfits(page: Page, name: str, *, within: str = "body") -> list[str]:
    """What other words may break: they need scrolling to the side, wide or on a phone."""
    found = []
    for look in reversed(looks.EACH_ONCE):
        looks.show(page, look)
        page.locator(within).first.scroll_into_view_if_needed()
        found += [] if fits(page) else [f"{name}, {looks.name_of(look)}: scrolls to the side"]
    return found


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


class AdminGallery(Gallery):
    """The admin looks once, when it is loaded, whether it is to be dark: here its scheme is the one that is looked at."""

    def show(self, size: dict[str, int], scheme: str) -> None:
        looks.show(self.page, (size, scheme))
        self.page.evaluate(END_OF_FADING)


class Content(AdminGallery):
    """What the page itself shows: the frame around it is every page's."""

    def _found(self, rules: str) -> Iterator[str]:
        for fault in violations(self.page, rules, "#content", but=("region",)):
            yield f"{fault['id']}: {fault['nodes'][0]['html']} {fault['nodes'][0]['failureSummary']}"
        if not fits(self.page):
            yield "scrolls to the side"


def _found(page: Page, rules: str, within: str) -> list[str]:
    page.evaluate(END_OF_FADING)
    seen = [
        f"{each['id']}: {each['nodes'][0]['html'][:300]} {each['nodes'][0]['failureSummary']}"
        for each in violations(page, rules, within)
    ]
    if not fits(page):
        seen.append("scrolls to the side")
    return seen
