"""What a user does at the hosted pages, in a browser."""

from playwright.sync_api import Page, expect

from tests.examples.serving import Demo


def sign_in(page: Page, demo: Demo, email: str) -> None:
    """From the page that an app has led to, until the app has the user back."""
    count = len(demo.mailbox.codes(email)) + 1
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.url.startswith(demo.facts["sign_in_url"])
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Email me a code").click()
    page.get_by_label("Code").fill(demo.mailbox.wait_for_code(email, count=count))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {email}")).to_be_visible()
    assert not page.url.startswith(demo.facts["base_url"])
