"""A refresh is one statement, as a logout is. What another transaction is about to commit counts as if it had come before."""

from collections.abc import Callable

import pytest

from apps.accounts import deactivation, erasure
from apps.core import actors
from apps.tokens import emergency_rotation, refreshing, sessions
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.meanwhile import uncommitted

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = actors.SYSTEM


def end_all(user: User) -> None:
    sessions.end_all(
        customer_id=user.customer_id, user_id=user.id, reason=EndReason.OPERATOR, context=factories.context(SYSTEM)
    )


def deactivate(user: User) -> None:
    deactivation.deactivate(user, context=factories.context(SYSTEM))


def erase(user: User) -> None:
    erasure.erase(customer_id=user.customer_id, user_id=user.id, context=factories.context(SYSTEM))


def rotate_in_emergency(user: User) -> None:
    emergency_rotation.rotate_in_emergency(user.customer, context=factories.context(SYSTEM))


@pytest.mark.parametrize("end", [end_all, deactivate, erase, rotate_in_emergency])
def test_a_session_that_is_about_to_end_gives_no_more_tokens(
    client_for: MakeClient, end: Callable[[User], None]
) -> None:
    user = factories.user(factories.customer())
    pair, client = factories.session(user), client_for(None)
    client.get("/api/auth/me", token=pair.access)  # all of it is remembered
    with uncommitted(lambda: end(user)):
        answer = client.refresh(pair.refresh)
    assert answer.status == 401
    assert RefreshToken.objects.filter(used_at=None).count() == RefreshToken.objects.count()


def test_a_logout_ends_a_session_that_is_just_refreshed(client_for: MakeClient) -> None:
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    fresh: list[refreshing.Refreshed] = []
    with uncommitted(lambda: fresh.append(refreshing.refresh(pair.refresh, context=factories.context()))):
        assert client.post("/api/auth/logout", None, token=pair.access).status in (200, 204)
    session = Session.objects.get()
    assert (session.end_reason, session.ended_at is not None) == (EndReason.LOGOUT, True)
    assert client.get("/api/auth/me", token=fresh[0].pair.access).error_type == "session_ended"
    assert client.refresh(fresh[0].pair.refresh).error_type == "session_ended"
