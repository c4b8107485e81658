"""Looks at each hosted page as people do: light and dark, on a phone and on a wide screen; by axe, and as pictures for the docs."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = (ROOT / "tests" / "interop" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
WIDE, PHONE, NARROW = {"width": 960, "height": 720}, {"width": 390, "height": 760}, {"width": 320, "height": 700}
LOOKS = ((WIDE, "light"), (PHONE, "dark"))  # each size and each scheme
IN_PICTURES = (*LOOKS, (WIDE, "dark"), (PHONE, "light"))
WANTED = "SCREENSHOTS"  # in the environment: where the pictures go (`make screenshots`)


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
        folder = os.environ.get(WANTED)
        for size, scheme in IN_PICTURES if folder else LOOKS:
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.faults += [f"{name}, {scheme}, {size['width']}: {fault}" for fault in self._found()]
            if folder:
                self._keep(ROOT / folder / f"{name}-{'phone' if size is PHONE else 'wide'}-{scheme}.webp")
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        if not self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            self.faults.append(f"{name}: scrolls to the side at 320 pixels")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    def _keep(self, file: Path) -> None:
        """As WebP, which Chromium makes itself: a third of the size of a PNG."""
        session = self.page.context.new_cdp_session(self.page)
        shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": 70})
        session.detach()
        file.write_bytes(base64.b64decode(shot["data"]))

    def _found(self) -> Iterator[str]:
        self.page.evaluate(AXE)
        found: list[dict[str, Any]] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")[
            "violations"
        ]
        for fault in found:
            yield f"{fault['id']}: {fault['nodes'][0]['html']} {fault['nodes'][0]['failureSummary']}"
        if self.page.locator("h1").count() != 1:
            yield "has not exactly one h1"
        if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            yield "scrolls to the side"

    def _note(self, message: Any) -> None:
        is_answer = "the server responded" in message.text  # a page that explains an error has its status
        if "Content Security Policy" in message.text or (message.type == "error" and not is_answer):
            self.faults.append(f"console: {message.text}")
