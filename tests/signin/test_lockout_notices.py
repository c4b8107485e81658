"""Users are told of a lock, a little later and once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.mail.models import Message
from apps.signin import tasks
from apps.signin.models import Password
from tests import factories
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lock_by_a_test_key_sends_nothing(client_for: MakeClient) -> None:
    """C1.7: keys of environment `test` send no mail."""
    customer = generous()
    member(customer)
    _row, key = factories.api_key(customer, environment="test")
    client = client_for(None, headers={"X-OTP-API-Key": key})
    for _ in range(5):
        login(client, "wrong horse")
    tasks.tell_locked()
    assert Message.objects.get().state == "sandboxed"


def test_a_lock_is_told_by_mail_once(client_for: MakeClient) -> None:
    """C4: and an email tells the user."""
    customer = generous()
    user = member(customer)
    client = client_for(customer)
    for _ in range(5):
        login(client, "wrong horse")
    assert not Message.objects.exists(), "not in the request"
    assert tasks.tell_locked() == 1
    assert tasks.tell_locked() == 0
    message = Message.objects.get()
    assert (message.kind, message.recipient) == ("password_locked", EMAIL)
    Password.objects.filter(user=user).update(locked_until=timezone.now() - timedelta(seconds=1))
    for _ in range(5):
        login(client, "wrong horse")
    assert tasks.tell_locked() == 1, "each lock anew"
