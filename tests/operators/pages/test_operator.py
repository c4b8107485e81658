"""Operators as rows of the admin: who may change whom, and which events record it."""

import pytest
from django.contrib.auth.models import Permission, User

from apps.audit.models import Event
from tests.operators.limiting import give
from tests.operators.signing_in import AS_AUDITOR, PASSWORD, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
FRESH = "another horse battery staple"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss@example.com", "boss@example.com", PASSWORD)


@pytest.fixture
def clerk() -> User:
    """An operator with every permission, who is no superuser."""
    row = User.objects.create_user("clerk@example.com", "clerk@example.com", PASSWORD, is_staff=True)
    give(row, Permission.objects.all())
    return row


def test_an_operator_cannot_make_itself_a_superuser_nor_take_a_superusers_place(boss: User, clerk: User) -> None:
    browser = signed_in(clerk)
    page = f"/admin/auth/user/{clerk.id}/change/"
    form = {"username": clerk.username, "is_staff": "on", "is_active": "on", "is_superuser": "on"}
    dates = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert browser.post(page, {**form, **dates}).status_code == 403
    assert browser.post(f"/admin/auth/user/{boss.id}/delete/", {"post": "yes"}).status_code == 403
    clerk.refresh_from_db()
    boss.refresh_from_db()
    assert not clerk.is_superuser
    assert boss.check_password(PASSWORD)


def test_a_changed_password_is_an_event(boss: User) -> None:
    """C8: every operator action."""
    browser = signed_in(boss)
    mine = {"old_password": PASSWORD, "new_password1": FRESH, "new_password2": FRESH}
    assert browser.post("/admin/password_change/", {**mine, "old_password": "wrong"}).status_code == 200
    assert browser.post("/admin/password_change/", mine).status_code == 302
    events = Event.objects.filter(action="operator_changed").order_by("at")
    assert [(event.actor, event.details) for event in events] == [
        ("operator:boss@example.com", {"row": str(boss.id), "fields": ["password"]}),
    ]


def test_events_of_operators_bear_names_of_their_own(boss: User) -> None:
    """`user_added` is for end users only."""
    browser = signed_in(boss)
    assert browser.post("/admin/auth/user/add/", {"email": "new@example.com", **AS_AUDITOR}).status_code == 302
    fresh = User.objects.get(username="new@example.com")
    assert browser.post(f"/admin/auth/user/{fresh.id}/delete/", {"post": "yes"}).status_code == 302
    names = Event.objects.exclude(action="operator_signed_in").order_by("at").values_list("action", flat=True)
    assert list(names) == ["operator_added", "operator_invited", "operator_deleted"]
