"""The user's data as a file, and deleting the account."""

import json

import pytest
from django.utils import timezone

from apps.accounts.export.sections import SECTIONS
from apps.audit.models import Event
from apps.portal import browser_session
from apps.tokens.models import Session
from apps.users.models import BuiltInRole, User
from tests import factories
from tests.conftest import MakeClient
from tests.portal.account.visiting import visitor
from tests.signin.entering import EMAIL, enrol_app, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return member(factories.customer(slug="acme"))


def test_the_file_holds_what_the_api_tells_all_of_it(user: User, client_for: MakeClient) -> None:
    enrol_app(user)
    many = [
        Session(
            customer=user.customer,
            user=user,
            ip="192.0.2.1",
            created_at=timezone.now(),
            last_activity_at=timezone.now(),
            expires_at=timezone.now(),
        )
        for _ in range(1_200)
    ]
    Session.objects.bulk_create(many)
    factories.session(member(user.customer, "bob@example.com"), ip="198.51.100.77")
    ada = visitor(user)
    assert ada.get("data").status == 200
    assert not Event.objects.filter(action="user_exported").exists()
    given = ada.post("data")
    assert given.response.headers["Content-Type"] == "application/json"
    assert given.response.headers["Content-Disposition"].startswith('attachment; filename="account-2')
    assert given.response.headers["Cache-Control"] == "no-store"
    text = given.markup
    document = json.loads(text)
    assert "198.51.100.77" not in text
    assert list(document["sections"]) == [section.name for section in SECTIONS]
    assert len(document["sections"]["sessions"]) == len(many) + 1
    assert Event.objects.get(action="user_exported").actor == f"user:{user.id}"
    told = client_for(None).get("/api/auth/me/export", token=factories.session(user).access).document
    assert document["user"] == told["user"]
    for name in ("authenticator_app", "recovery_codes", "password"):
        assert document["sections"][name] == told["sections"][name]["results"]


def test_an_account_is_deleted_by_its_owner_who_types_its_address(user: User, client_for: MakeClient) -> None:
    ada, other = visitor(user), factories.session(user)
    shown = ada.get("delete")
    assert "Download your data first" in shown.text
    for typed in ("", "bob@example.com", "x"):
        assert ada.post("delete", {"email": typed}).status == 400
    assert User.objects.filter(id=user.id).exists()
    done = ada.post("delete", {"email": f" {EMAIL.upper()} "})
    assert (done.status, "Your account has been deleted." in done.text) == (200, True)
    assert not User.objects.filter(id=user.id).exists()
    assert ada.browser.cookies[browser_session.cookie_name(user.customer_id)].value == ""
    assert client_for(None).get("/api/auth/me", token=other.access).status == 401
    assert Event.objects.get(action="user_erased").actor == f"user:{user.id}"
    assert ada.post("delete", {"email": EMAIL}).place == "/sign-in/acme?next=delete"


def test_the_last_administrator_of_others_is_told_why_not(user: User) -> None:
    User.objects.filter(id=user.id).update(role=BuiltInRole.ADMIN)
    member(user.customer, "bob@example.com")
    ada = visitor(User.objects.get(id=user.id))
    refused = ada.post("delete", {"email": EMAIL})
    assert (refused.status, "Make somebody else one first." in refused.text) == (409, True)
    assert User.objects.filter(id=user.id).exists()
    assert ada.get().status == 200
