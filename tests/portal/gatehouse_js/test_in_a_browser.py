"""The module in headless Chromium, against the running service: every way in, the mail read from the mailbox, and what follows."""

from contextlib import ExitStack
from typing import Any

import pyotp
import pytest
from django.utils import timezone

from apps.customers.models import Customer
from apps.tokens.models import Session
from tests import factories
from tests.journeys.test_passkeys_in_a_browser import Device
from tests.portal.gatehouse_js.app import Browser, Tab, app_in_a_browser
from tests.running import Running
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, member
from tests.signin.proving import old_session

pytestmark = pytest.mark.django_db(transaction=True)

SIGNED_OUT = [{"user": None, "verified": True}]
NOTE_CEREMONIES = """
  const real = navigator.credentials.get.bind(navigator.credentials)
  navigator.credentials.get = (options) => { window.ceremony = options.mediation; return real(options) }
"""
LOGIN = "return g.login(given[0], given[1])"


def sign_in_by_code(tab: Tab, running: Running, address: str) -> dict[str, Any]:
    assert tab.run("return g.requestCode(given)", address)["expires_in"] == 600
    code = running.mailbox.wait_for_code(address)
    signed_in: dict[str, Any] = tab.run("return g.verifyCode(given[0], given[1])", [address, code])
    return signed_in


def test_every_way_in_and_what_follows(running: Running) -> None:
    """Each for a customer of its own, and with one service: it takes seconds to start. It remembers for seconds which origins there are."""
    with ExitStack() as apps:
        places = [apps.enter_context(app_in_a_browser(running)) for _ in range(4)]
        a_user_signs_in_by_code_works_and_signs_out_in_every_tab(*places[0], running, "body")
        a_user_signs_in_by_code_works_and_signs_out_in_every_tab(*places[1], running, "cookie")
        a_password_a_second_factor_and_a_fresh_proof(*places[2])
        passkeys_are_enrolled_managed_offered_and_stand_as_second_factors(*places[3])


def a_user_signs_in_by_code_works_and_signs_out_in_every_tab(
    app: Browser, customer: Customer, running: Running, delivery: str
) -> None:
    address = f"{delivery}@example.com"
    first, second = app.tab(delivery=delivery), app.tab(delivery=delivery)
    assert second.restore() == SIGNED_OUT

    signed_in = sign_in_by_code(first, running, address)
    assert sorted(signed_in) == ["user"]  # no token and no key
    assert signed_in["user"]["is_new"] is True
    assert [name for name, _ in first.told()] == ["user", "signed-in"]

    assert second.wait_until_told("signed-in")["here"] is False
    claimed, known = second.restore()
    assert (claimed["verified"], known["verified"]) == (False, True)
    assert sorted(claimed["user"]) == ["customer_id", "email", "id", "name"]  # no rights to decide by
    assert (claimed["user"]["email"], known["user"]["role"]) == (address, "company_user")

    renamed = second.run("return g.fetch('/api/auth/me', {method: 'PATCH', json: {name: 'Zoë 🦉'}})")
    assert renamed["name"] == "Zoë 🦉"
    assert first.run("return g.fetch('/api/auth/me')")["name"] == "Zoë 🦉"
    refused = first.fails("return g.updateProfile({name: 'x'.repeat(300)})")
    assert (refused["status"], refused["type"], list(refused["fields"])) == (400, "validation_error", ["name"])
    assert refused["ours"] is True
    assert refused["requestId"]

    other = factories.session(Session.objects.of(customer.id).get().user)
    assert len(first.run("return g.sessions.list()")["results"]) == 2
    first.run("return g.sessions.end(given)", str(other.session_id))
    assert first.run("return g.sessions.endOthers()")["ended"] == 0

    content = (
        "const { id } = await g.upload(new File(['%PDF-1.7', given], 'x.pdf')); return (await g.download(id)).text()"
    )
    assert first.run(content, "Ada") == "%PDF-1.7Ada"

    second.told()
    first.run("return g.logout()")
    assert second.wait_until_told("signed-out") == {"reason": "elsewhere", "here": False}
    assert second.fails("return g.fetch('/api/auth/me')")["type"] == "not_signed_in"
    assert second.open().restore() == SIGNED_OUT
    assert not Session.objects.of(customer.id).alive(timezone.now()).exists()


