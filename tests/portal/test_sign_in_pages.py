"""The hosted sign-in, step by step: every way in, and what is said when one is closed."""

import pytest

from apps.tokens.models import Session
from tests import factories
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
