"""Attacks on the hosted pages: by somebody with a borrowed browser, or with forms that no page of ours has sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.customers.models import Customer
from apps.factors.models import Totp
from apps.signin.models import RememberedDevice
from apps.tokens.models import Session
from tests import factories
from tests.portal.visiting import FROM_OUR_PAGE, Visitor, asked_by
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)
AN_HOUR = timedelta(hours=1)


def signed_in_with_a_remembered_device(customer: Customer) -> Visitor:
    """A browser that was remembered an hour ago; its user has signed out, and in again by the password alone."""
    app = enrol_app(member(customer))
    visitor = Visitor(customer).open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    visitor.press("Sign in", code=app.now(), remember="on")
    RememberedDevice.objects.update(created_at=timezone.now() - AN_HOUR)
    visitor.open(f"/sign-out/{customer.slug}").press("Sign out")
    visitor.open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    assert visitor.sent_to == f"/account/{customer.slug}"
    return visitor


def test_a_password_and_a_remembered_browser_are_no_fresh_proof() -> None:
    """C3.10: as strong as what the account has. Else they would be enough to remove the second factor for good."""
    customer = generous(remember_device_days=30)
    visitor = signed_in_with_a_remembered_device(customer)
    removing = f"/account/{customer.slug}/authenticator-app/remove"
    assert visitor.open(removing).sent_to.startswith(f"/account/{customer.slug}/prove?")
    visitor.send(removing, {})
    assert Totp.objects.count() == 1
    session = Session.objects.get(ended_at=None)
    assert session.auth_time == RememberedDevice.objects.get().created_at


def test_an_app_that_wants_a_proof_of_now_gets_no_remembered_one() -> None:
    customer = generous(remember_device_days=30)
    client, _secret = factories.oauth_client(customer)
    visitor = signed_in_with_a_remembered_device(customer)
    assert visitor.open(**asked_by(client)).given_back["code"]
    visitor.open(**asked_by(client, max_age="600")).press("Use my password", email=EMAIL)
    visitor.press("Sign in", password=PASSWORD)
    assert visitor.page.heading == "One more step"


def test_an_enrolment_that_goes_on_by_another_method_is_no_error_of_ours() -> None:
    """C5: no input yields a 500."""
    customer = generous(second_factor="required")
    member(customer)
    visitor = Visitor(customer).enter_code(EMAIL).press("Authenticator app")
    enrol = visitor.place
    fields = visitor.page.form_with("Confirm")[0].fields
    for method in ("email", "recovery_code", "nonsense", "sms", "passkey", ""):
        given = {**fields, "method": method, "code": "123456", "phone": "?"}
        for what in ("verify", "begin"):
            answer = visitor.browser.post(enrol, {**given, "do": what}, headers=FROM_OUR_PAGE)
            assert answer.status_code < 500, (method, what)
