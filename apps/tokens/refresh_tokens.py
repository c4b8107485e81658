"""What a refresh token is worth when it is only looked at: it stays unused."""

from datetime import datetime, timedelta

from apps.core.context import RequestContext
from apps.tokens import verification
from apps.tokens.errors import InvalidToken
from apps.tokens.models import RefreshToken
from apps.tokens.signing import TokenKind
from apps.tokens.verification import VerifiedToken


def examine(text: str, *, context: RequestContext) -> VerifiedToken:
    """Who is signed in by this refresh token. One that was used counts as long as it would give its successor again (contract 3.6).

    Raises MalformedToken, AuthenticationErrors and CustomerSuspended.
    """
    verified = verification.verify(text, kind=TokenKind.REFRESH, context=context)
    row = (
        RefreshToken.objects.of(verified.customer.id)
        .filter(id=verified.claims.jti, session=verified.session.id)
        .first()
    )
    if row is None or not (row.used_at is None or within_grace(row.used_at, verified, context.now)):
        raise InvalidToken
    return verified


def within_grace(used_at: datetime, verified: VerifiedToken, now: datetime) -> bool:
    """Whether a token that was used then may be used again. A grace of 0 s is none, even for a request that came before the use."""
    grace = timedelta(seconds=verified.customer.refresh_grace)
    return bool(grace) and now - used_at < grace
