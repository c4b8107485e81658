"""The hosted sign-in, step by step: every way in, what is said when one is closed, and what can be done twice without harm."""

import gzip
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client as Browser
from django.utils import timezone

from apps.factors.models import RecoveryCode
from apps.mail.models import Message
from apps.signin.models import Challenge, RememberedDevice
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.otp.reading import wrong_code
from tests.portal.visiting import Visitor, asked_by, mailed_code
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_code_signs_in_and_leads_to_the_account() -> None:
    customer = generous()
    visitor = Visitor(customer).enter_code(EMAIL)
    assert visitor.sent_to == f"/account/{customer.slug}"
    session = Session.objects.get()
    assert (session.delivery, session.user.email) == ("hosted", EMAIL)
    assert visitor.open().sent_to == f"/account/{customer.slug}"  # signed in here: straight through


def test_an_app_gets_a_code_for_the_user_who_signs_in() -> None:
    customer = generous()
    client, _secret = factories.oauth_client(customer)
    visitor = Visitor(customer)
    visitor.open(**asked_by(client)).enter_code(EMAIL)
    assert visitor.sent_to.startswith(client.redirect_uris[0])
    assert visitor.given_back["state"] == "a state of the app's"
    assert visitor.given_back["iss"]
    assert visitor.given_back["code"]


def test_a_password_then_an_authenticator_app() -> None:
    customer = generous()
    app = enrol_app(member(customer))
    visitor = Visitor(customer).open().press("Use my password", email=EMAIL)
    assert visitor.page.form_with("Sign in")[0].fields["email"] == EMAIL
    visitor.press("Sign in", password=PASSWORD)
    assert visitor.page.heading == "One more step"
    visitor.press("Sign in", code="000000")
    assert "This code is not valid" in visitor.text
    visitor.press("Sign in", code=app.now())
    assert visitor.sent_to == f"/account/{customer.slug}"


def test_registering_then_confirming_then_signing_in() -> None:
    customer = generous()
    visitor = Visitor(customer).open().follow("Make one")
    visitor.press("Make the account", email=EMAIL, password=PASSWORD, name="Ada")
    assert visitor.page.heading == "Confirm your address"
    visitor.press("Confirm", code=mailed_code())
    assert "Your address is confirmed" in visitor.text
    visitor.press("Sign in", password=PASSWORD)
    assert visitor.sent_to == f"/account/{customer.slug}"


def test_every_page_is_strict_and_kept_by_nobody() -> None:
    customer = generous()
    enrol_app(member(customer))
    visitor = Visitor(customer)
    answers = [visitor.open().answer]
    answers.append(visitor.press("Use my password", email=EMAIL).answer)
    answers.append(visitor.press("Sign in", password=PASSWORD).answer)
    answers.append(visitor.press("Sign in", code="000000").answer)
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert not re.search(
            r"(\sstyle=|\son[a-z]+=|<style|<script(?! type=\"module\" src=\"/static/))", answer.content.decode()
        )


@pytest.mark.parametrize(
    "step",
    ["", "/code", "/password", "/passkey", "/second-factor", "/enrol", "/register", "/verify-email", "/continue"],
)
def test_no_other_site_can_send_a_form(step: str) -> None:
    """Login CSRF: a stranger must not sign people in, as themselves or otherwise."""
    customer = generous()
    place = f"/sign-in/{customer.slug}{step}"
    fields = {"email": EMAIL, "password": PASSWORD, "way": "code", "name": ""}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}):
        refused = Browser().post(place, fields, headers=headers)
        assert (refused.status_code, "Open the page itself" in refused.content.decode()) == (403, True)
    assert not Message.objects.exists()
    assert Browser().post(place, fields, headers={"Origin": django_settings.PUBLIC_URL}).status_code != 403


@pytest.mark.parametrize("step", ["/code", "/passkey", "/second-factor", "/enrol", "/verify-email", "/continue"])
def test_a_step_that_is_opened_by_itself_begins_at_the_beginning(step: str) -> None:
    """A bookmark, or a page left open until everything has expired, is no dead end."""
    customer = generous()
    visitor = Visitor(customer).open(f"/sign-in/{customer.slug}{step}")
    assert (visitor.answer.status_code, visitor.page.heading) == (200, "Sign in")


