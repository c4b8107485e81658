"""Operators see which factors a user has, never a secret, and take one away after a question."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Operator
from django.test import Client as Browser

from apps.audit.models import Event
from apps.factors.models import Passkey, RecoveryCode, Totp
from apps.mail.models import Message
from tests import factories
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.operators.limiting import give
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def browser_of(**rights: bool) -> Browser:
    operator = Operator.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True, **rights)
    browser = Browser()
    browser.force_login(operator)
    return browser


def test_a_lost_app_is_taken_away_after_a_question(client_for: MakeClient) -> None:
    customer = factories.customer(second_factor="required")
    user = member(customer)
    app = enrol_app(user)
    row, boss = Totp.objects.get(), browser_of(is_superuser=True)
    for page in ("/admin/factors/totp/", f"/admin/factors/totp/{row.id}/change/"):
        shown = boss.get(page)
        assert shown.status_code == 200
        assert EMAIL in shown.content.decode()
        assert app.secret not in shown.content.decode()
        assert row.secret not in shown.content.decode()
    assert boss.get(f"/admin/factors/totp/{row.id}/remove/").status_code == 200
    assert Totp.objects.exists()
    assert boss.post(f"/admin/factors/totp/{row.id}/remove/").status_code == 302
    assert not Totp.objects.exists()
    assert not RecoveryCode.objects.exists()
    event = Event.objects.get(action="factor_removed")
    assert (event.actor, event.user_id, event.customer_id) == ("operator:clerk", user.id, customer.id)
    assert Message.objects.filter(kind="factor_removed", recipient=EMAIL).count() == 1
    assert login(client_for(customer)).document["methods"] == ["email"], "and the user is led to enrol another"


def test_one_of_several_passkeys_is_taken_away(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    for name in ("Laptop", "Phone"):
        enrol_passkey(client, token, Authenticator(), name=name)
    boss = browser_of(is_superuser=True)
    row = Passkey.objects.get(name="Laptop")
    assert "Laptop" in boss.get("/admin/factors/passkey/").content.decode()
    boss.post(f"/admin/factors/passkey/{row.id}/remove/")
    assert [left.name for left in Passkey.objects.all()] == ["Phone"]


def test_who_may_only_look_takes_nothing_away() -> None:
    enrol_app(member(factories.customer()))
    row = Totp.objects.get()
    clerk = browser_of()
    give(Operator.objects.get(), Permission.objects.filter(codename__startswith="view_"))
    assert clerk.get(f"/admin/factors/totp/{row.id}/change/").status_code == 200
    assert clerk.post(f"/admin/factors/totp/{row.id}/remove/").status_code == 403
    assert clerk.post(f"/admin/factors/totp/{row.id}/delete/").status_code == 403
    assert Totp.objects.exists()


@pytest.mark.parametrize("model", ["totp", "phone", "passkey", "recoverycode"])
def test_nobody_adds_one(model: str) -> None:
    boss = browser_of(is_superuser=True)
    assert boss.get(f"/admin/factors/{model}/").status_code == 200
    assert boss.get(f"/admin/factors/{model}/add/").status_code == 403
