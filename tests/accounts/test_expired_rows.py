"""Expired codes and links open no account, and are removed a day later."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts import tasks as accounts_tasks
from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.signin import tasks as signin_tasks
from apps.signin.models import Challenge
from tests import factories
from tests.accounts.moving import moved
from tests.accounts.recovering import forgot
from tests.accounts.registering import register
from tests.conftest import MakeClient
from tests.signin.entering import enrol_app, login, member

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = (Registration, Challenge, ResetToken, EmailChange)


def remove_expired() -> int:
    return accounts_tasks.remove_expired() + signin_tasks.remove_expired()


def test_what_has_ended_long_ago_goes(client_for: MakeClient) -> None:
    moved(client_for)
    customer = factories.customer()
    enrol_app(member(customer, "bob@example.com"))
    mine = client_for(customer)
    login(mine, email="bob@example.com")
    register(mine)
    forgot(mine, "bob@example.com")
    counts = [model.objects.count() for model in MODELS]  # type: ignore[attr-defined]
    assert all(counts)
    assert remove_expired() == 0
    long_ago = timezone.now() - timedelta(days=2)
    for model in (Registration, Challenge, ResetToken, EmailChange):
        model.objects.update(expires_at=long_ago)  # type: ignore[attr-defined]
    assert remove_expired() == sum(counts) - 1, "a change of address is undoable for 7 days"
    EmailChange.objects.update(undo_until=long_ago)
    assert remove_expired() == 1


def test_a_change_that_nobody_can_undo_goes_too(client_for: MakeClient) -> None:
    moved(client_for)
    EmailChange.objects.update(undo_until=None, undo_digest=None, expires_at=timezone.now() - timedelta(days=2))
    assert remove_expired() == 1
