"""A customer's page in a real browser: by keyboard, and looked at by axe in every size and scheme, in English and German."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.customers import keyring, lifecycle
from apps.customers.models import AllowedNetwork, Customer
from apps.mail.models import MailQuotaUse, Message
from apps.operators.pages.customers.customer_tabs import TABS
from tests import browser, factories
from tests.conftest import MakeClient
from tests.operators.looking import Content, let_in, put
from tests.operators.pages.customer_form import page_of
from tests.operators.signing_in import operator
from tests.operators.walking import client

pytestmark = pytest.mark.django_db(transaction=True)
TAB = {slug: "change" if slug == "overview" else slug for slug in TABS}


@pytest.fixture
def acme(client_for: MakeClient) -> Customer:
    """A customer of which there is something of everything."""
    operator()
    customer = factories.customer(
        name="Analytical Engines of Lovelace and Babbage", colour="#B00020", daily_code_quota=50
    )
    keyring.rotate_gracefully(customer, context=factories.context())
    factories.session(factories.user(customer, "ada.augusta.countess.of.lovelace@analytical-engines.example.com"))
    factories.user(customer, "bob@example.com", status="deactivated")
    factories.limit(customer, "codes_per_email", 7)
    client_for(customer).request_otp("ada@example.com")
    networks = {"192.0.2.0/24": "office", "2001:db8::/32": "data centre in Frankfurt", "127.0.0.1/32": ""}
    lifecycle.replace_allowlist(customer=customer, networks=networks, context=factories.context())
    today = timezone.now().date()
    use = {"day": today, "sent_today": 45, "month": today.replace(day=1), "sent_this_month": 4500}
    MailQuotaUse.objects.update_or_create(customer_id=customer.id, defaults=use)
    return customer


def look_at(page: Page, live_server: LiveServer, customer: Customer, tab: str = "change", query: str = "") -> None:
    page.goto(f"{live_server.url}{page_of(customer, tab)}{query}")


def test_every_tab_is_read_by_everybody(live_server: LiveServer, acme: Customer) -> None:
    """Nothing scrolls to the side, not even with German words. axe has seen each tab in test_every_page: here what differs."""
    faults = []
    fresh = factories.customer(name="Fresh")
    for locale in ("en", "de"):
        reader = client(locale, "ops@example.com")
        with browser.kept_page(locale) as page:
            gallery = Content(page)
            check = gallery.look if locale == "en" else gallery.fit
            let_in(page, live_server.url)
            look_at(page, live_server, acme)
            for slug, tab in TAB.items():
                put(page, reader.get(page_of(acme, tab)).content.decode())
                assert page.locator(f"html[lang={locale}] nav [aria-current=page]").first.is_visible(), slug
                gallery.fit(f"customer-{slug}-{locale}")
            look_at(page, live_server, fresh)
            check(f"customer-fresh-{locale}")
            look_at(page, live_server, acme, "allowlist", "?address=192.0.2.7")
            check(f"customer-allowlist-tried-{locale}")
            faults += gallery.faults
    assert not faults, "\n".join(faults)


def press(page: Page, name: str, role: str = "button") -> None:
    """By keyboard, and on to the page that it leads to."""
    with browser.next_page(page):
        page.get_by_role(role, name=name, exact=True).press("Enter")  # type: ignore[arg-type]


def fill_in(page: Page, label: str, text: str) -> None:
    """Enter sends the form that the field is of."""
    page.get_by_label(label).fill(text)
    with browser.next_page(page):
        page.get_by_label(label).press("Enter")


def go_to(page: Page, tab: str) -> None:
    tabs = page.get_by_role("navigation", name="Parts of this customer's page")
    with browser.next_page(page):
        tabs.get_by_role("link", name=tab).press("Enter")
    page.locator(f"nav [aria-current=page]:has-text('{tab}')").wait_for()


def test_a_customer_is_set_up_by_keyboard_alone(live_server: LiveServer) -> None:
    """Policy, network, look, test mail and key: each from its tab."""
    operator()
    customer = factories.customer(name="Acme")
    with browser.kept_page() as page:
        let_in(page, live_server.url)
        look_at(page, live_server, customer)
        go_to(page, "Sign-in policy")
        fill_in(page, "A code is good for", "5 minutes")
        page.get_by_text("Saved: Codes.").wait_for()
        assert page.get_by_label("A code is good for").input_value() == "5 min"
        page.get_by_label("Access tokens live for").fill("soon")
        press(page, "Save Tokens and sessions")
        page.get_by_text("Write a duration such as 7 h").wait_for()
        page.get_by_label("Access tokens live for").fill("1 h")
        press(page, "Save Tokens and sessions")
        page.get_by_role("heading", name="Change the policy of Acme?").wait_for()
        press(page, "Change it")
        page.get_by_text("Saved: Tokens and sessions.").wait_for()
        go_to(page, "Allowlist")
        fill_in(page, "Address or network", "203.0.113.7/24")
        press(page, "Add 203.0.113.0/24")
        page.get_by_text("The allowlist is changed").wait_for()
        press(page, "Add mine")
        page.get_by_role("button", name="Remove 127.0.0.1/32").wait_for()
        fill_in(page, "Would this address be let in?", "203.0.113.9")
        page.get_by_text("203.0.113.9 is let in, by 203.0.113.0/24").wait_for()
        press(page, "Remove 127.0.0.1/32")
        page.get_by_role("button", name="Remove 127.0.0.1/32").wait_for(state="detached")
        go_to(page, "Branding")
        page.get_by_role("textbox", name="Colour").fill("#B00020")
        press(page, "Save Name and mail")
        page.get_by_text("Saved: Name and mail.").wait_for()
        page.frame_locator("iframe").get_by_text("123456").first.wait_for()
        page.get_by_label("Send a test mail to").fill("ada@example.com")
        press(page, "Send it")
        page.get_by_text("The test mail to ada@example.com is on its way.").wait_for()
        go_to(page, "API keys")
        page.get_by_label("Name").fill("Web")
        press(page, "Make the key")
        page.get_by_text("it is shown this once").wait_for()
        press(page, "I have copied it", "link")
        page.get_by_role("link", name="Web", exact=True).wait_for()
    customer.refresh_from_db()
    assert (customer.code_lifetime, customer.access_lifetime, customer.colour) == (300, 3600, "#B00020")
    assert [row.network for row in AllowedNetwork.objects.of(customer.id)] == ["203.0.113.0/24"]
    assert Message.objects.get().kind == "test_mail"
    assert ApiKey.objects.of(customer.id).get().name == "Web"
    done = set(Event.objects.filter(actor="operator:ops@example.com").values_list("action", flat=True))
    assert {"policy_changed", "allowlist_changed", "test_mail_sent", "api_key_created"} <= done
