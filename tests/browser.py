"""A real browser for tests: Debian's Chromium, driven by Playwright. Without one they are skipped, and CI does not let them be.

Its headless shell is taken where it is installed. Chromium itself has tabs and an address field without a screen, too, and draws
them sixty times a second while a page loads: of the CPU that a page costs, a fifth.

Playwright's driver and Chromium take more than two seconds of CPU to start. So a process of tests starts them once. A window takes
one second more: `page()` is of a fresh one, `kept_page()` of one that many tests use, one after the other.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.remembering import look_up_the_connection_anew

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
HOW = "no Chromium was found (Debian: apt install chromium-headless-shell; or set GATEHOUSE_CHROMIUM)"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # axe and most scripts run once in a page: what V8 learns from it and compiles anew for speed does not pay.
    "--js-flags=--no-turbofan",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # One process for all windows: each new one reads the scripts and styles of the page anew.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    # And no pages of the browser's own for what its address field suggests: 1.5 seconds of CPU for each window.
    "--disable-features=IsolateOrigins,site-per-process,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
]
PATIENCE_MS = 90_000  # as in tests/worker.py: how long something takes says how busy the machine is
VIEWPORT = {"width": 1280, "height": 720}  # Playwright's own


def executable() -> str | None:
    """Where the browser is."""
    return os.environ.get("GATEHOUSE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Started:
    """What all tests of this process share."""

    playwright: Playwright
    loop: asyncio.AbstractEventLoop
    browser: Browser | None = None
    kept: dict[str, Page] = field(default_factory=dict)  # by language


_started: list[Started] = []


@contextmanager
def page(*, profile: Path | None = None, **context: object) -> Iterator[Page]:
    """A page of a fresh window. Skips the test, or fails it under CI, when there is no browser.

    Without a folder for its `profile` it is a private window: what pages keep on the disk is in its memory then.
    """
    with _driven() as started:
        window = _window(started, _path(), profile, context)
        window.set_default_timeout(PATIENCE_MS)
        try:
            yield window.new_page()
        finally:
            window.close()


@contextmanager
def kept_page(language: str = "en") -> Iterator[Page]:
    """A page of a window that is kept for the tests after this one, without its cookies and its local storage.

    For tests that set no more than the page's size and colours, and its window's permissions. What the server gave (scripts,
    fonts) stays in the cache. A test that fails takes the window with it.
    """
    with _driven() as started:
        shown = started.kept.pop(language, None)
        if shown is None or shown.is_closed():
            window = _window(started, _path(), None, {"locale": language})
            window.set_default_timeout(PATIENCE_MS)
            shown = window.new_page()
        try:
            yield shown
        except BaseException:
            shown.context.close()
            raise
        _put_back(shown)
        started.kept[language] = shown


@contextmanager
def next_page(page: Page) -> Iterator[None]:
    """What is done in here leads to another page, or to this one anew: it is there, with its scripts, when this ends.

    A key that sends a form returns before the browser has left the page. What is then looked at may be this page, the next
    one, or neither.
    """
    with page.expect_navigation():
        yield


def _put_back(page: Page) -> None:
    """As a fresh page would be."""
    for other in page.context.pages:
        if other is not page:
            other.close()
    place = urlsplit(page.url)
    page.goto("about:blank")  # whatever the test has left under way
    session = page.context.new_cdp_session(page)
    stored = {"origin": f"{place.scheme}://{place.netloc}", "storageTypes": "local_storage,indexeddb,cache_storage"}
    session.send("Storage.clearDataForOrigin", stored)
    session.detach()
    page.context.clear_cookies()
    page.context.clear_permissions()
    page.set_viewport_size(VIEWPORT)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")


def _path() -> str:
    path = executable()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    return path


def close() -> None:
    """When the tests of this process have ended."""
    for started in _started:
        with _driven():
            if started.browser:
                started.browser.close()
            started.playwright.stop()
    _started.clear()


@contextmanager
def _driven() -> Iterator[Started]:
    """Playwright's event loop counts as running in here, and nowhere else: other tests have loops of their own."""
    if asyncio._get_running_loop():  # a page beside another
        yield _started[0]
        return
    # Django takes that loop for a reason to refuse queries.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        if not _started:
            _started.append(Started(sync_playwright().start(), asyncio.get_running_loop()))
        asyncio._set_running_loop(_started[0].loop)
        look_up_the_connection_anew()
        yield _started[0]
    finally:
        connections.close_all()  # those made under Playwright's event loop are others than those outside
        asyncio._set_running_loop(None)
        look_up_the_connection_anew()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _window(started: Started, path: str, profile: Path | None, context: Mapping[str, object]) -> BrowserContext:
    chromium = started.playwright.chromium
    if profile is not None:
        return chromium.launch_persistent_context(profile, executable_path=path, args=ARGUMENTS, **context)  # type: ignore[arg-type]
    if started.browser is None or not started.browser.is_connected():
        started.browser = chromium.launch(executable_path=path, args=ARGUMENTS)
    return started.browser.new_context(**context)  # type: ignore[arg-type]
