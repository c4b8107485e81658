"""What others' users have reported about refreshing, tried here. Each test names the product and the report's number."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from apps.accounts import deactivation, erasure
from apps.core import actors
from apps.core.errors import GatehouseError
from apps.customers import lifecycle as customers
from apps.tokens import refreshing, revocation
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once
from tests.remembering import forget_everything
from tests.signin.entering import FRESH, PASSWORD, member

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6  # of a race


def deactivate(user: User) -> None:
    deactivation.deactivate(user, context=factories.context(actors.SYSTEM))


def erase(user: User) -> None:
    erasure.erase(customer_id=user.customer_id, user_id=user.id, context=factories.context(actors.SYSTEM))


def test_rotations_within_one_second_give_an_older_token_no_second_life(client_for: MakeClient) -> None:
    """Keycloak 50999: times of whole seconds could not tell which token is the newer one."""
    user, client = factories.user(factories.customer(refresh_grace=0)), client_for(None)
    first = factories.session(user).refresh
    second = client.refresh(first).document["refresh_token"]
    third = client.refresh(second).document["refresh_token"]
    assert client.refresh(first).error_type == "refresh_token_reused"
    assert Session.objects.get().end_reason == EndReason.REFRESH_REUSE
    assert client.refresh(third).error_type == "session_ended"


def test_no_refresh_survives_a_revocation_that_it_races_with(client_for: MakeClient) -> None:
    """Keycloak 51312, better-auth 11073: a refresh under way brought a revoked session back."""
    user, client = factories.user(factories.customer()), client_for(None)
    for _ in range(ROUNDS):
        session, given = factories.session(user), list[str]()

        def act(number: int, text: str = session.refresh, given: list[str] = given) -> None:
            if number == 1:
                revocation.revoke(text, customer_id=user.customer_id, context=factories.context())
            else:
                with suppress(GatehouseError):
                    given.append(refreshing.refresh(text, context=factories.context()).pair.refresh)

        at_once(4, act)
        for text in {session.refresh, *given}:
            assert client.refresh(text).status == 401
        assert client.get("/api/auth/me", token=session.access).status == 401
        assert Session.objects.get(id=session.session_id).ended_at is not None


def test_a_changed_password_ends_the_refreshing_of_other_devices(client_for: MakeClient) -> None:
    """simplejwt 927: refreshes went on, each giving a token that was refused, and clients went round in circles."""
    customer = factories.customer()
    user, client = member(customer), client_for(customer)
    here, there = factories.session(user), factories.session(user)
    body = {"current_password": PASSWORD, "password": FRESH}
    assert client.post("/api/auth/change-password", body, token=here.access).status == 200
    assert client.refresh(there.refresh).error_type == "session_ended"
    assert client.refresh(here.refresh).status == 200


@pytest.mark.parametrize("end", [deactivate, erase])
def test_nobody_refreshes_for_a_user_who_is_gone(client_for: MakeClient, end: Callable[[User], None]) -> None:
    """simplejwt 812 and 193: refreshes went on for inactive and deleted users."""
    user, client = factories.user(factories.customer()), client_for(None)
    pair = factories.session(user)
    fresh = client.refresh(pair.refresh).document["refresh_token"]
    end(user)
    assert {client.refresh(text).status for text in (pair.refresh, fresh)} == {401}
    assert not RefreshToken.objects.filter(session__ended_at=None).exists()


def test_a_suspended_customer_that_comes_back_finds_its_users_signed_in(client_for: MakeClient) -> None:
    customer = factories.customer()
    pair, client = factories.session(factories.user(customer)), client_for(None)
    customers.suspend(customer, context=factories.context(actors.SYSTEM))
    assert client.refresh(pair.refresh).error_type == "customer_suspended"
    customers.reactivate(customer, context=factories.context(actors.SYSTEM))
    assert client.refresh(pair.refresh).status == 200


def test_signing_out_here_leaves_other_devices_signed_in(client_for: MakeClient) -> None:
    """Supabase auth-js 75: all of a user's refresh tokens went with one. jwt-auth 1060: the one that went could be refreshed."""
    user, client = factories.user(factories.customer()), client_for(None)
    here, there = factories.session(user), factories.session(user)
    assert client.post("/api/auth/logout", None, token=here.access).status in (200, 204)
    assert client.refresh(here.refresh).error_type == "session_ended"
    assert client.refresh(there.refresh).status == 200


def test_tokens_outlive_the_process_that_gave_them(client_for: MakeClient) -> None:
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    fresh = client.refresh(pair.refresh).document
    forget_everything()
    assert client.refresh(fresh["refresh_token"]).status == 200
    assert client.get("/api/auth/me", token=fresh["access_token"]).status == 200
