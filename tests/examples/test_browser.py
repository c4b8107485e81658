"""docs/examples/browser: a page with the client module, and no server of its own."""

import re
import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests import browser
from tests.examples.serving import Demo, Example

EMAIL = "hedy@example.com"


def sign_in(page: Page, demo: Demo) -> None:
    """The first code is a wrong one."""
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_role("button", name="Send me a code").click()
    code = demo.mailbox.wait_for_code(EMAIL)
    for digits in (f"{(int(code) + 1) % 1_000_000:06}", code):
        page.get_by_label("The code in the mail").fill(digits)
        page.get_by_role("button", name="Sign in").click()
        if digits != code:
            expect(page.get_by_role("alert")).not_to_be_empty()
    expect(page.get_by_text(f"Signed in as {EMAIL}")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()


def test_browser(demo: Demo, run_example: Callable[..., Example]) -> None:
    example = run_example("browser", [sys.executable, "serve.py"])
    demo.allow(example.url)
    with browser.page() as page:
        page.goto(example.url)
        sign_in(page, demo)
        expect(page.get_by_role("listitem")).to_have_text([re.compile("on Linux, here")])
        _tabs_are_signed_out_together(page, example)
        _page_knows_no_secret(page, demo)


def _tabs_are_signed_out_together(page: Page, example: Example) -> None:
    other = page.context.new_page()
    other.goto(example.url)
    expect(other.get_by_text(f"Signed in as {EMAIL}")).to_be_visible()
    other.get_by_role("button", name="Sign out").click()
    for tab in (other, page):
        expect(tab.get_by_label("Email")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Email")).to_be_visible()


def _page_knows_no_secret(page: Page, demo: Demo) -> None:
    told = page.evaluate("async () => (await fetch('/gatehouse.json')).text()")
    assert demo.facts["api_key"] in told
    for secret in ("admin_password", "introspection_key", "oauth_client_secret", "service_encryption_key"):
        assert demo.facts[secret] not in told
