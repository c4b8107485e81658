"""The audit trail in a real browser: found, read and taken along, by mouse and by keyboard, wide and on a phone."""

from pathlib import Path

import pytest

from apps.audit import actions, tasks
from apps.audit.models import Event
from apps.core import actors
from apps.customers import lifecycle
from tests import browser, factories
from tests.operators.looking import Content, enter, let_in
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
VERIFICATION = "/admin/audit/event/verification/"
HURRIED = "const later = setTimeout; window.setTimeout = (act, _ms) => later(act, 20)"  # from the second look on


@pytest.fixture
def story() -> Event:
    """Some days of a customer. Returns the event of a changed policy."""
    operator()
    customer = factories.customer(name="Acme")
    context = factories.context(actors.operator("operator@example.com"))
    lifecycle.update_policy(customer=customer, changes={"access_lifetime": 3600}, context=context)
    changes = {"colour": "#123456", "code_length": 8, "allowed_origins": ["https://app.example.com"]}
    lifecycle.update_policy(customer=customer, changes=changes, context=context)
    lifecycle.replace_allowlist(customer=customer, networks={"203.0.113.0/24": ""}, context=context)
    user = factories.user(customer, "ada@example.com")
    factories.session(user)
    return Event.objects.filter(action=actions.POLICY_CHANGED).latest("id")


def test_what_is_found_is_read_by_everybody(live_server: object, story: Event) -> None:
    """axe finds nothing in any look, and nothing scrolls to the side. test_every_page has seen the other pages of the trail."""
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        gallery = Content(page)
        let_in(page, url)
        page.goto(f"{url}/admin/audit/event/?customer={story.customer_id}&action=policy_changed")
        gallery.look("audit-found")
        page.goto(f"{url}/admin/audit/event/{story.id}/change/")
        gallery.look("audit-event")
    assert not gallery.faults, "\n".join(gallery.faults)


def test_events_are_found_and_exported_by_keyboard_alone(live_server: object, story: Event) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        enter(page, url, "/admin/audit/event/")
        page.get_by_text("Find events").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Operator", exact=True).wait_for()
        page.get_by_label("Operator", exact=True).focus()
        page.keyboard.type("operator@example.com")
        with browser.next_page(page):
            page.keyboard.press("Enter")
        page.wait_for_url("**who=operator*")
        rows = page.locator("#result_list tbody tr")
        assert rows.count() == 3
        assert "shortened the access lifetime of Acme from 7\u00a0h to 1\u00a0h" in rows.last.inner_text()
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON Lines").press("Enter")
        assert Path(download.value.path()).read_text().count("\n") == 3


def test_the_log_is_verified_by_one_button_and_the_page_tells_when_it_is_done(
    live_server: object, story: Event
) -> None:
    """Though the server could not be reached for a moment, and failed in the next."""
    url = live_server.url  # type: ignore[attr-defined]
    tasks.chain_events()
    with browser.kept_page() as page:
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.emulate_media(color_scheme="dark")
        enter(page, url, VERIFICATION)
        with browser.next_page(page):
            page.get_by_role("button", name="Verify now").press("Enter")
        page.get_by_text("Under way.").wait_for()
        page.evaluate(HURRIED)
        with page.expect_response(lambda answer: answer.status == 503):
            page.route(f"**{VERIFICATION}", lambda route: route.fulfill(status=503), times=1)
            page.route(f"**{VERIFICATION}", lambda route: route.abort(), times=1)  # the later comes first
        assert page.get_by_text("Under way.").is_visible()
        tasks.verify()
        page.get_by_text("The audit log is whole").wait_for()
        gallery = Content(page)
        gallery.look("audit-verified")
        assert not gallery.faults, "\n".join(gallery.faults)
