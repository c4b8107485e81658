"""Codes that nobody has used go after a day; a used one stays as long as the session that its second use would end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.oauth import tasks
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.tokens import tasks as tokens_tasks
from apps.tokens.models import Session
from apps.users.models import User
from tests.oauth.exchanging import code_for, exchange, refresh

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_of_no_use_any_more_goes(ada: User, client: RegisteredClient) -> None:
    used = code_for(client, ada)
    exchange(client, used)
    code_for(client, ada)
    assert tasks.remove_expired() == 0
    long_ago = timezone.now() - timedelta(days=2)
    AuthorizationCode.objects.update(expires_at=long_ago)
    assert tasks.remove_expired() == 1
    assert exchange(client, used).error_type == "invalid_grant"
    assert not Session.objects.filter(oauth_client_id=client.client_id, ended_at=None).exists()
    Session.objects.filter(oauth_client_id=client.client_id).update(ended_at=timezone.now() - timedelta(days=31))
    tokens_tasks.remove_expired()
    assert not AuthorizationCode.objects.exists()


def test_a_grant_outlives_the_hosted_session_that_it_came_from(ada: User, client: RegisteredClient) -> None:
    given = exchange(client, code_for(client, ada)).document
    Session.objects.filter(delivery="hosted").delete()
    assert AuthorizationCode.objects.get().hosted_session_id is None
    assert refresh(client, given["refresh_token"]).status == 200
