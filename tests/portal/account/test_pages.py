"""Every page of the account: shown to its owner alone, safely, and only after a fresh proof where it needs one."""

import re
from urllib.parse import urlencode

import pytest

from apps.customers import lifecycle
from apps.factors.models import Passkey
from apps.portal import browser_session
from apps.portal.account.page import AccountPage
from apps.portal.account.urls import urlpatterns
from apps.tokens import sessions
from apps.tokens.models import EndReason, Session
from apps.users import lifecycle as lifecycle_of_users
from apps.users.models import User
from tests import factories
from tests.portal.account.visiting import Visitor, visitor
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)

# What a page shows only after a step before it, or only to a user who lacks something.
ELSEWHERE = {
    "prove": "",
    "authenticator-app/confirm": "authenticator-app",
    "phone/confirm": "phone",
    "phone/remove": "phone",
    "email/confirm": "email",
    "password/first": "password",
}


def pages_of(user: User) -> dict[str, type[AccountPage]]:
    """Each page by its path below the account's."""
    passkey = str(Passkey.objects.get(user=user).id)
    found = {str(pattern.pattern): pattern.callback.view_class for pattern in urlpatterns}
    return {path.replace("<uuid:passkey_id>", passkey): page for path, page in found.items()}


def furnished(slug: str = "acme") -> User:
    """A user with a factor of every kind that needs no SMS."""
    user = member(factories.customer(name="Acme <b>", slug=slug))
    enrol_app(user)
    Passkey.objects.create(
        customer=user.customer,
        user=user,
        name="Blue <i>key</i>",
        credential_id=slug,
        public_key=b"x",
        created_at=user.created_at,
    )
    return user


def test_each_page_is_shown_to_its_owner_and_to_nothing_else() -> None:
    """No script, style or picture of another origin; no frame; no copy in a cache; no address told to other sites."""
    user = furnished()
    ada = visitor(user)
    for page in ("", *pages_of(user)):
        shown = ada.get(page)
        elsewhere = ELSEWHERE.get(page)
        assert (shown.status, shown.place) == ((200, "") if elsewhere is None else (303, ada.place(elsewhere))), page
        policy = shown.response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert shown.response.headers["X-Frame-Options"] == "DENY"
        assert shown.response.headers["Cache-Control"] == "no-store"
        assert shown.response.headers["Referrer-Policy"] == "no-referrer"
        markup = shown.markup
        assert not re.search(r"(\sstyle=|\son\w+=|<style|<script>|javascript:)", markup), page
        assert "Acme <b>" not in markup
        assert "<i>key" not in markup


def test_nobody_else_sees_or_changes_anything() -> None:
    """C1.5. Not without a session, nor with another customer's, with one that is no browser's, or with one that has ended."""
    user = furnished()
    ended = factories.session(user, delivery="hosted")
    sessions.end_one(
        customer_id=user.customer_id,
        user_id=user.id,
        session_id=ended.session_id,
        reason=EndReason.OPERATOR,
        context=factories.context("system"),
    )
    elsewhere = factories.session(member(factories.customer()), delivery="hosted")
    strangers = [Visitor(user.customer) for _ in range(4)]
    for stranger, pair in zip(strangers[1:], (ended, elsewhere, factories.session(user)), strict=True):
        stranger.keep(pair)
    for stranger in strangers:
        for page in ("", *pages_of(user)):
            for answer in (stranger.get(page), stranger.post(page)):
                assert (answer.status, answer.place.partition("?")[0]) == (302, "/sign-in/acme"), page
    assert Session.objects.filter(user=user, ended_at=None).count() == 1


def test_a_form_of_another_site_changes_nothing() -> None:
    user = furnished()
    ada = visitor(user)
    for page in ("", *pages_of(user)):
        for origin in (
            "https://evil.example",
            "null",
            "",
            "http://auth.example.test",
            "https://auth.example.test.evil.example",
        ):
            ada.origin = origin
            assert ada.post(page).status == 403, (page, origin)
    ada.origin = ""
    assert ada.post("sessions/end-others", **{"Sec-Fetch-Site": "same-origin"}).status == 303
    assert Session.objects.filter(user=user, ended_at=None).count() == 1


