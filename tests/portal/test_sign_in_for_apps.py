"""An app sends somebody to sign in: what it may ask for, and what comes back (contract 4, hosted sign-in)."""

from datetime import timedelta
from urllib.parse import urlencode

import pyotp
import pytest
from django.utils import timezone

from apps.customers import lifecycle as customers
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.portal import browser_session
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.portal.visiting import FROM_OUR_PAGE, Visitor, asked_by, mailed_code
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client() -> RegisteredClient:
    customer = generous()
    member(customer)
    return factories.oauth_client(customer, name="Acme Shop")[0]


def signed_in(client: RegisteredClient) -> Visitor:
    """Somebody who is signed in at the customer, and not for any app."""
    return Visitor(client.customer).enter_code(EMAIL)


def signed_in_an_hour_ago(client: RegisteredClient) -> Visitor:
    visitor, an_hour_ago = Visitor(client.customer), timezone.now() - timedelta(hours=1)
    pair = factories.session(User.objects.get(), delivery="hosted", now=an_hour_ago)
    visitor.browser.cookies[browser_session.cookie_name(client.customer.id)] = pair.refresh
    return visitor


def test_who_is_signed_in_goes_straight_through(client: RegisteredClient) -> None:
    visitor = signed_in(client)
    first = visitor.open(**asked_by(client)).given_back["code"]
    assert visitor.open(**asked_by(client)).given_back["code"] != first
    assert Session.objects.count() == 1
    assert AuthorizationCode.objects.filter(hosted_session=Session.objects.get()).count() == 2


def test_a_silent_request_shows_no_page(client: RegisteredClient) -> None:
    """`prompt=none`."""
    back = Visitor(client.customer).open(**asked_by(client, prompt="none")).given_back
    assert (back["error"], back["state"]) == ("login_required", "a state of the app's")
    assert back["iss"]
    visitor = signed_in(client)
    assert "code" in visitor.open(**asked_by(client, prompt="none")).given_back
    visitor = signed_in_an_hour_ago(client)
    assert visitor.open(**asked_by(client, prompt="none", max_age="60")).given_back["error"] == "login_required"
    User.objects.update(status="pending")
    assert signed_in_an_hour_ago(client).open(**asked_by(client, prompt="none")).given_back["error"] == "access_denied"


def test_an_app_can_ask_for_another_sign_in(client: RegisteredClient) -> None:
    """`prompt=login`: once, and not again after it. The session from before makes way."""
    visitor = signed_in(client)
    visitor.open(**asked_by(client, prompt="login"))
    assert visitor.page.heading == "Sign in"
    assert visitor.page.forms[0].fields["email"] == EMAIL  # who is here is expected
    visitor.press("Use my password").press("Sign in", password=PASSWORD)
    assert "code" in visitor.given_back
    assert Session.objects.filter(ended_at=None).count() == 1
    assert visitor.open(**asked_by(client, prompt="login")).page.heading == "Sign in"


def test_an_old_proof_is_renewed_where_the_app_wants_it(client: RegisteredClient) -> None:
    """`max_age`."""
    visitor = signed_in(client)
    assert "code" in visitor.open(**asked_by(client, max_age="3600")).given_back
    assert signed_in_an_hour_ago(client).open(**asked_by(client, max_age="3599")).page.heading == "Sign in"


def test_an_account_is_chosen_where_the_app_wants_it(client: RegisteredClient) -> None:
    """`prompt=select_account`."""
    query = asked_by(client, prompt="select_account")
    assert Visitor(client.customer).open(**query).page.heading == "Sign in"
    visitor = signed_in(client).open(**query)
    assert visitor.page.heading == "Choose an account"
    assert "code" in visitor.press(f"Continue as {EMAIL}").given_back
    visitor.open(**query).press("Use another account")
    visitor.press("Email me a code", email="grace@example.com").press("Sign in", code=mailed_code())
    assert "code" in visitor.given_back
    assert Session.objects.get(ended_at=None).user.email == "grace@example.com"


def test_going_on_without_signing_in_again_is_only_for_who_has_just_done_it(client: RegisteredClient) -> None:
    """The attack: a form of one's own to `continue`, around `prompt=login`."""
    visitor = signed_in(client)
    place = f"/sign-in/{client.customer.slug}/continue?{urlencode(asked_by(client, prompt='login'))}"
    for arrival in ("", "x", "x:y:z"):
        assert visitor.send(place, {"arrival": arrival}).page.heading == "Sign in"
    assert not AuthorizationCode.objects.exists()


def test_recovery_codes_are_seen_before_the_app_is_gone_back_to(client: RegisteredClient) -> None:
    """A factor that is demanded is enrolled on the way in, even for `prompt=login`, which does not ask again after that."""

    factories.policy(client.customer, second_factor="required")
    User.objects.update(email_verified_at=None)
    visitor = Visitor(client.customer).open(**asked_by(client, prompt="login"))
    visitor.press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    assert visitor.page.heading == "Protect your account"
    visitor.press("Authenticator app")
    key = visitor.html.partition('<code translate="no">')[2].partition("</code>")[0].replace(" ", "")
    visitor.press("Confirm", code="000000")
    assert key[:4] in visitor.html  # the app has this key by now
    visitor.press("Confirm", code=pyotp.TOTP(key).now())
    assert visitor.page.heading == "Your recovery codes"
    assert visitor.html.count("<li><code>") == 10
    assert not AuthorizationCode.objects.exists()
    assert "code" in visitor.press("I have kept them: go on").given_back


