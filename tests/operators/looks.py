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


# In the place of the page that is open: its words, its elements, its styles. Scripts that are there already go on.
PUT = """async html => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const sheets = root => new Map([...root.querySelectorAll("link[rel=stylesheet]")].map(each => [each.getAttribute("href"), each]));
  const [before, after] = [sheets(document), sheets(page)];
  page.querySelector("#nav-sidebar")?.replaceChildren();
  await Promise.all([...after].filter(([href]) => !before.has(href)).map(([, sheet]) => new Promise((loaded, failed) => {
    Object.assign(sheet, { onload: loaded, onerror: failed });
    document.head.append(sheet);
  })));
  [...before].filter(([href]) => !after.has(href)).forEach(([, sheet]) => sheet.remove());
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  document.body.replaceWith(page.body);
}"""
EMPTY_THE_MENU = "document.querySelector('#nav-sidebar')?.replaceChildren()"


def name_of(look: Look) -> str:
    size, scheme = look
    return f"{'wide' if size is WIDE else 'phone'}-{scheme}"


def show(page: Page, look: Look) -> None:
    size, scheme = look
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")


def faults(page: Page, language: str) -> Iterator[str]:
    """Of the page that is open: by all rules in one look, and in the others by those that size and colours may break."""
    order = reversed(EXAMINED) if page.viewport_size == PHONE else EXAMINED  # another size takes time
    for look in order:
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
