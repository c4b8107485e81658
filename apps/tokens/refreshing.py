"""Refresh: a refresh token is used up and gives one new pair, exactly once (contract 3.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from django.db import transaction

from apps.audit import actions, refusals, steps
from apps.audit.models import Outcome, Severity
from apps.core import rate_limits, valkey
from apps.core.context import RequestContext
from apps.core.errors import RateLimited
from apps.core.state.announcements import announce
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.tokens import minting, refresh_tokens, rotation, state, verification
from apps.tokens.errors import InvalidToken, RefreshTokenReused, SessionEnded
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.tokens.rotation import Presented, Rotated
from apps.tokens.signing import TokenKind, VerifiedClaims
from apps.tokens.state import SessionState
from apps.tokens.verification import VerifiedToken
from apps.users import user_events

Check = Callable[[CustomerState, UUID], None]


@dataclass(frozen=True)
class Refreshed:
    """The new tokens, and their customer."""

    customer: CustomerState
    pair: TokenPair


def refresh(text: str, *, context: RequestContext, oauth_client_id: str = "", check: Check | None = None) -> Refreshed:
    """New tokens for this refresh token. `check` may refuse once it is known whose it is (for cookies: is it the same site?).

    `oauth_client_id`: of the registered client that asks, if it is one. A session is refreshed by the client that it began for,
    and a hosted one by nobody.

    Raises MalformedToken, AuthenticationErrors, CustomerSuspended, IpNotAllowed, RateLimited, and what `check` raises.
    """
    claims = verification.presented(text, kind=TokenKind.REFRESH, context=context)
    with refusals.recorded(steps.REFRESH, context, customer_id=claims.customer_id, user_id=claims.user_id):
        return _refresh(claims, context, oauth_client_id, check)


def _refresh(claims: VerifiedClaims, context: RequestContext, oauth_client_id: str, check: Check | None) -> Refreshed:
    customer = verification.customer_of(claims, context)
    if check is not None:
        check(customer, claims.session_id)
    token = Presented(claims, customer, oauth_client_id, context)
    rotated = rotation.rotate(token)
    return Refreshed(customer, _pair(rotated, claims, customer) if rotated else _pair_of_used(token))


def _pair(rotated: Rotated, claims: VerifiedClaims, customer: CustomerState) -> TokenPair:
    return minting.pair(
        customer=customer,
        user=rotated.user,
        refresh=rotated.successor,
        proof=claims.proof.not_after(rotated.auth_time),  # the old token's: refreshing proves nothing anew
        delivery=rotated.delivery,
        payload_key=rotated.payload_key,
    )


def _pair_of_used(token: Presented) -> TokenPair:
    """Nothing was rotated: what is wrong with the token, its user or its session decides, or what it gave a moment ago comes again.

    Raises AuthenticationErrors and RateLimited.
    """
    verified = verification.valid_now(token.claims, token.context.now)
    _require_own(verified.session, token.oauth_client_id)
    _limit_repeating(verified)
    return minting.pair(
        customer=verified.customer,
        user=verified.user,
        refresh=_successor_of_used(verified, token.context),
        proof=verified.proof,
        delivery=verified.session.delivery,
        payload_key=verified.session.payload_key,
    )


def _require_own(session: SessionState, oauth_client_id: str) -> None:
    """Raises InvalidToken."""
    if session.is_hosted or session.oauth_client_id != oauth_client_id:
        raise InvalidToken


def _limit_repeating(verified: VerifiedToken) -> None:
    """Bound how often one session asks for the same again. Without Valkey that goes on: the row decides, not the limit."""
    limit = verified.customer.limit(limits.REFRESHES_PER_SESSION)
    try:
        rate_limits.hit([limits.rule(limit, verified.customer.id, str(verified.session.id))])
    except valkey.ValkeyUnavailable:
        return


def _successor_of_used(verified: VerifiedToken, context: RequestContext) -> RefreshToken:
    """What a token gave that was used a moment ago. Once the grace is over, its session ends.

    Raises SessionEnded, InvalidToken, RateLimited or RefreshTokenReused.
    """
    with transaction.atomic():
        row, session = _lock(verified)
        if row.used_at is None:
            _refuse_unused(session, verified, context)
        successor = row.successor if refresh_tokens.within_grace(row.used_at, verified, context.now) else None
        if successor is None:
            _end_for_reuse(session, verified, context)
    if successor is None:  # after the commit: the end of the session must not be rolled back with the request
        reused = RefreshTokenReused()
        reused.is_recorded = True
        raise reused
    return successor


def _refuse_unused(session: Session, verified: VerifiedToken, context: RequestContext) -> NoReturn:
    """The session has reached its limit; or its user, which the process still remembers as active, is so no more."""
    limit = verified.customer.limit(limits.REFRESHES_PER_SESSION)
    wait = rotation.wait(session, limit, context.now)
    if wait is None:
        raise InvalidToken
    raise RateLimited(limit=limit.name, retry_after=wait)


def _lock(verified: VerifiedToken) -> tuple[RefreshToken, Session]:
    """The token's row and its session, locked until the transaction ends. A signature without its row is worth nothing."""
    mine = Session.objects.of(verified.customer.id).filter(id=verified.session.id)
    session = mine.select_for_update(of=("self",)).first()
    if session is None or session.ended_at is not None:
        raise SessionEnded
    row = RefreshToken.objects.filter(id=verified.claims.jti, session=session).select_related("successor").first()
    if row is None:
        raise InvalidToken
    return row, session


def rotate(row: RefreshToken, session: Session, customer: CustomerState, now: datetime) -> RefreshToken:
    """The successor of this row, in the caller's transaction, which has locked the session."""
    tokens = rotation.next_token(customer, session.id, now)
    successor = tokens.row()
    successor.save(force_insert=True)
    RefreshToken.objects.filter(id=row.id).update(used_at=now, successor=successor)
    Session.objects.filter(id=session.id).update(last_activity_at=now, expires_at=tokens.both_expire_at)
    return successor


def _end_for_reuse(session: Session, verified: VerifiedToken, context: RequestContext) -> None:
    """An old token was used: somebody has stolen it, or a later one. Nobody goes on with this session."""
    Session.objects.filter(id=session.id).update(ended_at=context.now, end_reason=EndReason.REFRESH_REUSE)
    user_events.record_own(
        actions.REFRESH_TOKEN_REUSED,
        verified.user,
        context,
        outcome=Outcome.DENIED,
        severity=Severity.HIGH,
        session=str(session.id),
    )
    announce(state.subject(verified.customer.id, session.id))
