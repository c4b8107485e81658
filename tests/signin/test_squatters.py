"""Somebody registers an address that is not theirs, where that is enough to get a session: they learn nothing of its owner."""

import json

import pytest

from apps.users.models import User
from demo.client import Client
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, login
from tests.signin.registering import STRANGERS, quick, register, verify

pytestmark = pytest.mark.django_db(transaction=True)
OWNERS = ("198.51.100.5", "Ada Lovelace", "+4915112345678")


def squat(client_for: MakeClient, **policy: object) -> tuple[Client, str, Client]:
    """The stranger's client and token; and the owner's client, which has registered too, and asked for a code."""
    customer = quick(demands_verified_email=False, **policy)
    stranger, owner = client_for(customer, ip="203.0.113.66"), client_for(customer, ip=OWNERS[0])
    register(stranger, STRANGERS)
    token = login(stranger, STRANGERS).document["access_token"]
    register(owner, PASSWORD, name="Ada Lovelace", phone="+49 1511 2345678")
    owner.before_sign_in("/api/auth/forgot-password", {"email": EMAIL})
    return stranger, token, owner


def whole_export(client: Client, token: str) -> str:
    """Everything that the export gives, section by section."""
    first = client.get("/api/auth/me/export", token=token).document
    pages = [client.get(f"/api/auth/me/export?section={name}", token=token).document for name in first["sections"]]
    return json.dumps([first, pages], ensure_ascii=False)


@pytest.mark.parametrize("policy", [{}, {"demands_approval": True}])
def test_the_export_shows_nothing_that_the_owner_of_the_address_did(
    client_for: MakeClient, policy: dict[str, bool]
) -> None:
    stranger, token, _owner = squat(client_for, **policy)
    found = whole_export(stranger, token)
    assert [fact for fact in OWNERS if fact in found] == []
    assert json.loads(found)[0]["user"]["email"] == EMAIL


def test_the_owner_sees_what_it_registered_once_the_address_is_proven(client_for: MakeClient) -> None:
    _stranger, _token, owner = squat(client_for)
    owner.request_otp(EMAIL, purpose="verify_email")
    register(owner, PASSWORD, name="Ada Lovelace", phone="+49 1511 2345678")
    assert verify(owner, newest_code(), password=PASSWORD).status == 200
    found = whole_export(owner, login(owner).document["access_token"])
    assert [fact for fact in OWNERS if fact not in found] == []
    assert User.objects.get().name == "Ada Lovelace"