def test_pages_can_be_loaded_anew_and_nothing_is_sent_twice() -> None:
    """Phones drop a page while its user reads the mail."""
    customer = generous()
    app = enrol_app(member(customer))
    visitor = Visitor(customer).open().press("Email me a code", email=EMAIL)
    assert visitor.open(f"/sign-in/{customer.slug}/code").page.heading == "Enter the code"
    assert EMAIL in visitor.text
    assert Message.objects.filter(kind="sign_in_code").count() == 1
    visitor.press("Sign in", code=mailed_code())
    assert visitor.page.heading == "One more step"
    assert visitor.open(f"/sign-in/{customer.slug}/second-factor").page.heading == "One more step"
    assert Challenge.objects.get().wrong == 0
    assert visitor.press("Sign in", code=app.now()).sent_to == f"/account/{customer.slug}"


def test_asking_twice_is_no_fault_and_says_how_long_to_wait() -> None:
    customer = generous(code_resend_after=600)  # however slow the machine is
    visitor = Visitor(customer).open().press("Email me a code", email=EMAIL)
    wait = visitor.page.form_with("Send another code")[1]["data-wait"]
    assert 0 < int(wait) <= customer.code_resend_after + 1
    again = Visitor(customer).open().press("Email me a code", email=EMAIL)
    assert again.page.heading == "Enter the code"
    assert Message.objects.count() == 1
    factories.policy(customer, code_resend_after=0)
    visitor.press("Send another code")
    assert Message.objects.count() == 2
    assert visitor.press("Sign in", code=mailed_code()).sent_to


def test_a_form_that_comes_twice_ends_where_the_first_did() -> None:
    customer = generous()
    visitor = Visitor(customer).open().press("Email me a code", email=EMAIL)
    form, code = visitor.page.form_with("Sign in")[0], mailed_code()
    for _ in range(2):
        assert visitor.send(form.action, {**form.fields, "code": code}).sent_to == f"/account/{customer.slug}"
    assert Session.objects.count() == 1


@pytest.mark.parametrize("typed", ["{0} {1}", " {0}-{1} ", "\u200b{0}\u00a0{1}", "{0}\t{1}"])
def test_a_code_counts_however_it_is_pasted(typed: str) -> None:
    customer = generous()
    visitor = Visitor(customer).open().press("Email me a code", email=EMAIL)
    code = mailed_code()
    visitor.press("Sign in", code=typed.format(code[:3], code[3:]))
    assert visitor.sent_to == f"/account/{customer.slug}"


def test_a_code_field_is_what_phones_and_password_managers_look_for() -> None:
    digits, letters = generous(), generous(code_alphabet="letters", code_length=8)
    field = Visitor(digits).open().press("Email me a code", email=EMAIL).page.form_with("Sign in")[0].attributes["code"]
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
    assert int(field["maxlength"]) >= 20  # a pasted code with spaces is not cut
    field = (
        Visitor(letters).open().press("Email me a code", email=EMAIL).page.form_with("Sign in")[0].attributes["code"]
    )
    assert field["inputmode"] == "text"
    start = Visitor(digits).open()
    assert start.page.forms[0].attributes["email"]["autocomplete"] == "username webauthn"
    form = start.press("Use my password", email=EMAIL).page.form_with("Sign in")[0]
    assert (form.attributes["email"]["autocomplete"], form.attributes["password"]["autocomplete"]) == (
        "username",
        "current-password",
    )
    form = start.open().follow("Make one").page.form_with("Make the account")[0]
    assert (form.attributes["email"]["autocomplete"], form.attributes["password"]["autocomplete"]) == (
        "username",
        "new-password",
    )


def test_too_many_tries_are_refused_with_when_to_come_back() -> None:
    customer = factories.customer()
    factories.limit(customer, "tries_per_email_and_ip", 1, window=600)
    visitor = Visitor(customer).open().press("Email me a code", email=EMAIL)
    wrong = wrong_code(mailed_code())
    assert visitor.press("Sign in", code=wrong).answer.status_code == 400
    visitor.press("Sign in", code=wrong)
    assert (visitor.answer.status_code, int(visitor.answer.headers["Retry-After"]) > 0) == (429, True)
    assert re.search(r"Try again in (10|9) minutes\.", visitor.text)
    factories.limit(customer, "codes_per_ip", 1, window=59)
    for email in ("grace@example.com", "linus@example.com"):  # the first may have come long after that code
        visitor.open().press("Email me a code", email=email)
    assert re.search(r"Try again in \d+ seconds?\.", visitor.text)


