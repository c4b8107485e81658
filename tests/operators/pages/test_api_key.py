"""API keys are made, shown once, rotated and revoked."""

import re

import pytest
from django.test import Client

from apps.api_keys import keys
from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_key_is_made_and_shown_once(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer()
    form = {"customer": customer.id, "name": "Web", "environment": "live", "scopes": ["auth"]}
    answer = browser.post("/admin/api_keys/apikey/add/", form, follow=True)
    found = re.search(r"ghk_live_\w{62}", answer.content.decode())
    assert found
    assert keys.parse(found[0])
    assert "no-store" in answer.headers["Cache-Control"]
    assert client_for(None, headers={"X-OTP-API-Key": found[0]}).request_otp("a@example.com").status == 200
    row = ApiKey.objects.get()
    for path in ("/admin/api_keys/apikey/", f"/admin/api_keys/apikey/{row.id}/change/", "/admin/audit/event/"):
        assert found[0] not in browser.get(path).content.decode()
    assert Event.objects.filter(action="api_key_created", actor="operator:ops@example.com").count() == 1


def test_a_key_is_rotated_and_revoked(browser: Client, client_for: MakeClient) -> None:
    row, old = factories.api_key(factories.customer())
    path = f"/admin/api_keys/apikey/{row.id}"
    assert browser.get(f"{path}/rotate/").status_code == 200
    page = browser.post(f"{path}/rotate/", {"hours": 1}, follow=True).content.decode()
    new = re.search(r"ghk_live_\w{62}", page)
    assert new
    for text in (old, new[0]):
        assert client_for(None, headers={"X-OTP-API-Key": text}).verify_otp("a@example.com", "123456").status == 400
    browser.post(f"{path}/revoke/")
    assert client_for(None, headers={"X-OTP-API-Key": old}).request_otp("a@example.com").error_type == "invalid_api_key"
    assert browser.post(f"{path}/rotate/", {"hours": -1}).status_code == 200  # the form again
