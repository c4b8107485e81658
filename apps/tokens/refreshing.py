"""Refresh: a refresh token is used up and gives one new pair, exactly once (contract 3.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.core import rate_limits, valkey
from apps.core.context import RequestContext
from apps.core.state.announcements import announce
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.tokens import minting, refresh_tokens, sessions, state, verification
from apps.tokens.errors import InvalidToken, RefreshTokenReused, SessionEnded
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.tokens.signing import TokenKind
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
    """New tokens for this refresh token. `check` may refuse once customer and session are known (for cookies: is it the same site?).

    `oauth_client_id`: of the registered client that asks, if it is one. A session is refreshed by the client that it began for,
    and a hosted one by nobody.

    Raises MalformedToken, AuthenticationErrors, CustomerSuspended, IpNotAllowed, RateLimited, and what `check` raises.
    """
    verified = verification.verify(text, kind=TokenKind.REFRESH, context=context)
    verification.require_address(verified.customer, context)
    _require_own(verified.session, oauth_client_id)
    if check is not None:
        check(verified.customer, verified.session.id)
    _limit(verified)
    with transaction.atomic():
        row, session = _lock(verified)
        successor = _successor(row, session, verified, context)
        if successor is None:
            _end_for_reuse(session, verified, context)
    if successor is None:  # after the commit: the end of the session must not be rolled back with the request
        raise RefreshTokenReused
    pair = minting.pair(
        customer=verified.customer,
        user=verified.user,
        refresh=successor,
        proof=verified.proof,  # the old token's: refreshing proves nothing anew
        delivery=verified.session.delivery,
        payload_key=verified.session.payload_key,
    )
    return Refreshed(verified.customer, pair)


def _require_own(session: SessionState, oauth_client_id: str) -> None:
    """Raises InvalidToken."""
    if session.is_hosted or session.oauth_client_id != oauth_client_id:
        raise InvalidToken


def _limit(verified: VerifiedToken) -> None:
    """Bound how often one session refreshes. Without Valkey refreshing goes on: the row decides, not the limit."""
    limit = verified.customer.limit(limits.REFRESHES_PER_SESSION)
    try:
        rate_limits.hit([limits.rule(limit, verified.customer.id, str(verified.session.id))])
    except valkey.ValkeyUnavailable:
        return


def _lock(verified: VerifiedToken) -> tuple[RefreshToken, Session]:
    """The token's row and its session, locked until the transaction ends. A signature without its row is worth nothing."""
    session = Session.objects.of(verified.customer.id).select_for_update().filter(id=verified.session.id).first()
    if session is None or session.ended_at is not None:
        raise SessionEnded
    row = RefreshToken.objects.filter(id=verified.claims.jti, session=session).select_related("successor").first()
    if row is None:
        raise InvalidToken
    return row, session


def _successor(
    row: RefreshToken, session: Session, verified: VerifiedToken, context: RequestContext
) -> RefreshToken | None:
    """A new row for an unused token; the same one again within the grace; None for a token that was used before that."""
    if row.used_at is None:
        successor = rotate(row, session, verified.customer, context.now)
        user_events.record_own(actions.TOKEN_REFRESHED, verified.user, context, session=str(session.id))
        return successor
    return row.successor if refresh_tokens.within_grace(row.used_at, verified, context.now) else None


def rotate(row: RefreshToken, session: Session, customer: CustomerState, now: datetime) -> RefreshToken:
    successor = sessions.issue(customer=customer, session_id=session.id, now=now.replace(microsecond=0))
    successor.save(force_insert=True)
    RefreshToken.objects.filter(id=row.id).update(used_at=now, successor=successor)
    Session.objects.filter(id=session.id).update(last_activity_at=now, expires_at=successor.both_expire_at)
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