def test_each_fault_is_said_at_its_field_and_has_the_focus() -> None:
    customer = generous()
    visitor = Visitor(customer).open().press("Email me a code", email="nobody@")
    field = visitor.page.forms[0].attributes["email"]
    assert (field["aria-invalid"], field["aria-describedby"], "autofocus" in field) == ("true", "id_email_error", True)
    assert 'id="id_email_error"' in visitor.html
    assert "<title>Error: Sign in" in visitor.html
    visitor.open().press("Use my password", email=EMAIL).press("Sign in", password="no")
    assert (visitor.answer.status_code, 'role="alert"' in visitor.html) == (401, True)
    assert "no" not in visitor.page.form_with("Sign in")[0].fields["password"]
    visitor.open().press("Email me a code", email=EMAIL).press("Sign in", code="what?")
    assert "Enter the code as it was given to you." in visitor.text


def test_what_cannot_be_sent_is_said_and_the_other_ways_stay(valkey_away: object) -> None:
    customer = generous()
    valkey_away.kill()  # type: ignore[attr-defined]
    visitor = Visitor(customer).open()
    assert (visitor.answer.status_code, visitor.page.heading) == (200, "Sign in")
    visitor.press("Email me a code", email=EMAIL)
    assert visitor.answer.status_code == 503
    assert "Please try again in a moment." in visitor.text
    assert visitor.page.form_with("Use my password")


def test_an_exhausted_quota_is_said() -> None:
    visitor = Visitor(generous(daily_code_quota=0)).open().press("Email me a code", email=EMAIL)
    assert (visitor.answer.status_code, "No more codes can be sent right now." in visitor.text) == (429, True)


def test_what_a_customer_does_not_allow_is_not_there() -> None:
    customer = generous(allows_registration=False)
    visitor = Visitor(customer).open()
    assert "Make one" not in visitor.page.links
    visitor.open(f"/sign-in/{customer.slug}/register")
    assert visitor.answer.status_code == 403
    form = {"email": EMAIL, "password": PASSWORD}
    assert visitor.send(f"/sign-in/{customer.slug}/register", form).answer.status_code == 403
    assert not User.objects.exists()


def test_a_challenge_that_is_over_leads_back_to_the_beginning() -> None:
    customer = generous()
    enrol_app(member(customer))
    visitor = Visitor(customer).open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    for _ in range(5):
        visitor.press("Sign in", code="000000")
    assert visitor.page.heading == "Please begin again"
    assert visitor.follow("Sign in again").page.heading == "Sign in"
    visitor.press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    Challenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert visitor.press("Sign in", code="000000").page.heading == "Please begin again"


def test_another_customers_challenge_is_worth_nothing_here() -> None:
    """C1.5: not even that of an owner, who may sign in at a customer of their own where no page names one."""
    customer, other = generous(), generous()
    app = enrol_app(member(customer, is_owner=True))
    visitor = Visitor(customer).open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    fields = {**visitor.page.form_with("Sign in")[0].fields, "do": "verify", "code": app.now()}
    stranger = Visitor(other).send(f"/sign-in/{other.slug}/second-factor", fields)
    assert stranger.page.heading == "Please begin again"
    assert not Session.objects.exists()


def test_every_second_factor_is_offered_and_can_be_chosen() -> None:
    customer = generous()
    user = member(customer)
    enrol_app(user)
    visitor = Visitor(customer).open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    visitor.press("Code by email").press("Send me a code")
    assert visitor.page.form_with("Send another code")[1]["data-wait"] != "0"
    visitor.press("Recovery code")
    assert visitor.page.form_with("Sign in")[0].attributes["code"]["inputmode"] == "text"
    visitor.press("Code by email").press("Send me a code").press("Sign in", code=mailed_code())
    assert visitor.sent_to == f"/account/{customer.slug}"
    assert RecoveryCode.objects.filter(user=user, used_at=None).count() == 10


