"""/api/docs as developers use it: a call is encrypted in the browser, sent to the service, and its answer opened."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from apps.customers.models import Customer
from tests import browser, factories
from tests.portal.gallery import Gallery

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "ada@example.com"


@pytest.fixture
def customer() -> Customer:
    return factories.customer(name="Acme", slug="acme")


@pytest.fixture
def docs(live_server: Any) -> Iterator[Page]:
    with browser.kept_page() as page:
        page.goto(f"{live_server.url}/api/docs")
        yield page


@pytest.fixture
def docs_in_a_new_window(live_server: Any) -> Iterator[Page]:
    with browser.page(locale="en") as page:
        page.goto(f"{live_server.url}/api/docs")
        yield page


def key_for(customer: Customer, **facts: Any) -> str:
    _row, text = factories.api_key(customer, environment="test", **facts)
    return text


def ask(page: Page, call: str, document: str = "") -> str:
    """Returns what the page says of the answer."""
    page.get_by_label("Call", exact=True).select_option(call)
    if document:
        page.get_by_label("Document").fill(document)
    page.get_by_role("button", name="Send").click()
    page.locator("#try-outcome.done, #try-outcome.fault").wait_for()
    return page.get_by_role("status").inner_text()


def test_a_developer_signs_in_and_reads_what_only_the_token_opens(docs: Page, customer: Customer) -> None:
    gallery = Gallery(docs)
    key = key_for(customer)
    gallery.look("api-docs")
    docs.get_by_label("API key").fill(key)
    assert ask(docs, "request_otp", f'{{"email": "{ADDRESS}"}}').startswith("200")
    assert '"htu": "/api/auth/request-otp"' in docs.locator("#try-asked").inner_text()
    assert ADDRESS not in docs.locator("#try-sent").inner_text()
    assert '"encrypted": true' in docs.locator("#try-sent").inner_text()
    gallery.look("api-docs-answer")

    assert ask(docs, "sandbox_messages").startswith("200")
    code = re.search(r"\b(\d{6})\b", docs.locator("#try-opened").inner_text())
    assert code
    assert ask(docs, "verify_otp", f'{{"email": "{ADDRESS}", "otp": "{code[1]}"}}').startswith("200")
    assert ask(docs, "me").startswith("200")
    assert ADDRESS in docs.locator("#try-opened").inner_text()
    assert ADDRESS not in docs.locator("#try-came").inner_text()
    assert ask(docs, "change_me", '{"name": "Ada Lovelace"}').startswith("200")
    assert "Ada Lovelace" in docs.locator("#try-opened").inner_text()
    assert "Ada Lovelace" not in docs.locator("#try-sent").inner_text() + docs.locator("#try-came").inner_text()
    assert ask(docs, "change_me", '{"locale": "no such language"}').startswith("400: validation_error")
    assert not gallery.faults, "\n".join(gallery.faults)


def test_errors_can_be_read(docs: Page, customer: Customer) -> None:
    docs.get_by_label("API key").fill("ghk_test_nosuchkey")
    assert ask(docs, "request_otp").startswith("401: invalid_api_key.")
    docs.get_by_label("API key").fill(key_for(customer))
    docs.get_by_label("SERVICE_ENCRYPTION_KEY").fill("0" * 64)
    assert ask(docs, "request_otp").startswith("400: decryption_failed.")
    docs.get_by_label("SERVICE_ENCRYPTION_KEY").fill("short")
    assert ask(docs, "request_otp") == "SERVICE_ENCRYPTION_KEY is 32 bytes: 64 hex digits, or base64url."
    docs.get_by_label("SERVICE_ENCRYPTION_KEY").fill("")
    assert ask(docs, "request_otp", "{nonsense").startswith("The document is not JSON")
    assert ask(docs, "me").startswith("An access token is needed")
    assert ask(docs, "end_session") == "Fill in what stands in braces in the path."
    docs.get_by_label("Path, with its query").fill("https://elsewhere.example/x")
    docs.get_by_role("button", name="Send").click()
    docs.get_by_text("The path leads to another service.").wait_for()


def test_the_shared_key_of_servers_works_too(docs: Page, customer: Customer, settings: Any) -> None:
    docs.get_by_label("API key").fill(key_for(customer))
    docs.get_by_label("SERVICE_ENCRYPTION_KEY").fill(settings.SERVICE_ENCRYPTION_KEY)
    assert ask(docs, "request_otp", f'{{"email": "{ADDRESS}"}}').startswith("200")


def test_nothing_of_a_key_is_stored_or_in_an_address(docs_in_a_new_window: Page, customer: Customer) -> None:
    docs = docs_in_a_new_window
    key = key_for(customer)
    asked: list[str] = []
    told: list[str] = []
    docs.on("request", lambda request: asked.append(request.url))
    docs.on("console", lambda message: told.append(message.text))
    docs.get_by_label("API key").fill(key)
    docs.get_by_label("API key").press("Enter")
    docs.locator("#try-outcome.done").wait_for()
    kept = docs.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.href]")
    assert kept[:3] == [0, 0, ""]
    assert len(asked) >= 2
    assert key not in " ".join([*asked, *told, kept[3]])
    assert docs.get_by_label("API key").get_attribute("type") == "password"
    docs.reload()
    assert docs.get_by_label("API key").input_value() == ""


def test_a_call_is_chosen_from_the_list_by_keyboard(docs: Page) -> None:
    docs.locator("#login > summary").focus()
    docs.keyboard.press("Enter")
    docs.locator("#login a[data-try]").focus()
    docs.keyboard.press("Enter")
    assert docs.evaluate("document.activeElement.id") == "try-call"
    assert docs.get_by_label("Path, with its query").input_value() == "/api/auth/login"
    assert "password" in docs.get_by_label("Document").input_value()