def test_what_changes_credentials_asks_for_a_fresh_proof_first() -> None:
    """C3.10. A form that was open for too long does nothing, and is not sent on later by the proof."""
    user = furnished()
    ada = visitor(user, stale=True)
    needs_none = {
        "sessions",
        "sessions/end-others",
        "passkeys",
        "authenticator-app",
        "phone",
        "recovery-codes",
        "devices",
        "devices/forget-all",
        "name",
        "data",
    }
    asks_itself = {"prove", "password", "password/first"}
    for page, view in pages_of(user).items():
        if page in needs_none or page in asks_itself or page.endswith("/rename"):
            assert not view.needs_fresh_proof or page == "password/first", page
            continue
        shown = ada.get(page)
        assert shown.status == 303, page
        assert shown.place.startswith(f"{ada.place('prove')}?next="), page
        assert ada.post(page, {"email": user.email, "code": "123456"}).place.startswith(ada.place("prove")), page
    assert User.objects.filter(id=user.id).exists()
    assert Passkey.objects.filter(user=user).exists()


def test_a_suspended_customers_account_pages_say_so() -> None:
    """C1.8."""
    user = furnished()
    ada = visitor(user)
    lifecycle.suspend(user.customer, context=factories.context("system"))
    for answer in (ada.get(), ada.get("sessions"), ada.post("sessions/end-others")):
        assert answer.status == 403
        assert "suspended" in answer.text


def test_two_customers_in_one_browser_do_not_disturb_each_other() -> None:
    ada, bob = member(factories.customer(slug="one")), member(factories.customer(slug="two"), "bob@example.com")
    both = visitor(ada)
    both.browser.cookies[browser_session.cookie_name(bob.customer_id)] = factories.session(
        bob, delivery="hosted"
    ).refresh
    assert "ada@example.com" in both.get().text
    both.customer = bob.customer
    assert "bob@example.com" in both.get().text
    assert both.send("sessions/end-others").status == 200
    both.customer = ada.customer
    assert "ada@example.com" in both.get().text


def test_the_pages_speak_the_users_language_else_the_browsers() -> None:
    user = furnished()
    assert "Ihr Konto" in visitor(user, language="de").get().text
    assert "Your account" in visitor(user, language="fr").get().text
    lifecycle_of_users.change_profile(user, changes={"locale": "de-AT"}, context=factories.context())
    german = visitor(user, language="en").get("sessions")
    assert '<html lang="de">' in german.markup
    assert "dieser Browser" in german.text


def test_signing_in_leads_back_to_the_page_and_nowhere_else() -> None:
    """The page that was asked for before, also over several steps; never another site."""
    customer = generous(slug="acme")
    member(customer)
    asked = Visitor(customer).get("sessions")
    assert asked.place == "/sign-in/acme?next=sessions"
    for wanted, place in (("sessions", "/account/acme/sessions"), ("//evil.example", "/account/acme")):
        ada = Visitor(customer)
        query = urlencode({"next": wanted})
        entered = ada.browser.post(
            f"/sign-in/acme/password?{query}", {"email": EMAIL, "password": PASSWORD}, headers={"Origin": ada.origin}
        )
        assert (entered.status_code, entered.headers["Location"]) == (303, place)
        assert ada.get("sessions").status == 200


def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out() -> None:
    """C3.4."""
    user = furnished()
    ada, thief = visitor(user), Visitor(user.customer)
    thief.browser.cookies = ada.browser.cookies.copy()  # type: ignore[assignment]
    assert thief.get("sessions").status == 200
    form = ada.get().markup.partition('<form method="post" action="/sign-out/')[2]
    assert form.startswith("acme")
    assert ada.browser.post("/sign-out/acme", headers={"Origin": ada.origin}).status_code == 200
    assert thief.get("sessions").place.startswith("/sign-in/acme")
    assert ada.get().place == "/sign-in/acme"
