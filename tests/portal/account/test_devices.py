"""Remembered devices are listed and ended on their page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.customers import keyring
from apps.factors import enrolled
from apps.signin.models import RememberedDevice
from apps.users.models import User
from tests import factories
from tests.portal.account.visiting import visitor
from tests.signin.entering import enrol_app, member

pytestmark = pytest.mark.django_db(transaction=True)


def remembered(user: User, name: str = "Firefox on Linux") -> RememberedDevice:
    now = timezone.now()
    return RememberedDevice.objects.create(
        user=user,
        name=name,
        digest=name.encode().ljust(32),
        passed=["totp"],
        factor_set=enrolled.digest_of_set(user.id),
        credentials_version=user.credentials_version,
        signing_kid=keyring.current_kid(factories.state_of(user.customer)),
        created_at=now,
        expires_at=now + timedelta(days=30),
    )


@pytest.fixture
def user() -> User:
    user = member(factories.customer(slug="acme", remember_device_days=30))
    enrol_app(user)
    return user


def test_those_that_count_are_listed_and_one_or_all_are_forgotten(user: User) -> None:
    ada = visitor(user)
    assert "No device is remembered." in ada.get("devices").text
    kept = [remembered(user, name) for name in ("Firefox on Linux", "Safari on iOS", "Chrome on Windows")]
    RememberedDevice.objects.filter(id=kept[2].id).update(expires_at=timezone.now())
    listed = ada.get("devices").text
    assert "Firefox on Linux" in listed
    assert "Chrome on Windows" not in listed
    assert ada.send("devices", {"device": kept[0].id}).said == "That device will be asked for the second factor again."
    assert not RememberedDevice.objects.filter(id=kept[0].id).exists()
    assert ada.get("devices/forget-all").status == 200
    assert RememberedDevice.objects.filter(id=kept[1].id).exists()
    assert ada.send("devices/forget-all").said == "All devices will be asked for the second factor again."
    assert not RememberedDevice.objects.exists()
    assert Event.objects.filter(action="devices_forgotten", actor=f"user:{user.id}").count() == 2


def test_nobody_elses_is_forgotten(user: User) -> None:
    neighbour = member(user.customer, "bob@example.com")
    theirs = remembered(neighbour, "Theirs")
    ada = visitor(user)
    assert "Theirs" not in ada.get("devices").text
    assert ada.post("devices", {"device": theirs.id}).status == 404
    ada.post("devices/forget-all")
    assert RememberedDevice.objects.filter(id=theirs.id).exists()


def test_the_account_mentions_them_where_the_customer_allows_them(user: User) -> None:
    ada = visitor(user)
    assert "Remembered devices" in ada.get().text
    factories.policy(user.customer, remember_device_days=0)
    assert "Remembered devices" not in ada.get().text
