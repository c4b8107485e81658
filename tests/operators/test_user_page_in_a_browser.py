"""A user's page as operators see it: wide and on a phone, light and dark, in English and German, by axe and by keyboard."""

from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page

from apps.audit.models import Event
from apps.mail.models import Message
from apps.tokens.models import Session
from apps.users.models import User
from tests import browser, factories
from tests.conftest import MakeClient
from tests.operators.looking import Content, let_in
from tests.operators.signing_in import operator
from tests.operators.test_in_a_browser import LONG
from tests.signin.entering import enrol_app, login, member

pytestmark = pytest.mark.django_db(transaction=True)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)


@pytest.fixture
def busy(client_for: MakeClient) -> User:
    """Somebody of whom there is something of everything."""
    operator()
    customer = factories.customer(name="Analytical Engines of Lovelace and Babbage", code_resend_after=0)
    factories.role(customer, "bookkeeper", "invoices.read", "invoices.write")
    user = member(customer, LONG, role="bookkeeper")
    enrol_app(user)
    for number in range(3):
        factories.session(user, ip=f"203.0.113.{number}", user_agent=CHROME)
    client = client_for(customer)
    client.request_otp(LONG)
    login(client, "a guess", LONG)
    return user


def look_at(page: Page, url: str, user_id: UUID, name: str = "change") -> None:
    page.goto(f"{url}/admin/users/user/{user_id}/{name}/")


def test_it_is_read_by_everybody(live_server: object, busy: User) -> None:
    """axe finds nothing in any look; nothing scrolls to the side, not even with German words.

    test_every_page has shown axe a user of whom there is something of everything, and the forms that send and change.
    """
    url = live_server.url  # type: ignore[attr-defined]
    closed = member(busy.customer, "bob@example.com", status="deactivated")
    waiting = factories.user(busy.customer, "cyd@example.com", wrong_codes=1000)
    with browser.kept_page() as page:
        gallery = Content(page)
        let_in(page, url)
        for user, name in ((closed, "user-deactivated"), (waiting, "user-locked")):
            look_at(page, url, user.id)
            gallery.look(name)
        for name in ("change", "send", "change-address"):
            look_at(page, url, busy.id, name)
            gallery.fit(f"user-{name}")
        look_at(page, url, waiting.id, "prove-address")
        gallery.look("user-prove-address")
    with browser.kept_page("de") as page:
        german = Content(page)
        let_in(page, url)
        for name in ("change", "change-address"):
            look_at(page, url, busy.id, name)
            assert page.get_by_text("Adresse ändern").count(), "in German"
            german.fit(f"user-{name}-german")
    faults = gallery.faults + german.faults
    assert not faults, "\n".join(faults)


def test_help_is_given_by_keyboard_alone(live_server: object, busy: User) -> None:
    """Sessions ended, a code sent and the address changed, each in two steps from the user's page."""
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        let_in(page, url)
        look_at(page, url, busy.id)
        page.get_by_role("heading", name="Can sign in").wait_for()
        choose(page, "End all sessions")
        press(page.get_by_role("button", name="End all sessions"))
        page.get_by_text("3 sessions ended").wait_for()
        page.get_by_text("Signed in nowhere").wait_for()
        choose(page, "Send a code")
        press(page.get_by_role("button", name="Send", exact=True))
        page.get_by_text("It is on its way").wait_for()
        press(page.get_by_role("link", name="Change the address", exact=True))  # stands apart, since it is grave
        page.get_by_label("New address").focus()
        page.keyboard.type("countess@example.com")
        page.keyboard.press("Tab")
        page.keyboard.type("Called back")
        with browser.next_page(page):
            page.keyboard.press("Enter")
        page.get_by_text("The address is changed").wait_for()
    assert not Session.objects.filter(ended_at=None).exists()
    assert User.objects.get(id=busy.id).email == "countess@example.com"
    assert Message.objects.filter(kind="email_changed", recipient=LONG).exists()
    by_operator = Event.objects.filter(actor="operator:ops@example.com", user_id=busy.id)
    assert set(by_operator.values_list("action", flat=True)) == {"session_ended", "code_requested", "email_changed"}
    assert timezone.now() > by_operator[0].at


def choose(page: Page, name: str) -> None:
    press(page.get_by_role("navigation", name="What you can do").get_by_role("link", name=name, exact=True))


def press(where: Locator) -> None:
    """By keyboard, and on to the page that it leads to."""
    with browser.next_page(where.page):
        where.press("Enter")