def a_password_a_second_factor_and_a_fresh_proof(app: Browser, customer: Customer) -> None:
    user = member(customer)
    totp = enrol_app(user)
    tab = app.tab(stepsUp=True)
    wrong = tab.fails("return g.login(given, 'another horse altogether')", EMAIL)
    assert (wrong["status"], wrong["type"], wrong["ours"]) == (401, "invalid_credentials", True)

    challenge = tab.run(LOGIN, [EMAIL, PASSWORD])
    assert (challenge["requires_2fa"], challenge["methods"][0]) == (True, "totp")
    given = {"session_token": challenge["session_token"], "method": "totp", "code": totp.now()}
    assert tab.run("return g.secondFactor.verify(given)", given)["user"]["id"] == str(user.id)

    stale = old_session(member(customer, "eve@example.com"))
    tab.store(stale)
    assert tab.fails("return g.factors.beginApp()")["type"] == "session_changed"  # begun for Ada, never done for Eve
    tab.run("window.asked = []; window.stepUp = ({maxAge}) => { asked.push(maxAge); throw new Error('no') }")
    assert tab.fails("return g.factors.beginApp()")["message"] == "no"
    tab.run(
        "window.stepUp = async () => { asked.push('x'); await g.reauthenticate({method: 'password', password: given}) }".replace(
            "given", f"'{PASSWORD}'"
        )
    )
    begun = tab.run("return (await Promise.all([g.factors.beginApp(), g.factors.list()]))[0]")
    confirmed = tab.run("return g.factors.confirmApp(given)", pyotp.TOTP(begun["secret"]).now())
    assert len(confirmed["recovery_codes"]) == 10
    assert tab.run("return asked") == [600, "x"]


def passkeys_are_enrolled_managed_offered_and_stand_as_second_factors(app: Browser, customer: Customer) -> None:
    user = member(customer)
    tab = app.tab()
    device = Device(tab.page)
    tab.store(factories.session(user))
    made = tab.run("return g.passkeys.enrol('Laptop')")
    assert (made["name"], len(made["recovery_codes"])) == ("Laptop", 10)
    assert tab.run("return g.passkeys.rename(given, 'Phone')", made["id"])["name"] == "Phone"
    assert [one["name"] for one in tab.run("return g.passkeys.list()")] == ["Phone"]
    tab.run("return g.logout()")

    assert tab.run("return g.signInWithPasskey()")["user"]["id"] == str(user.id)
    tab.run("return g.logout()")

    challenge = tab.run(LOGIN, [EMAIL, PASSWORD])
    assert challenge["methods"][0] == "passkey"
    given = {"session_token": challenge["session_token"], "method": "passkey"}
    assert tab.run("return g.secondFactor.verify(given)", given)["user"]["id"] == str(user.id)
    tab.run("return g.logout()")

    # While nobody touches the device, the offer in the form's field waits. It makes way for another ceremony.
    tab.run(NOTE_CEREMONIES)
    device.set_presence(simulated=False)
    assert tab.run("return g.passkeys.canAutofill()") is True
    tab.run("window.offer = g.signInWithPasskeyFromAutofill().then((found) => [found])")
    tab.page.wait_for_function("window.ceremony === 'conditional'")
    device.set_presence(simulated=True)
    assert tab.run("return g.signInWithPasskey()")["user"]["id"] == str(user.id)
    assert tab.run("return offer") == [None]
    tab.run("return g.logout()")

    assert tab.run("return g.signInWithPasskeyFromAutofill()")["user"]["id"] == str(user.id)
    device.set_presence(simulated=False)
    tab.run("window.ceremony = null; window.stop = new AbortController()")
    tab.run("window.offer = g.signInWithPasskeyFromAutofill({signal: stop.signal}).then((found) => [found])")
    tab.page.wait_for_function("window.ceremony === 'conditional'")
    tab.run("stop.abort()")
    assert tab.run("return offer") == [None]

    tab.store(factories.session(user))
    tab.run("return g.passkeys.remove(given)", made["id"])
    assert tab.run("return g.passkeys.list()") == []
