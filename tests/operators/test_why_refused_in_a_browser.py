"""An operator finds out why somebody was refused: by keyboard, wide and on a phone, in English and German."""

import pytest
from playwright.sync_api import Page

from apps.customers import lifecycle as customers
from apps.mail import ledger
from apps.mail.models import Message
from tests import browser, factories
from tests.conftest import MakeClient
from tests.operators.looking import Content, enter, let_in
from tests.operators.signing_in import operator
from tests.otp.reading import newest_code, wrong_code

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada.augusta.countess.of.lovelace@analytical-engines.example.com"


@pytest.fixture
def slug(client_for: MakeClient) -> str:
    """A customer at which somebody has asked twice, given a wrong code three times, and comes from a strange network."""
    customer = factories.customer(name="Analytical Engines")
    factories.limit(customer, "codes_per_email", 1)
    factories.policy(customer, code_resend_after=0)
    client = client_for(customer)
    client.request_otp(EMAIL)
    message, wrong = Message.objects.get(), wrong_code(newest_code())
    ledger.accept(message_id=message.id, server="mx.example.com", answer="250 2.0.0 queued", now=message.created_at)
    for _ in range(3):
        client.verify_otp(EMAIL, wrong)
    client.request_otp(EMAIL)
    customers.replace_allowlist(
        customer=customer, networks={"198.51.100.0/24": ""}, context=factories.context("system")
    )
    client.request_otp(EMAIL)
    return customer.slug


def by_keyboard(page: Page, email: str) -> None:
    """Enter sends the form, from its first field."""
    page.get_by_label("Email address").focus()
    page.keyboard.type(email)
    with browser.next_page(page):
        page.keyboard.press("Enter")
    page.wait_for_url("**/why-refused/?email=*")


def test_an_operator_finds_the_reason_by_keyboard(live_server: object, slug: str) -> None:
    operator()
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url)
        with browser.next_page(page):
            page.get_by_role("link", name="Why refused?").press("Enter")
        page.wait_for_url("**/admin/why-refused/")
        gallery = Content(page)
        gallery.fit("why-refused-empty")  # test_every_page has shown it to axe
        by_keyboard(page, EMAIL)
        assert page.get_by_text("By code:").is_visible()
        assert page.get_by_text("Too many codes were asked for this address.").first.is_visible()
        assert page.get_by_text("3 times").is_visible()
        gallery.look("why-refused")
        page.goto(f"{url}/admin/why-refused/")
        by_keyboard(page, "nobody@example.com")
        assert page.get_by_role("status").is_visible()
        gallery.look("why-refused-unknown")
        assert not gallery.faults, "\n".join(gallery.faults)


def test_it_speaks_german(live_server: object, slug: str) -> None:
    operator()
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page("de") as page:
        let_in(page, url)
        gallery = Content(page)
        page.goto(f"{url}/admin/why-refused/?email={EMAIL}&customer={slug}&ip=192.0.2.7")
        assert page.get_by_role("heading", name="Warum wurde abgewiesen?").is_visible()
        assert page.get_by_text("Die Adresse liegt außerhalb der IP-Freigaben des Kunden.").first.is_visible()
        gallery.fit("why-refused-german")
        assert not gallery.faults, "\n".join(gallery.faults)
