"""What is remembered refuses no token only because it is old: a refresh, a new proof and a new secret announce nothing in time.

Each is done by another process, while this one remembers the state from before and trusts it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from apps.core.state import process
from apps.customers import keyring
from apps.customers.models import Customer
from apps.tokens import fresh_proof, minting, refreshing, verification
from apps.tokens.errors import SessionEnded
from apps.tokens.minting import TokenPair
from apps.tokens.models import Session
from apps.tokens.signing import TokenKind
from apps.tokens.verification import VerifiedToken
from apps.users import state as users
from apps.users.models import User
from tests import factories
from tests.races import at_once
from tests.roundtrips import counted
from tests.state.subject import another_process

pytestmark = pytest.mark.django_db(transaction=True)

Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def lease_that_outlives_the_test(settings: Any) -> None:
    """So nothing that is announced is heard in it."""
    settings.STATE_LEASE_MS = 600_000


def elsewhere(act: Callable[[], Result]) -> Result:
    """Another process does it: this one is told only by PostgreSQL."""
    with another_process():
        return at_once(1, lambda _: act())[0]


def verify(token: str, *, kind: TokenKind = TokenKind.ACCESS, now: datetime | None = None) -> VerifiedToken:
    return verification.verify(token, kind=kind, context=factories.context(now=now))


def ada() -> tuple[Customer, User]:
    customer = factories.customer()
    return customer, factories.user(customer)


def test_a_session_that_was_prolonged_elsewhere_goes_on() -> None:
    customer, user = ada()
    began = timezone.now() - timedelta(seconds=factories.state_of(customer).refresh_lifetime - 60)
    pair = factories.session(user, now=began)
    verify(pair.refresh, kind=TokenKind.REFRESH)
    ends = Session.objects.get().expires_at
    refreshed = elsewhere(lambda: refreshing.refresh(pair.refresh, context=factories.context()).pair)
    soon = ends + timedelta(seconds=60)
    assert verify(refreshed.access, now=soon).session.expires_at > soon.timestamp()


def test_a_session_that_has_expired_is_looked_at_once_more_and_refused() -> None:
    _, user = ada()
    pair = factories.session(user)
    verify(pair.access)
    ends = timezone.now() - timedelta(seconds=1)
    Session.objects.update(expires_at=ends)
    assert verify(pair.access).session.expires_at > ends.timestamp()
    process.present().memory.forget_everything()
    for statements in (2, 1):  # once remembered, it is read anew
        with counted() as cost, pytest.raises(SessionEnded):
            verify(pair.access)
        assert len(cost.statements) == statements


def test_a_proof_that_was_given_elsewhere_counts_at_once() -> None:
    """C3.10: its token names a later `auth_time` than the remembered session has."""
    customer, user = ada()
    proven_at = timezone.now()
    pair = factories.session(user, now=proven_at - timedelta(seconds=120))
    before = verify(pair.access).proof.auth_time

    def prove() -> TokenPair:
        with transaction.atomic():
            standing, who = factories.state_of(customer), users.of(user)
            session_id = Session.objects.get().id
            return fresh_proof.renew(customer=standing, user=who, session_id=session_id, amr=("pwd",), now=proven_at)

    renewed = elsewhere(prove)
    assert verify(renewed.access).proof.auth_time == int(proven_at.timestamp()) > before


def test_tokens_of_a_secret_that_was_made_elsewhere_count_at_once() -> None:
    customer, user = ada()
    old = factories.session(user)
    verify(old.access)

    def rotate() -> TokenPair:
        keyring.rotate_gracefully(customer, context=factories.context(factories.ACTOR))
        return factories.session(user)

    new = elsewhere(rotate)
    for pair in (new, old):
        verify(pair.access)
    assert verify(new.access).claims.kid != verify(old.access).claims.kid


def test_so_does_a_sign_in_that_waits_for_its_second_factor() -> None:
    customer, user = ada()
    factories.state_of(customer)
    now = timezone.now()

    def challenge() -> str:
        keyring.rotate_gracefully(customer, context=factories.context(factories.ACTOR))
        standing, ends = factories.state_of(customer), now + timedelta(seconds=300)
        return minting.challenge(
            customer=standing, user_id=user.id, challenge_id=uuid4(), issued_at=now, expires_at=ends
        )

    claims, standing = verification.verify_challenge(elsewhere(challenge), context=factories.context(now=now))
    assert standing.verifies(claims.kid, now)
