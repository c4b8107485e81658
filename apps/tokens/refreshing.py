"""Refresh: a refresh token is used up and gives one new pair, exactly once (contract 3.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import rate_limits, valkey
from apps.core.context import RequestContext
from apps.core.state.announcements import announce
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.tokens import minting, refresh_tokens, session_rows, sessions, state, verification
from apps.tokens.errors import InvalidToken, RefreshTokenReused, SessionEnded
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.tokens.signing import TokenKind
from apps.tokens.state import SessionState
from apps.tokens.verification import VerifiedToken
from apps.users import user_events

Check = Callable[[CustomerState, UUID], None]

# The whole refresh of a token that was not used before, with its event, in one statement that commits by itself. The session is
# locked first, as by all who change its tokens; of many requests at once one finds the token unused, since PostgreSQL looks at the
# row again when it has waited for it. (Six statements in a transaction took three times the CPU, and one round trip each.)
ROTATE = f"""
WITH mine AS (
    SELECT id FROM tokens_session
    WHERE id = %(session_id)s AND customer_id = %(customer_id)s AND ended_at IS NULL
    FOR NO KEY UPDATE
), used AS (
    UPDATE tokens_refreshtoken AS token SET used_at = %(now)s, successor_id = %(successor_id)s
    FROM mine WHERE token.id = %(jti)s AND token.session_id = mine.id AND token.used_at IS NULL
    RETURNING token.session_id
), successor AS (
    INSERT INTO tokens_refreshtoken
        (id, session_id, signing_secret_id, access_jti, issued_at, access_expires_at, expires_at)
    SELECT %(successor_id)s, session_id, %(signing_secret_id)s, %(access_jti)s, %(issued_at)s, %(access_expires_at)s, %(expires_at)s
    FROM used
), prolonged AS (
    UPDATE tokens_session AS session SET last_activity_at = %(now)s, expires_at = %(session_expires_at)s
    FROM used WHERE session.id = used.session_id
)
{events.INSERT}
FROM used
"""  # noqa: S608  (all parts are constants)


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
    successor = _rotate_unused(verified, context) or _successor_of_used(verified, context)
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


def _rotate_unused(verified: VerifiedToken, context: RequestContext) -> RefreshToken | None:
    """The new row, if the token was unused; None if it was not, or if anything else is wrong with it."""
    successor = _next(verified.customer, verified.session.id, context.now)
    event = user_events.of_own(actions.TOKEN_REFRESHED, verified.user, context, session=str(verified.session.id))
    with connection.cursor() as cursor:
        cursor.execute(
            ROTATE,
            {
                "session_id": verified.session.id,
                "customer_id": verified.customer.id,
                "jti": verified.claims.jti,
                "now": context.now,
                "successor_id": successor.id,
                **session_rows.columns_of(successor),
                "session_expires_at": successor.both_expire_at,
                **event.parameters(),
            },
        )
        return successor if cursor.rowcount == 1 else None


def _successor_of_used(verified: VerifiedToken, context: RequestContext) -> RefreshToken:
    """What a token gave that was used a moment ago. Once the grace is over, its session ends.

    Raises SessionEnded, InvalidToken or RefreshTokenReused.
    """
    with transaction.atomic():
        row, session = _lock(verified)
        if row.used_at is None:  # cannot be: its session lives, and nobody else has the lock
            raise InvalidToken
        successor = row.successor if refresh_tokens.within_grace(row.used_at, verified, context.now) else None
        if successor is None:
            _end_for_reuse(session, verified, context)
    if successor is None:  # after the commit: the end of the session must not be rolled back with the request
        raise RefreshTokenReused
    return successor


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
    successor = _next(customer, session.id, now)
    successor.save(force_insert=True)
    RefreshToken.objects.filter(id=row.id).update(used_at=now, successor=successor)
    Session.objects.filter(id=session.id).update(last_activity_at=now, expires_at=successor.both_expire_at)
    return successor


def _next(customer: CustomerState, session_id: UUID, now: datetime) -> RefreshToken:
    return sessions.issue(customer=customer, session_id=session_id, now=now.replace(microsecond=0))


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
