"""OAuth clients are registered, their secrets shown once and rotated, disabled and deleted."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from apps.audit.models import Event
from apps.oauth.models import RegisteredClient
from apps.tokens.models import Session
from tests import factories
from tests.oauth.exchanging import code_for, exchange, signed_in
from tests.operators.saving import save

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/admin/oauth/registeredclient"


def test_a_client_is_registered_and_its_secret_shown_once(browser: Client) -> None:
    customer = factories.customer(algorithm="ES256")
    form = {
        "customer": customer.id,
        "name": "Web",
        "confidential": "on",
        "redirect_uris": f"{factories.REDIRECT_URI}\r\n  http://localhost:3000/cb \r\n\r\n",
        "scopes": ["openid", "email"],
    }
    refused = browser.post(f"{PATH}/add/", {**form, "redirect_uris": "http://app.example.com/cb"}).content.decode()
    assert "Not an address to redirect to" in refused
    answer = browser.post(f"{PATH}/add/", form, follow=True)
    found = re.search(r"ghs_[\w-]{43}", answer.content.decode())
    assert found
    assert "no-store" in answer.headers["Cache-Control"]
    row = RegisteredClient.objects.get()
    assert row.redirect_uris == [factories.REDIRECT_URI, "http://localhost:3000/cb"]
    code = code_for(row, factories.user(customer))
    assert exchange(row, code, client_secret=found[0]).status == 200
    for path in (f"{PATH}/", f"{PATH}/{row.id}/change/", "/admin/audit/event/"):
        assert found[0] not in browser.get(path).content.decode()
    assert Event.objects.filter(action="oauth_client_created", actor="operator:ops@example.com").count() == 1
    browser.post(f"{PATH}/add/", {**form, "name": "Page", "confidential": ""})
    assert not RegisteredClient.objects.get(name="Page").is_confidential


def test_a_client_is_changed(browser: Client) -> None:
    row, _ = factories.oauth_client(factories.customer())
    form = {"name": "Renamed", "redirect_uris": "com.example.app:/cb", "scopes": ["openid"]}
    save(browser, f"{PATH}/{row.id}/change/", form)
    row.refresh_from_db()
    assert (row.name, row.redirect_uris, row.scopes) == ("Renamed", ["com.example.app:/cb"], ["openid"])
    event = Event.objects.get(action="oauth_client_changed")
    assert event.details["fields"] == ["name", "redirect_uris", "scopes"]


def test_a_secret_is_rotated_and_a_client_ends_with_its_sessions(browser: Client) -> None:
    customer = factories.customer(algorithm="ES256")
    row, old = factories.oauth_client(customer, is_confidential=True)
    public, _ = factories.oauth_client(customer)
    ada = factories.user(customer)
    signed_in(public, ada)
    page = browser.post(f"{PATH}/{row.id}/rotate-secret/", {"hours": 1}, follow=True).content.decode()
    new = re.search(r"ghs_[\w-]{43}", page)
    assert new
    for secret in (old, new[0]):
        assert exchange(row, code_for(row, ada), client_secret=secret).status == 200
    refused = browser.post(f"{PATH}/{public.id}/rotate-secret/", {"hours": 1}, follow=True).content.decode()
    assert not re.search(r"ghs_[\w-]{43}", refused)
    living = Session.objects.exclude(oauth_client_id="").alive(timezone.now())
    assert living.count() == 3
    browser.post(f"{PATH}/{row.id}/disable/")
    assert living.count() == 1
    browser.post(f"{PATH}/{row.id}/enable/")
    assert RegisteredClient.objects.get(id=row.id).is_active
    browser.post(f"{PATH}/{public.id}/remove/")
    assert not living.exists()
    assert not RegisteredClient.objects.filter(id=public.id).exists()
    for action in ("oauth_client_disabled", "oauth_client_enabled", "oauth_client_deleted"):
        assert Event.objects.filter(action=action, customer_id=customer.id).count() == 1
