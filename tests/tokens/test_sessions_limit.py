"""A user has only so many sessions at once: the least lately used make way for new ones."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.accounts import erasure
from apps.audit.models import Event
from apps.customers import state
from apps.tokens import sessions
from apps.tokens.errors import UserInactive
from apps.tokens.models import Session
from apps.users import lifecycle
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once, outcome
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


def living(of: User) -> int:
    return sessions.alive(customer_id=of.customer_id, user_id=of.id, now=timezone.now()).count()


def test_the_least_lately_used_sessions_make_way(client_for: MakeClient) -> None:
    user = factories.user(factories.customer(sessions_per_user=3))
    now = timezone.now()
    oldest, used, newer = (factories.session(user, now=now - timedelta(hours=hours)) for hours in (3, 2, 1))
    client = client_for(None)
    for pair in (oldest, used, newer):
        assert client.get("/api/auth/me", token=pair.access).status == 200  # Valkey knows them as alive
    Session.objects.filter(id=oldest.session_id).update(last_activity_at=now)
    Session.objects.exclude(id=oldest.session_id).update(last_activity_at=now - timedelta(minutes=5))
    Session.objects.filter(id=used.session_id).update(last_activity_at=now - timedelta(minutes=9))
    fresh = factories.session(user)
    assert client.get("/api/auth/me", token=used.access).error_type == "session_ended"
    assert client.refresh(used.refresh).error_type == "session_ended"
    assert [client.get("/api/auth/me", token=pair.access).status for pair in (oldest, newer, fresh)] == [200] * 3
    assert Session.objects.get(id=used.session_id).end_reason == "too_many"
    event = Event.objects.get(action="session_ended")
    assert (event.user_id, event.details) == (user.id, {"count": 1, "reason": "too_many"})


def test_others_sessions_do_not_count(client_for: MakeClient) -> None:
    """C1.5: not a colleague's, and not those of the same address at another customer."""
    customer = factories.customer(sessions_per_user=1)
    others = [factories.user(customer, "bob@example.com"), factories.user(factories.customer())]
    pairs = [factories.session(user) for user in others]
    user = factories.user(customer)
    first, second = factories.session(user), factories.session(user)
    assert [client_for(None).get("/api/auth/me", token=pair.access).status for pair in pairs] == [200, 200]
    assert client_for(None).get("/api/auth/me", token=first.access).status == 401
    assert client_for(None).get("/api/auth/me", token=second.access).status == 200


def test_ended_and_expired_sessions_do_not_count(client_for: MakeClient) -> None:
    user = factories.user(factories.customer(sessions_per_user=2))
    kept = factories.session(user)
    factories.session(user, now=timezone.now() - timedelta(days=30))
    left = factories.session(user)
    client = client_for(None)
    client.post("/api/auth/logout", {}, token=left.access)
    factories.session(user)
    assert client.get("/api/auth/me", token=kept.access).status == 200


def test_a_lower_limit_ends_what_is_too_many_at_the_next_sign_in() -> None:
    customer = factories.customer(sessions_per_user=5)
    user = factories.user(customer)
    for _ in range(5):
        factories.session(user)
    factories.policy(customer, sessions_per_user=2)
    with counted() as cost:
        newest = factories.session(user)
    assert living(user) == 2
    assert sessions.alive(customer_id=customer.id, user_id=user.id, now=timezone.now()).filter(id=newest.session_id)
    # As ever: session and token, are there too many? Then: lock, end, event. (And reading the changed policy.)
    assert [text.split()[0] for text in cost.statements if "tokens_" in text or "audit_" in text] == [
        "WITH", "SELECT", "SELECT", "UPDATE", "INSERT"
    ]  # fmt: skip


@pytest.mark.race
def test_of_a_hundred_sign_ins_at_once_the_limit_stays_alive() -> None:
    customer = factories.customer(sessions_per_user=4)
    user, found = factories.user(customer), state.read(customer.id)

    def sign_in(_: int) -> str:
        def act() -> None:
            with transaction.atomic():
                sessions.start(
                    customer=found,
                    user=user,
                    amr=("pwd",),
                    delivery="body",
                    context=factories.context(),
                )

        return outcome(act)

    assert at_once(100, sign_in) == ["done"] * 100
    assert living(user) == 4
    assert Session.objects.filter(end_reason="too_many").count() == 96


def test_who_was_deactivated_or_erased_a_moment_ago_gets_no_session() -> None:
    customer = factories.customer()
    found = state.read(customer.id)
    gone, off = factories.user(customer), factories.user(customer, "bob@example.com")
    acting = factories.context("operator:o@x")
    erasure.erase(customer_id=customer.id, user_id=gone.id, context=acting)
    lifecycle.deactivate(User.objects.get(id=off.id), context=acting)
    for user in (gone, off):
        with pytest.raises(UserInactive), transaction.atomic():
            sessions.start(customer=found, user=user, amr=("pwd",), delivery="body", context=factories.context())
    assert not Session.objects.exists()


def test_a_session_is_started_at_the_users_own_customer_alone() -> None:
    """C1.5: a bug must not create a session of one customer for another customer's user."""
    user, other = factories.user(factories.customer()), factories.customer()
    with pytest.raises(UserInactive), transaction.atomic():
        sessions.start(
            customer=state.read(other.id),
            user=user,
            amr=("pwd",),
            delivery="body",
            context=factories.context(),
        )
