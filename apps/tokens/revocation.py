"""Revocation (RFC 7009): a customer's server ends a token of one of its users, from the next request on, everywhere."""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError, NotFound
from apps.core.state.announcements import announce
from apps.tokens import sessions, state, verification
from apps.tokens.errors import MalformedToken
from apps.tokens.models import EndReason, RefreshToken, RevokedToken, Session
from apps.tokens.signing import TokenKind, VerifiedClaims


def revoke(text: str, *, customer_id: UUID, context: RequestContext) -> None:
    """Blacklist an access token; for a refresh token, end its session. A text that is no living token is revoked already."""
    try:
        claims = verification.genuine(text, customer_id=customer_id, context=context)
    except (MalformedToken, AuthenticationError):
        return
    if claims.kind is TokenKind.REFRESH:
        _end_session(claims, context)
    else:
        _blacklist(claims, context)


def _blacklist(claims: VerifiedClaims, context: RequestContext) -> None:
    with transaction.atomic():
        mine = Session.objects.of(claims.customer_id).filter(user_id=claims.user_id, id=claims.session_id)
        if mine.select_for_update().first() is None:
            return
        expires_at = datetime.fromtimestamp(claims.expires_at, UTC)
        facts = {"session_id": claims.session_id, "revoked_at": context.now, "expires_at": expires_at}
        _row, is_new = RevokedToken.objects.get_or_create(jti=claims.jti, defaults=facts)
        if is_new:
            _record(claims, context)
        announce(state.subject(claims.customer_id, claims.session_id))


def _end_session(claims: VerifiedClaims, context: RequestContext) -> None:
    """Also for a refresh token that was used: revoking it means that its successors should end, too."""
    if not RefreshToken.objects.filter(id=claims.jti, session_id=claims.session_id).exists():
        return
    with suppress(NotFound), transaction.atomic():
        sessions.end_one(
            customer_id=claims.customer_id,
            user_id=claims.user_id,
            session_id=claims.session_id,
            reason=EndReason.REVOKED_BY_SERVER,
            context=context,
        )
        _record(claims, context)


def _record(claims: VerifiedClaims, context: RequestContext) -> None:
    events.record(
        action=actions.TOKEN_REVOKED,
        customer_id=claims.customer_id,
        user_id=claims.user_id,
        context=context,
        details={"kind": claims.kind.token_type, "jti": str(claims.jti), "session": str(claims.session_id)},
    )
