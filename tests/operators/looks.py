"""What a page of the admin looks like, wide and on a phone, light and dark: by axe, by rules of our own, and as a picture."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.portal.gallery import violations

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
LOOKS = ((WIDE, "light"), (PHONE, "light"), (PHONE, "dark"), (WIDE, "dark"))
EACH_ONCE = (LOOKS[0], LOOKS[2])  # each size and each scheme
# axe is most of what a test takes. EVERY_LOOK=1 (`make axe`): all four, and of every page.
EVERY_LOOK = bool(os.environ.get("EVERY_LOOK"))
EXAMINED = LOOKS if EVERY_LOOK else EACH_ONCE
Look = tuple[dict[str, int], str]
# All pages have one menu: axe looks at it once.
MENU_SEEN = "#nav-sidebar, #nav-sidebar * { visibility: hidden !important }"
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; caret-color: transparent !important }"
OF_OURS = """language => {
  const seen = [...document.querySelectorAll("h1, [role=heading][aria-level='1']")].filter(each => each.checkVisibility());
  const crumbs = [...document.querySelectorAll("[data-breadcrumbs] > :is(a, h1)")].map(each => each.innerText.trim());
  const focusable = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")];
  const skip = document.querySelector(".skip-link");
  return [
    document.documentElement.lang === language ? "" : `says that it is in "${document.documentElement.lang}"`,
    !document.querySelector("#nav-sidebar") || (focusable[0] === skip && document.querySelector(skip.hash)?.tabIndex === -1)
      ? "" : "has no way past the menu",
    seen.length === 1 ? "" : `has ${seen.length} h1: ${seen.map(each => each.innerText)}`,
    document.documentElement.scrollWidth <= innerWidth ? "" : "scrolls to the side",
    new Set(crumbs).size === crumbs.length ? "" : `says twice where it is: ${crumbs}`,
    document.title.trim() ? "" : "has no title",
  ].filter(Boolean)
}"""


# What a page is made of: its elements without their words.
ELEMENTS = """() => [...document.querySelectorAll("body *:not(#nav-sidebar *)")].map(
  each => [each.tagName, each.type, each.getAttribute("role"), each.getAttribute("class"), each.parentElement.tagName].join(" "))"""


class Examined:
    """What axe has looked at. Most pages are made of the same elements, and it takes two seconds for each."""

    def __init__(self) -> None:
        self._elements: set[str] = set()

    def has_something_new(self, page: Page) -> bool:
        new = set(page.evaluate(ELEMENTS)) - self._elements
        self._elements |= new
        return EVERY_LOOK or bool(new)


def name_of(look: Look) -> str:
    size, scheme = look
    return f"{'wide' if size is WIDE else 'phone'}-{scheme}"


def show(page: Page, look: Look) -> None:
    size, scheme = look
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")


def faults(page: Page, language: str) -> Iterator[str]:
    """Of the page that is open: by all rules in the first look, and then by those that size and colours may break."""
    page.add_style_tag(content=STILL)
    for look in EXAMINED:
        misfits = list(of_words(page, language, look))
        found = _by_axe(page, is_first=look is EXAMINED[0])
        yield from (*misfits, *(f"{name_of(look)}: {fault}" for fault in found))


def of_words(page: Page, language: str, look: Look = LOOKS[1]) -> Iterator[str]:
    """Without axe: what other words may break, which is nearly as quick as the page."""
    show(page, look)
    yield from (f"{name_of(look)}: {fault}" for fault in page.evaluate(OF_OURS, language))


def _by_axe(page: Page, *, is_first: bool) -> Iterator[str]:
    for fault in violations(page, "all" if is_first else "of looks", also=["target-size"]):  # WCAG 2.2
        nodes = fault["nodes"]
        yield f"{fault['id']} ({len(nodes)}): {nodes[0]['html'][:250]} {nodes[0]['failureSummary'][:300]}"


def keep(page: Page, file: Path, *, full: bool) -> None:
    """As WebP, which Chromium makes itself: a third of the size of a PNG."""
    session = page.context.new_cdp_session(page)
    options: dict[str, Any] = {"format": "webp", "quality": 60, "captureBeyondViewport": full}
    if full:
        size = page.evaluate(
            "[document.documentElement.clientWidth, Math.min(document.documentElement.scrollHeight, 6000)]"
        )
        options["clip"] = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
    shot = session.send("Page.captureScreenshot", options)
    session.detach()
    file.write_bytes(base64.b64decode(shot["data"]))
