"""Introspection (RFC 7662): the customer's own servers ask what a token is worth at this moment.

The same checks are made as for a request with the token. Whatever the reason, a token that does not count gives
`{"active": false}`: a server need not know more.
"""

from typing import Any
from uuid import UUID

from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError
from apps.customers.errors import CustomerSuspended
from apps.tokens import verification
from apps.tokens.errors import MalformedToken
from apps.tokens.models import RefreshToken
from apps.tokens.signing import TokenKind
from apps.tokens.verification import VerifiedToken


def introspect(text: str, *, customer_id: UUID, context: RequestContext) -> dict[str, Any]:
    """The answer of RFC 7662 section 2.2, to a server of this customer."""
    try:
        verified = verification.examine(text, customer_id=customer_id, context=context)
    except (MalformedToken, AuthenticationError, CustomerSuspended):
        return {"active": False}
    if verified.claims.kind is TokenKind.REFRESH and not _is_unused(verified):
        return {"active": False}
    return {"active": True, **_claims(verified), **_user(verified)}


def _is_unused(verified: VerifiedToken) -> bool:
    """A refresh token counts only with its row, and only once (contract 3.6)."""
    mine = RefreshToken.objects.filter(id=verified.claims.jti, session_id=verified.session.id)
    return mine.filter(used_at=None).exists()


def _claims(verified: VerifiedToken) -> dict[str, Any]:
    """What the token itself says. `token_type` is OAuth's (RFC 6749 section 5.1), and only for access tokens.

    `auth_time` is RFC 9470's (section 6.2).
    """
    claims = verified.claims
    bearer = {"token_type": "Bearer"} if claims.kind is TokenKind.ACCESS else {}
    return {
        **bearer,
        "token_use": claims.kind.token_type,
        "iss": claims.issuer,
        "aud": str(claims.customer_id),
        "sub": str(claims.user_id),
        "customer_id": str(claims.customer_id),
        "sid": str(claims.session_id),
        "jti": str(claims.jti),
        "iat": claims.issued_at,
        "nbf": claims.not_before,
        "exp": claims.expires_at,
        "auth_time": verified.proof.auth_time,
        "amr": list(verified.proof.amr),
    }


def _user(verified: VerifiedToken) -> dict[str, Any]:
    """The user as it is now, whatever the token says; without permissions until it is active. `scope` is OAuth's word for them."""
    user = verified.user
    return {
        "username": user.email,
        "email": user.email,
        "role": user.role,
        "permissions": list(user.permissions),
        "scope": " ".join(user.permissions),
        "status": user.status,
    }
