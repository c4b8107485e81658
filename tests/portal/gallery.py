"""Looks at each hosted page as people do: light and dark, on a phone and on a wide screen; by axe, and as pictures for the docs."""

import base64
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = (ROOT / "tests" / "interop" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
WIDE, PHONE, NARROW = {"width": 960, "height": 720}, {"width": 390, "height": 760}, {"width": 320, "height": 700}
LOOKS = ((WIDE, "light"), (PHONE, "dark"))  # each size and each scheme
# What depends on size and colours is asked of axe in each look, all else once: axe is most of what a look takes.
OF_LOOKS = ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]
IN_PICTURES = (*LOOKS, (WIDE, "dark"), (PHONE, "light"))
SEEN = "[document.querySelectorAll('h1').length, document.documentElement.scrollWidth > innerWidth]"
WANTED = "SCREENSHOTS"  # in the environment: where the pictures go (`make screenshots`)


def violations(
    page: Page, rules: str = "all", within: str = "html", but: Iterable[str] = (), also: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """What axe finds wrong, by "all" its rules but some, or by those "of looks". `also`: rules that are off by default."""
    if not page.evaluate("'axe' in window"):  # reading it takes as long as a look does
        page.evaluate(AXE)
    switched = {rule: {"enabled": False} for rule in but} | {rule: {"enabled": True} for rule in also}
    options: dict[str, Any] = {"resultTypes": ["violations"], "rules": switched}
    if rules == "of looks":
        options["runOnly"] = {"type": "rule", "values": OF_LOOKS}
    # What axe found in order is ten times as long, and to hand it over takes as long as axe does.
    run = "async ([within, options]) => (await axe.run(document.querySelector(within), options)).violations"
    found: list[dict[str, Any]] = page.evaluate(run, [within, options])
    return found


class Gallery:
    """What was complained about so far, page by page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.seen: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))

    def look(self, name: str) -> None:
        """This page in every look. axe finds nothing, nothing needs scrolling to the side, and there is one heading."""
        self.seen.append(name)
        self.page.wait_for_load_state()
        folder = os.environ.get(WANTED)
        for look in IN_PICTURES if folder else LOOKS:
            size, scheme = look
            self.show(size, scheme)
            rules = "all" if look is LOOKS[0] else "of looks"
            self.faults += [f"{name}, {scheme}, {size['width']}: {fault}" for fault in self._found(rules)]
            if folder:
                self._keep(ROOT / folder / f"{name}-{'phone' if size is PHONE else 'wide'}-{scheme}.webp")
        self.fit(name, NARROW)

    def show(self, size: dict[str, int], scheme: str) -> None:
        self.page.set_viewport_size(size)  # type: ignore[arg-type]
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    def fit(self, name: str, *sizes: dict[str, int]) -> None:
        """Nothing of this page needs scrolling to the side: that is what other words may change."""
        self.page.wait_for_load_state()
        for size in sizes or (WIDE, PHONE, NARROW):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            if not self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                self.faults.append(f"{name}: scrolls to the side at {size['width']} pixels")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    def _keep(self, file: Path) -> None:
        """As WebP, which Chromium makes itself: a third of the size of a PNG."""
        session = self.page.context.new_cdp_session(self.page)
        shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": 70})
        session.detach()
        file.write_bytes(base64.b64decode(shot["data"]))

    def _found(self, rules: str) -> Iterator[str]:
        for fault in violations(self.page, rules):
            yield f"{fault['id']}: {fault['nodes'][0]['html']} {fault['nodes'][0]['failureSummary']}"
        headings, scrolls = self.page.evaluate(SEEN)
        if headings != 1:
            yield "has not exactly one h1"
        if scrolls:
            yield "scrolls to the side"

    def _note(self, message: Any) -> None:
        is_answer = "the server responded" in message.text  # a page that explains an error has its status
        if "Content Security Policy" in message.text or (message.type == "error" and not is_answer):
            self.faults.append(f"console: {message.text}")
