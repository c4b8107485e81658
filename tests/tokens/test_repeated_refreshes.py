"""A refresh token that comes again: from a client that lost its answers, from another tab, from a thief, or by another clock."""

from datetime import timedelta

import pytest
from django.db.models import F

from apps.tokens import refreshing
from apps.tokens.errors import RefreshTokenReused
from apps.tokens.models import EndReason, RefreshToken, Session
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_client_that_lost_two_answers_finds_its_way_along_the_same_tokens(client_for: MakeClient) -> None:
    """C3.6: the successor is the same, even when it has been used meanwhile; no second chain begins."""
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    second = client.refresh(pair.refresh).document
    third = client.refresh(second["refresh_token"]).document
    assert client.refresh(pair.refresh).document == second
    assert client.refresh(second["refresh_token"]).document == third
    assert client.refresh(third["refresh_token"]).status == 200
    assert RefreshToken.objects.filter(used_at=None).count() == 1


def test_a_clock_that_is_ahead_signs_nobody_out(client_for: MakeClient) -> None:
    """Another process has noted the use a moment from now."""
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    first = client.refresh(pair.refresh).document
    RefreshToken.objects.exclude(used_at=None).update(used_at=F("used_at") + timedelta(seconds=5))
    assert client.refresh(pair.refresh).document == first


def test_ending_a_session_for_reuse_costs_the_same_however_many_tokens_it_was_given(client_for: MakeClient) -> None:
    """A thief, or a client in a loop, must not make the service work the harder the longer a session has lasted."""
    user, client = factories.user(factories.customer()), client_for(None)

    def cost_after(refreshes: int) -> int:
        latest = first = factories.session(user).refresh
        for _ in range(refreshes):
            latest = client.refresh(latest).document["refresh_token"]
        RefreshToken.objects.exclude(used_at=None).update(used_at=F("used_at") - timedelta(hours=1))
        with counted() as cost:
            assert client.refresh(first).error_type == "refresh_token_reused"
        return len(cost.statements)

    cost_after(1)  # what is read once is known from here on
    assert cost_after(1) == cost_after(15)


def test_within_the_grace_a_successor_that_is_gone_is_given_to_nobody(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    client.refresh(pair.refresh)
    RefreshToken.objects.filter(used_at=None).delete()
    answer = client.refresh(pair.refresh)
    assert (answer.status, answer.error_type) == (401, "refresh_token_reused")


def test_without_a_grace_the_winner_of_a_race_is_signed_out_with_the_loser(client_for: MakeClient) -> None:
    """A replay that comes while the first use is under way leaves no successor that could be used."""
    user, client = factories.user(factories.customer(refresh_grace=0)), client_for(None)
    for _ in range(4):
        pair = factories.session(user)
        given: list[str] = []

        def use(_: int, text: str = pair.refresh, given: list[str] = given) -> None:
            try:
                given.append(refreshing.refresh(text, context=factories.context()).pair.refresh)
            except RefreshTokenReused:
                return

        at_once(2, use)
        (successor,) = given
        assert Session.objects.get(id=pair.session_id).end_reason == EndReason.REFRESH_REUSE
        assert client.refresh(successor).error_type == "session_ended"


def test_the_sessions_of_other_devices_go_on_when_one_is_ended_for_reuse(client_for: MakeClient) -> None:
    user = factories.user(factories.customer(refresh_grace=0))
    stolen, other = factories.session(user), factories.session(user)
    client = client_for(None)
    client.refresh(stolen.refresh)
    assert client.refresh(stolen.refresh).error_type == "refresh_token_reused"
    assert client.refresh(other.refresh).status == 200
