"""What a refresh token is worth when it is only looked at: it stays unused."""

from datetime import datetime, timedelta

from apps.core.context import RequestContext
from apps.tokens import verification
from apps.tokens.errors import InvalidToken
from apps.tokens.models import RefreshToken
from apps.tokens.signing import TokenKind
from apps.tokens.verification import VerifiedToken


def examine(text: str, *, context: RequestContext) -> VerifiedToken:
    """Who is signed in by this refresh token. Raises MalformedToken, AuthenticationErrors and CustomerSuspended."""
    verified = verification.verify(text, kind=TokenKind.REFRESH, context=context)
    counting_row(verified, context.now)
    return verified


def row_of(verified: VerifiedToken) -> RefreshToken:
    """The token's row, used or not. Raises InvalidToken: the signature without the row is worth nothing (contract 3.6)."""
    mine = RefreshToken.objects.of(verified.customer.id).filter(session=verified.session.id)
    row = mine.filter(id=verified.claims.jti).first()
    if row is None:
        raise InvalidToken
    return row


def counting_row(verified: VerifiedToken, now: datetime) -> RefreshToken:
    """The row of a token that still counts. One that was used does for as long as it would give its successor again.

    Raises InvalidToken.
    """
    row = row_of(verified)
    if row.used_at is not None and not within_grace(row.used_at, verified, now):
        raise InvalidToken
    return row


def within_grace(used_at: datetime, verified: VerifiedToken, now: datetime) -> bool:
    """Whether a token that was used then may be used again. A grace of 0 s is none, even for a request that came before the use."""
    grace = timedelta(seconds=verified.customer.refresh_grace)
    return bool(grace) and now - used_at < grace
