"""Pages of the admin as operators see them: by axe, in each size and scheme, and by keyboard."""

from playwright.sync_api import Page

from tests.operators import looks
from tests.operators.signing_in import PASSWORD
from tests.portal.gallery import violations

# Colours fade from one scheme to the other.
END_OF_FADING = "document.getAnimations().filter(each => each instanceof CSSTransition).forEach(each => each.finish())"


def enter(page: Page, url: str, name: str = "ops@example.com") -> None:
    page.goto(f"{url}/admin/login/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def faults(page: Page, name: str, *, within: str = "body") -> list[str]:
    """What axe and the eye find wrong with what this page shows: wide and light, then on a phone and dark."""
    found = []
    for look, rules in zip(looks.EACH_ONCE, ("all", "of looks"), strict=True):
        looks.show(page, look)
        page.locator(within).first.scroll_into_view_if_needed()
        found += [f"{name}, {looks.name_of(look)}: {fault}" for fault in _found(page, rules, within)]
    looks.show(page, looks.LOOKS[0])
    return found


def _found(page: Page, rules: str, within: str) -> list[str]:
    page.evaluate(END_OF_FADING)
    seen = [
        f"{each['id']}: {each['nodes'][0]['html'][:300]} {each['nodes'][0]['failureSummary']}"
        for each in violations(page, rules, within)
    ]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        seen.append("scrolls to the side")
    return seen