def test_a_user_who_waits_is_told_what_for_and_can_go_back(client: RegisteredClient) -> None:
    factories.policy(client.customer, demands_approval=True)
    User.objects.update(status="pending")
    visitor = Visitor(client.customer).open(**asked_by(client)).enter_code(EMAIL)
    assert visitor.page.heading == "Your account is not ready yet"
    assert "has to approve it" in visitor.text
    assert "error=access_denied" in visitor.page.links["Back to Acme Shop"]
    assert not AuthorizationCode.objects.exists()


def test_a_user_whose_address_is_unproven_can_prove_it_there(client: RegisteredClient) -> None:
    User.objects.update(status="pending", email_verified_at=None)
    visitor = Visitor(client.customer).open(**asked_by(client)).press("Use my password", email=EMAIL)
    visitor.press("Sign in", password=PASSWORD)
    assert visitor.page.heading == "Your account is not ready yet"
    visitor.press("Email me a code").press("Sign in", code=mailed_code())
    assert "code" in visitor.given_back


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "00000000-0000-7000-8000-000000000000"},
        {"client_id": "x"},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": ""},
    ],
)
def test_nobody_is_sent_to_an_address_that_cannot_be_trusted(client: RegisteredClient, change: dict[str, str]) -> None:
    for visitor in (Visitor(client.customer), signed_in(client)):
        visitor.open(**{**asked_by(client), **change})
        assert (visitor.answer.status_code, "Location" in visitor.answer.headers) == (400, False)
        assert "made a request that we cannot answer" in visitor.text
        refused = visitor.browser.post(visitor.place, {"way": "code", "email": EMAIL}, headers=FROM_OUR_PAGE)
        assert refused.status_code == 400


def test_another_customers_app_is_nobodys_here(client: RegisteredClient) -> None:
    """C1.5."""
    assert Visitor(generous()).open(**asked_by(client)).answer.status_code == 400


@pytest.mark.parametrize("change", [{"code_challenge": ""}, {"response_type": "token"}, {"prompt": "none login"}])
def test_what_else_is_wrong_is_told_to_the_app(client: RegisteredClient, change: dict[str, str]) -> None:
    assert "error" in Visitor(client.customer).open(**{**asked_by(client), **change}).given_back


def test_the_hint_fills_in_the_address_as_it_is(client: RegisteredClient) -> None:
    """A plus stays a plus, through every step."""
    email = "ada+shop@example.com"
    visitor = Visitor(client.customer).open(**asked_by(client, login_hint=email))
    assert visitor.page.forms[0].fields["email"] == email
    visitor.press("Email me a code")
    assert email in visitor.text
    visitor.press("Sign in", code=mailed_code())
    assert "code" in visitor.given_back
    assert User.objects.filter(email=email).exists()


def test_the_page_speaks_the_language_that_the_app_asks_for(client: RegisteredClient) -> None:
    visitor = Visitor(client.customer).open(**asked_by(client, ui_locales="fr de-CH en"))
    assert '<html lang="de">' in visitor.html
    visitor.press("Code per E-Mail senden", email=EMAIL)
    assert visitor.page.heading == "Code eingeben"
    assert Visitor(client.customer, language="de").open().page.heading == "Anmelden"
    factories.policy(client.customer, default_locale="de")
    assert Visitor(client.customer, language="fr").open().page.heading == "Anmelden"


def test_an_app_can_lead_to_registration(client: RegisteredClient) -> None:
    """`prompt=create`."""
    assert Visitor(client.customer).open(**asked_by(client, prompt="create")).page.heading == "Make an account"
    factories.policy(client.customer, allows_registration=False)
    assert Visitor(client.customer).open(**asked_by(client, prompt="create")).page.heading == "Sign in"


def test_a_form_may_lead_to_the_app_and_nowhere_insecure(client: RegisteredClient) -> None:
    """Chromium applies `form-action` to every redirect after a form, also to the app's own to another of its hosts."""

    def form_action(of: RegisteredClient | None) -> str:
        visitor = Visitor(client.customer).open(**(asked_by(of) if of else {}))
        policy = dict(
            part.strip().split(" ", 1) for part in visitor.answer.headers["Content-Security-Policy"].split(";")
        )
        return policy["form-action"]

    native, _secret = factories.oauth_client(client.customer, redirect_uris=["com.example.app:/back"])
    local, _secret = factories.oauth_client(client.customer, redirect_uris=["http://127.0.0.1/back"])
    assert form_action(None) == "'self'"
    assert form_action(client) == "'self' https:"
    assert form_action(native) == "'self' com.example.app:"
    assert form_action(local) == "'self' http://127.0.0.1"


def test_a_native_apps_scheme_is_gone_to(client: RegisteredClient) -> None:
    native, _secret = factories.oauth_client(client.customer, redirect_uris=["com.example.app:/back"])
    assert signed_in(client).open(**asked_by(native)).sent_to.startswith("com.example.app:/back?code=")


def test_a_suspended_customers_app_gets_nobody(client: RegisteredClient) -> None:
    """C1.8."""
    visitor = signed_in(client)
    customers.suspend(client.customer, context=factories.context("system"))
    assert visitor.open(**asked_by(client)).answer.status_code == 403
    assert not AuthorizationCode.objects.exists()


def test_the_second_step_keeps_what_the_app_has_asked_for(client: RegisteredClient) -> None:
    app = enrol_app(User.objects.get())
    visitor = Visitor(client.customer).open(**asked_by(client))
    visitor.press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD).press("Sign in", code=app.now())
    assert visitor.given_back["state"] == "a state of the app's"
