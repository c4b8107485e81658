"""The hosted sign-in in a real browser, against the running service with its worker and mailbox."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from apps.mail.models import Message
from apps.signin.models import RememberedDevice
from apps.tokens.models import Session
from tests import browser, factories
from tests.journeys.test_passkeys_in_a_browser import Device
from tests.portal.visiting import asked_by
from tests.running import Running, app
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]

PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""
NOTE_CEREMONIES = """
window.ceremonies = [];
const get = navigator.credentials.get.bind(navigator.credentials);
navigator.credentials.get = (options) => {
  ceremonies.push(options.mediation ?? "asked");
  return get(options);
};
"""
LINUS = "linus@example.com"
APP = {"/back": "<!doctype html><title>Back in the app</title>"}


def test_the_hosted_sign_in(running: Running) -> None:
    """Of three customers, and with one service: it takes seconds to start."""
    a_code_from_the_mail_leads_back_to_the_app(running)
    it_works_without_scripts_and_in_two_tabs(running)
    passkeys_are_made_on_the_way_in_filled_in_and_asked_for(running)


def a_code_from_the_mail_leads_back_to_the_app(running: Running) -> None:
    """By keyboard alone; a double click, the way back and a lost connection do no harm."""
    customer = generous()
    member(customer, LINUS)
    home = f"{running.url}/sign-in/{customer.slug}"
    complaints: list[str] = []
    with app(APP) as origin, browser.page(locale="en") as page:
        page.on("console", lambda message: complaints.append(message.text))
        client, _secret = factories.oauth_client(customer, redirect_uris=[f"{origin}/back"])
        page.goto(f"{home}?{urlencode(asked_by(client))}")
        expect(page.get_by_label("Email address")).to_be_focused()
        page.keyboard.type(LINUS)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Code")).to_be_focused()
        expect(
            page.get_by_role("button", name="Another code in")
        ).to_be_disabled()  # not for long: the mail may take longer
        code = running.mailbox.wait_for_code(LINUS)
        page.context.set_offline(True)
        page.evaluate(PASTE, f"Your code is {code[:3]} {code[3:]}.")
        assert page.get_by_label("Code").input_value() == code
        page.keyboard.press("Enter")
        assert "You are offline" in page.get_by_role("alert").inner_text()
        page.context.set_offline(False)
        page.get_by_role("button", name="Sign in").dblclick()
        page.wait_for_url(f"{origin}/back?**")
        given = parse_qs(urlsplit(page.url).query)
        assert given["state"] == ["a state of the app's"]
        assert given["code"]
        assert Session.objects.filter(delivery="hosted").count() == 1
        page.go_back()
        page.reload()  # where it leads: straight through once more, or a page that can be used
        assert Message.objects.filter(kind="sign_in_code").count() == 1
        page.goto(f"{home}?{urlencode(asked_by(client, prompt='none'))}")
        page.wait_for_url(f"{origin}/back?**")
        assert "code" in parse_qs(urlsplit(page.url).query)
        assert Session.objects.filter(ended_at=None).count() == 1
    assert not [text for text in complaints if "Content Security Policy" in text]


def it_works_without_scripts_and_in_two_tabs(running: Running) -> None:
    """Both tabs end where they should, although they share their cookies; a device is remembered and forgotten."""
    customer = generous(remember_device_days=30)
    totp = enrol_app(member(customer))
    home = f"{running.url}/sign-in/{customer.slug}"
    with browser.page(locale="en", java_script_enabled=False) as first:
        second = first.context.new_page()
        first.goto(home)
        assert not first.get_by_role("button", name="Sign in with a passkey").is_visible()
        give_address(first, EMAIL)
        second.goto(home)
        give_address(second, "grace@example.com")
        first.get_by_label("Code").fill(running.mailbox.wait_for_code(EMAIL))
        first.get_by_role("button", name="Sign in").click()
        second.get_by_label("Code").fill(running.mailbox.wait_for_code("grace@example.com"))
        second.get_by_role("button", name="Sign in").click()
        second.wait_for_url("**/account/**")
        first.get_by_label("Code").fill(totp.now())
        first.get_by_label("Do not ask for this here").check()
        first.get_by_role("button", name="Sign in").click()
        first.wait_for_url("**/account/**")
        assert Session.objects.of(customer.id).get(ended_at=None).user.email == EMAIL
        sign_out(first, running, customer.slug)
        by_password(first, home)
        first.wait_for_url("**/account/**")
        RememberedDevice.objects.all().delete()
        sign_out(first, running, customer.slug)
        by_password(first, home)
        first.get_by_role("heading", name="One more step").wait_for()


def passkeys_are_made_on_the_way_in_filled_in_and_asked_for(running: Running) -> None:
    """The one that the browser fills in does not stand in the way of the button, and options that are too old are renewed."""
    customer = generous(second_factor="required")
    member(customer, email_verified_at=None)
    home = f"{running.url}/sign-in/{customer.slug}"
    with browser.page(locale="en") as page:
        device = Device(page)
        by_password(page, home)
        scripts: list[Route] = []
        page.route("**/portal/passkey*.js", lambda script: scripts.append(script))  # noqa: PLW0108 (Playwright marks it)
        page.get_by_role("button", name="Passkey").click()
        make = page.get_by_role("button", name="Make a passkey")
        make.wait_for()
        assert make.is_disabled(), "what is pressed before the script is there would be lost"
        scripts.pop().continue_()
        page.unroute("**/portal/passkey*.js")
        make.click()
        page.get_by_role("heading", name="Your recovery codes").wait_for()
        expect(page.locator(".codes li")).to_have_count(10)
        page.get_by_role("button", name="I have kept them").click()
        page.wait_for_url("**/account/**")
        sign_out(page, running, customer.slug)
        page.goto(home)  # the device answers what the browser would fill in at once
        page.wait_for_url("**/account/**")
        assert newest_session() == ("hwk", "mfa")
        sign_out(page, running, customer.slug)
        page.add_init_script(NOTE_CEREMONIES)
        presses_itself(device, enabled=False)
        page.clock.install()
        page.goto(home)
        page.wait_for_function("() => ceremonies.includes('conditional')")
        before = page.evaluate("ceremonies.length")
        with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
            page.clock.fast_forward("05:00")  # what a passkey signs is good for five minutes
        page.wait_for_function("before => ceremonies.length > before", arg=before)
        presses_itself(device, enabled=True)  # for what is asked from now on
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/account/**")
        sign_out(page, running, customer.slug)
        device.session.send("WebAuthn.setUserVerified", {"authenticatorId": device.id, "isUserVerified": False})
        by_password(page, home)
        page.get_by_role("button", name="Use my passkey").click()
        assert "No passkey was used" in page.get_by_role("alert").inner_text()
        device.session.send("WebAuthn.setUserVerified", {"authenticatorId": device.id, "isUserVerified": True})
        page.get_by_role("button", name="Use my passkey").click()
        page.wait_for_url("**/account/**")
        assert newest_session() == ("pwd", "hwk", "mfa")


def presses_itself(device: Device, *, enabled: bool) -> None:
    """Whether the virtual device answers at once, or waits for somebody to touch it."""
    device.session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": device.id, "enabled": enabled})


def newest_session() -> tuple[str, ...]:
    return tuple(Session.objects.latest("created_at", "id").amr.split())


def give_address(page: Page, email: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Email me a code").click()


def by_password(page: Page, home: str) -> None:
    page.goto(f"{home}/password")
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page, running: Running, slug: str) -> None:
    page.goto(f"{running.url}/sign-out/{slug}")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
