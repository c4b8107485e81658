"""A stranger registers another's address where that is enough for a session, and learns nothing of its owner."""

import json

import pytest

from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.accounts.registering import STRANGERS, quick, register, verify
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, login

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


@pytest.mark.parametrize("way", ["a code", "a link"])
def test_the_first_proof_clears_the_name_and_the_phone_number_that_a_stranger_gave(
    client_for: MakeClient, way: str
) -> None:
    """Somebody who mistyped an address, or squats it, has left their own data there."""
    customer = quick(demands_verified_email=False)
    stranger, owner = client_for(customer, ip="203.0.113.66"), client_for(customer, ip=OWNERS[0])
    register(stranger, STRANGERS)
    token = login(stranger, STRANGERS).document["access_token"]
    profile = {"name": "Mallory", "phone": "+4915187654321"}
    assert stranger.patch("/api/auth/me", profile, token=token).status == 200
    if way == "a code":
        owner.request_otp(EMAIL)
        answer = owner.verify_otp(EMAIL, newest_code())
    else:
        forgot(owner)
        assert reset(owner, mailed_token(), PASSWORD).status == 200
        answer = login(owner, PASSWORD)
    me = owner.get("/api/auth/me", token=answer.document["access_token"]).document
    assert (me["email_verified"], me["name"], me["phone"]) == (True, "", "")


def test_who_was_imported_with_a_name_keeps_it(client_for: MakeClient) -> None:
    """Nobody had a way in before: the name is the one the customer gave."""
    customer = quick()
    factories.user(customer, EMAIL, name="Ada Lovelace")
    client = client_for(customer)
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).document["user"]["name"] == "Ada Lovelace"
