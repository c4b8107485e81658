"""A real browser for tests: Debian's Chromium, driven by Playwright. Without one they are skipped, and CI does not let them be."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from playwright.sync_api import Page, sync_playwright

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
def page(**context: object) -> Iterator[Page]:
    """A page of a fresh browser. Skips the test, or fails it under CI, when there is none."""
    path = executable()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    # Django takes Playwright's own event loop for a reason to refuse queries.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            try:
                yield browser.new_context(**context).new_page()  # type: ignore[arg-type]
            finally:
                browser.close()
                connections.close_all()  # those made under Playwright's event loop are others than those outside
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
