"""The pages that links in mails lead to."""

import re

import pytest
from django.test import Client as Browser

from apps.customers import lifecycle
from apps.mail.models import Message
from tests import factories
from tests.accounts.moving import moved, undo_token
from tests.accounts.recovering import mailed_token
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, FRESH, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def page(slug: str, name: str) -> str:
    return f"/account/{slug}/{name}"


@pytest.mark.parametrize("name", ["reset-password", "forgot-password", "undo-email-change"])
def test_each_page_is_shown_and_sends_nothing_elsewhere(name: str) -> None:
    customer = factories.customer(name="Acme <b>")
    shown = Browser().get(page(customer.slug, name))
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "Acme &lt;b&gt;" in text
    assert '<script type="module" src="/static/portal/page.js"></script>' in text
    assert not re.search(r"(style=|onclick|<script>)", text)
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in shown.headers["Cache-Control"]
    assert not shown.cookies


def test_it_speaks_german() -> None:
    shown = Browser(headers={"Accept-Language": "de"}).get(page(factories.customer().slug, "forgot-password"))
    assert '<html lang="de">' in shown.content.decode()
    assert "Email address" not in shown.content.decode()


def test_a_password_is_reset_on_its_page(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    browser = Browser()
    asked = browser.post(page(customer.slug, "forgot-password"), {"email": EMAIL})
    assert asked.status_code == 200
    place = page(customer.slug, "reset-password")
    refused = browser.post(place, {"token": mailed_token(), "password": "short"})
    assert refused.status_code == 400
    assert "Choose a password of 8 to 128 characters." in refused.content.decode()
    assert "short" not in refused.content.decode().replace("shorter", "")
    link = {"token": mailed_token(), "password": FRESH}
    done = browser.post(place, link)
    assert done.status_code == 200
    assert "Your password has been changed" in done.content.decode()
    assert login(client_for(customer), FRESH).status == 200
    again = browser.post(place, link)
    assert again.status_code == 400
    assert "This link is not valid, or no longer." in again.content.decode()


def test_asking_for_a_link_says_the_same_to_everybody() -> None:
    customer = factories.customer()
    member(customer)
    answers = {
        Browser().post(page(customer.slug, "forgot-password"), {"email": email}).content
        for email in (EMAIL, "nobody@example.com")
    }
    assert len(answers) == 1


def test_a_change_of_address_is_undone_on_its_page(client_for: MakeClient) -> None:
    _client, _token, user = moved(client_for)
    done = Browser().post(page(user.customer.slug, "undo-email-change"), {"token": undo_token()})
    assert done.status_code == 200
    user.refresh_from_db()
    assert user.email == EMAIL


def test_limits_hold_for_pages_too() -> None:
    customer = factories.customer()
    factories.limit(customer, "tries_per_ip", 2)
    browser = Browser()
    statuses = [
        browser.post(page(customer.slug, "reset-password"), {"token": "x", "password": FRESH}).status_code
        for _ in range(3)
    ]
    assert statuses == [400, 400, 429]


@pytest.mark.parametrize("name", ["reset-password", "forgot-password", "undo-email-change"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_customer_has_no_pages(name: str, method: str) -> None:
    shown = getattr(Browser(), method)(page("nobody", name))
    assert shown.status_code == 404
    assert "There is nothing here." in shown.content.decode()


@pytest.mark.parametrize("name", ["reset-password", "forgot-password", "undo-email-change"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_suspended_customers_pages_say_so(name: str, method: str) -> None:
    """C1.8: 403, whatever is asked for."""
    customer = factories.customer(name="Acme")
    lifecycle.suspend(customer, context=factories.context("system"))
    shown = getattr(Browser(), method)(page(customer.slug, name), {"email": EMAIL, "token": "x", "password": FRESH})
    assert shown.status_code == 403
    assert "This service is suspended" in shown.content.decode()
    assert "Acme" in shown.content.decode()
    assert "<form" not in shown.content.decode()
    assert not Message.objects.exists()


def test_a_page_takes_no_other_customers_token(client_for: MakeClient) -> None:
    """C1.5: also where the user owns a customer, for the page names one."""
    customer, other = factories.customer(), factories.customer()
    member(customer, is_owner=True)
    client_for(customer).before_sign_in("/api/auth/forgot-password", {"email": EMAIL})
    form = {"token": mailed_token(), "password": FRESH}
    assert Browser().post(page(other.slug, "reset-password"), form).status_code == 400
    assert login(client_for(customer), FRESH).status == 401
    assert Browser().post(page(customer.slug, "reset-password"), form).status_code == 200


def test_a_page_undoes_no_other_customers_change(client_for: MakeClient) -> None:
    _client, _token, user = moved(client_for)
    type(user).objects.update(is_owner=True)
    form = {"token": undo_token()}
    assert Browser().post(page(factories.customer().slug, "undo-email-change"), form).status_code == 400
    assert Browser().post(page(user.customer.slug, "undo-email-change"), form).status_code == 200


@pytest.mark.parametrize("form", [{}, {"email": "nobody"}, {"email": "a\0b@example.com"}, {"email": "x" * 400}])
def test_bad_input_is_explained(form: dict[str, str]) -> None:
    refused = Browser().post(page(factories.customer().slug, "forgot-password"), form)
    assert refused.status_code == 400
    assert "errorlist" in refused.content.decode()
    assert not Message.objects.exists()