def test_a_browser_is_remembered_where_its_user_wants_it() -> None:
    customer = generous(remember_device_days=30)
    app = enrol_app(member(customer))
    visitor = Visitor(customer).open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    visitor.press("Sign in", code=app.now(), remember="1")
    [cookie] = [morsel for name, morsel in visitor.answer.cookies.items() if "device" in name]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert cookie["max-age"] == 30 * 24 * 3600
    signed_out(visitor).press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    assert visitor.sent_to == f"/account/{customer.slug}"
    forged = cookie.value.rpartition(":")[0] + ":forged"
    visitor.browser.cookies[cookie.key] = forged
    signed_out(visitor).press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    assert visitor.page.heading == "One more step"
    visitor.browser.cookies[cookie.key] = cookie.value
    RememberedDevice.objects.all().delete()
    visitor.open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    assert visitor.page.heading == "One more step"
    assert "Do not ask" not in Visitor(generous()).open().text


def signed_out(visitor: Visitor) -> Visitor:
    slug = visitor.customer.slug
    visitor.open(f"/sign-out/{slug}").press("Sign out")
    assert visitor.page.heading == "You are signed out"
    return visitor.open()


def test_signing_out_asks_first_and_ends_the_session() -> None:
    customer = generous()
    visitor = Visitor(customer).enter_code(EMAIL)
    visitor.open(f"/sign-out/{customer.slug}")
    assert EMAIL in visitor.text
    assert Session.objects.filter(ended_at=None).exists()
    refused = visitor.browser.post(f"/sign-out/{customer.slug}", headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    visitor.press("Sign out")
    assert not Session.objects.filter(ended_at=None).exists()
    assert visitor.open().page.heading == "Sign in"


def test_an_app_that_signs_its_user_out_gets_the_user_back() -> None:
    customer, other = generous(), generous()
    back = "https://shop.example/bye"
    client, _secret = factories.oauth_client(customer, post_logout_redirect_uris=[back])
    asked = {"client_id": client.client_id, "post_logout_redirect_uri": back, "state": "s"}
    visitor = Visitor(customer).enter_code(EMAIL)
    visitor.open(f"/sign-out/{customer.slug}", **asked)
    assert visitor.page.heading == "Sign out?"
    assert "form-action 'self' https:" in visitor.answer.headers["Content-Security-Policy"]
    assert visitor.press("Sign out").sent_to == f"{back}?state=s"
    assert not Session.objects.filter(ended_at=None).exists()
    assert visitor.open(f"/sign-out/{customer.slug}", **asked).sent_to == f"{back}?state=s"  # nothing is left to ask
    evil = {**asked, "post_logout_redirect_uri": "https://evil.example/"}
    assert visitor.open(f"/sign-out/{customer.slug}", **evil).answer.status_code == 400
    assert visitor.open(f"/sign-out/{other.slug}", **asked).answer.status_code == 400


def test_names_of_every_length_and_direction_are_shown_whole() -> None:
    name = "\u05e9\u05d9\u05e8\u05d5\u05ea " + "very long name of a customer " * 5 + "<b>"
    visitor = Visitor(generous(name=name.strip())).open()
    assert "&lt;b&gt;" in visitor.html
    assert '<p class="brand" dir="auto">' in visitor.html


def test_the_page_is_small_and_can_be_used_without_its_scripts() -> None:
    """Under 60 KiB with all that it loads; and nothing that it needs is found only by a script or another file."""
    visitor = Visitor(generous(), **{"Accept-Encoding": "gzip"}).open()
    loaded = re.findall(r'(?:href|src)="(/(?:static|brand)/[^"]+)"', visitor.html)
    assert len(loaded) >= 4
    root = Path("apps/portal/static")
    texts = [visitor.html.encode()]
    for address in {*loaded, "/static/portal/webauthn.js"}:
        path = root / address.removeprefix("/static/")
        texts.append(path.read_bytes() if path.exists() else visitor.browser.get(address).content)
    assert sum(len(gzip.compress(text)) for text in texts) < 60 * 1024
    assert all(
        'type="module"' in tag for tag in re.findall(r"<script[^>]*>", visitor.html)
    )  # they never delay the page
    styles = "".join(path.read_text() for path in root.rglob("portal/*.css"))
    assert "@import" not in styles
    assert "url(" not in styles
