"""A closed account has no sessions, and opening it again revives none."""

import pytest
from django.utils import timezone

from apps.accounts import deactivation, erasure
from apps.audit.models import Event
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.tokens import sessions
from apps.tokens.errors import UserInactive
from apps.tokens.models import Session
from apps.users import lifecycle
from apps.users.models import User
from tests import factories, meanwhile, races
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


def acting() -> RequestContext:
    return factories.context("operator:o@x")


def deactivate(user: User) -> None:
    deactivation.deactivate(user, context=acting())


def reactivate(user: User) -> None:
    lifecycle.reactivate(user, context=acting())


def actions_of(user: User) -> list[str]:
    return list(Event.objects.filter(user_id=user.id).order_by("at", "id").values_list("action", flat=True))


def test_tokens_of_before_stay_dead_when_the_account_is_open_again(client_for: MakeClient) -> None:
    """C3.4"""
    user = factories.user(factories.customer())
    pairs, client = [factories.session(user) for _ in range(2)], client_for(None)
    assert [client.get("/api/auth/me", token=pair.access).status for pair in pairs] == [200, 200]
    deactivate(user)
    assert [client.get("/api/auth/me", token=pair.access).status for pair in pairs] == [401, 401]
    reactivate(user)
    assert [client.get("/api/auth/me", token=pair.access).error_type for pair in pairs] == ["session_ended"] * 2
    assert [client.refresh(pair.refresh).status for pair in pairs] == [401, 401]
    fresh = factories.session(user)
    assert client.get("/api/auth/me", token=fresh.access).status == 200


def test_only_the_sessions_of_that_user_end(client_for: MakeClient) -> None:
    """C1.5"""
    user = factories.user(factories.customer())
    others = [factories.user(user.customer, "bob@example.com"), factories.user(factories.customer())]
    factories.session(user)
    theirs = [factories.session(other) for other in others]
    deactivate(user)
    assert [client_for(None).get("/api/auth/me", token=pair.access).status for pair in theirs] == [200, 200]
    assert list(Session.objects.exclude(ended_at=None).values_list("user", "end_reason")) == [
        (user.id, "user_deactivated")
    ]


def test_it_is_written_down_who_did_it_and_how_many_sessions_ended() -> None:
    """C8"""
    user = factories.user(factories.customer())
    for _ in range(3):
        factories.session(user)
    deactivate(user)
    closed, ended = Event.objects.filter(user_id=user.id).order_by("at", "id")
    assert (closed.action, closed.actor, closed.details) == (
        "user_deactivated",
        "operator:o@x",
        {"status": "deactivated"},
    )
    assert (ended.action, ended.actor) == ("session_ended", "operator:o@x")
    assert ended.details == {"count": 3, "reason": "user_deactivated"}


def test_doing_it_twice_changes_nothing_more() -> None:
    user = factories.user(factories.customer())
    factories.session(user)
    stale = User.objects.get()
    deactivate(user)
    deactivate(user)
    deactivate(stale)  # by a page that was opened before
    assert actions_of(user) == ["user_deactivated", "session_ended"]
    assert User.objects.get().status == "deactivated"


def test_who_was_erased_a_moment_ago_cannot_be_deactivated() -> None:
    user = factories.user(factories.customer())
    stale = User.objects.get()
    erasure.erase(customer_id=user.customer_id, user_id=user.id, context=acting())
    with pytest.raises(NotFound):
        deactivate(stale)
    assert actions_of(stale) == ["user_erased"]


def test_who_signs_in_at_that_moment_gets_no_session() -> None:
    user = factories.user(factories.customer())
    with meanwhile.uncommitted(lambda: deactivate(User.objects.get())), pytest.raises(UserInactive):
        factories.session(user)
    assert not Session.objects.filter(ended_at=None).exists()


def test_who_has_just_signed_in_at_that_moment_is_signed_out() -> None:
    user = factories.user(factories.customer())
    with meanwhile.uncommitted(lambda: factories.session(User.objects.get())):
        deactivate(user)
    assert Session.objects.get().end_reason == "user_deactivated"


@pytest.mark.race
def test_however_many_sign_in_while_it_is_done_no_session_lives() -> None:
    user = factories.user(factories.customer())

    def act(number: int) -> str:
        if number == 12:
            return races.outcome(lambda: deactivate(User.objects.get()))
        return races.outcome(lambda: factories.session(user))

    assert set(races.at_once(24, act, threads=8)) <= {"done", "UserInactive"}
    assert not sessions.alive(customer_id=user.customer_id, user_id=user.id, now=timezone.now()).exists()
