"""What leads into no account any more is removed; what still does stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.signin import tasks
from apps.signin.models import Challenge, EmailChange, Registration, ResetToken
from tests import factories
from tests.conftest import MakeClient
from tests.signin.entering import enrol_app, login, member
from tests.signin.test_email_change import moved
from tests.signin.test_recovery import forgot
from tests.signin.test_registration import register

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = (Registration, Challenge, ResetToken, EmailChange)


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
    assert tasks.remove_expired() == 0
    long_ago = timezone.now() - timedelta(days=2)
    for model in (Registration, Challenge, ResetToken, EmailChange):
        model.objects.update(expires_at=long_ago)  # type: ignore[attr-defined]
    assert tasks.remove_expired() == sum(counts) - 1, "a change of address is undoable for 7 days"
    EmailChange.objects.update(undo_until=long_ago)
    assert tasks.remove_expired() == 1


def test_a_change_that_nobody_can_undo_goes_too(client_for: MakeClient) -> None:
    moved(client_for)
    EmailChange.objects.update(undo_until=None, undo_digest=None, expires_at=timezone.now() - timedelta(days=2))
    assert tasks.remove_expired() == 1
