"""A real browser for tests: Debian's Chromium, driven by Playwright. Without one they are skipped, and CI does not let them be."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = "no Chromium was found (Debian: apt install chromium; or set GATEHOUSE_CHROMIUM)"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """Where the browser is."""
    return os.environ.get("GATEHOUSE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def page(*, profile: Path | None = None, **context: object) -> Iterator[Page]:
    """A page of a fresh browser. Skips the test, or fails it under CI, when there is none.

    Without a folder for its `profile` it is a private window: what pages keep on the disk is in its memory then.
    """
    path = executable()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    # Django takes Playwright's own event loop for a reason to refuse queries.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            launched = _launched(playwright, path, profile, context)
            try:
                yield launched.new_page()
            finally:
                (launched.browser or launched).close()
                connections.close_all()  # those made under Playwright's event loop are others than those outside
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _launched(playwright: Playwright, path: str, profile: Path | None, context: Mapping[str, object]) -> BrowserContext:
    if profile is not None:
        return playwright.chromium.launch_persistent_context(profile, executable_path=path, args=ARGUMENTS, **context)  # type: ignore[arg-type]
    browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    return browser.new_context(**context)  # type: ignore[arg-type]
