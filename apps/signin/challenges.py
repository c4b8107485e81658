"""Challenges: sign-ins that wait for a second factor, each known by its token and good for a few tries."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import F

from apps.api_keys.clients import ApiClient
from apps.audit import actions
from apps.core.context import RequestContext
from apps.core.errors import is_refusal
from apps.core.ids import new_id
from apps.customers.state import CustomerState
from apps.factors import enrolled
from apps.signin import owner_lookup, pending_sign_in
from apps.signin.models import Challenge, FirstFactor
from apps.signin.pending_sign_in import PendingSignIn
from apps.signin.requirements import MissingFactors
from apps.tokens import minting, verification
from apps.tokens.errors import InvalidToken, UserInactive
from apps.users.models import UserStatus

LIFETIME = timedelta(minutes=5)
MOST_TRIES = 5


@dataclass(frozen=True)
class Challenged:
    """A user who must give a second factor, or enrol one. The token never shows in a repr."""

    missing: MissingFactors
    expires_in: int  # seconds
    session_token: str = field(repr=False)


@dataclass(frozen=True)
class OpenChallenge:
    """A challenge that can still be met. `missing`: what would meet it."""

    row: Challenge
    pending: PendingSignIn
    missing: MissingFactors


def open_challenge(session_token: str, *, client: ApiClient, context: RequestContext) -> OpenChallenge:
    """The challenge of this token, which is worthless at any other customer (contract 1.5).

    Raises MalformedToken, TokenExpired, InvalidToken, UserInactive, CustomerSuspended or IpNotAllowed.
    """
    claims, customer = verification.verify_challenge(session_token, context=context)
    presented = owner_lookup.presented_at(client.customer, owners_too=not client.names_customer)
    row = (
        Challenge.objects.of(customer.id)
        .filter(presented, id=claims.jti, used_at=None, expires_at__gt=context.now)
        .filter(credentials_version=F("user__credentials_version"))
        .select_related("user", "user__password")
        .first()
    )
    if row is None or row.wrong >= MOST_TRIES:
        raise InvalidToken
    if row.user.status == UserStatus.DEACTIVATED:
        raise UserInactive
    pending = _pending_of(row, customer, context)
    missing = pending_sign_in.missing(pending, enrolled.of(pending.user.id))
    if missing is None:  # the last factor was removed meanwhile: the user has to begin anew
        raise InvalidToken
    return OpenChallenge(row, pending, missing)


def count_try(challenge_id: UUID) -> None:
    """Use up one of the tries that a challenge allows; committed before the factor is checked. Raises InvalidToken."""
    left = Challenge.objects.filter(id=challenge_id, used_at=None, wrong__lt=MOST_TRIES)
    if not left.update(wrong=F("wrong") + 1):
        raise InvalidToken


@contextmanager
def no_try_if_it_fails(challenge_id: UUID) -> Iterator[None]:
    """Give the try back if the block fails through no fault of the caller's, and the database can be told."""
    try:
        yield
    except BaseException as error:
        if not is_refusal(error):
            with suppress(DatabaseError, InterfaceError):
                Challenge.objects.filter(id=challenge_id, wrong__gt=0).update(wrong=F("wrong") - 1)
        raise


def use(challenge_id: UUID, *, now: datetime) -> None:
    """Use the challenge up, in one statement: of many requests at once one succeeds. Raises InvalidToken."""
    if not Challenge.objects.filter(id=challenge_id, used_at=None).update(used_at=now):
        raise InvalidToken


def issue(pending: PendingSignIn, missing: MissingFactors) -> Challenged:
    """Keep the sign-in until a second factor is given, and make the token by which the client goes on."""
    issued_at = pending.context.now.replace(microsecond=0)  # a token's times are whole seconds
    row = Challenge.objects.create(
        id=new_id(),
        customer_id=pending.customer.id,
        user=pending.user,
        first_factor=pending.first_factor,
        may_use_email=pending.may_use_email,
        passed=list(pending.passed),
        delivery=pending.delivery,
        is_new=pending.is_new,
        credentials_version=pending.user.credentials_version,
        created_at=issued_at,
        expires_at=issued_at + LIFETIME,
    )
    pending_sign_in.record(actions.SECOND_FACTOR_ASKED, pending, method=pending.first_factor)
    token = minting.challenge(
        customer=pending.customer,
        user_id=pending.user.id,
        challenge_id=row.id,
        issued_at=row.created_at,
        expires_at=row.expires_at,
    )
    return Challenged(missing, int(LIFETIME.total_seconds()), token)


def _pending_of(row: Challenge, customer: CustomerState, context: RequestContext) -> PendingSignIn:
    return PendingSignIn(
        customer=customer,
        user=row.user,
        first_factor=FirstFactor(row.first_factor),
        delivery=row.delivery,
        context=context,
        may_use_email=row.may_use_email,
        is_new=row.is_new,
        passed=tuple(row.passed),
    )
