"""Under which key the bodies of a session are encrypted (contract 2.2.2 and 3.8).

In cookie mode it is the session's own: random, and not changed by a refresh. So two tabs that share the cookies cannot break
each other. For other sessions it follows from the access token.
"""

import secrets
from uuid import UUID

from apps.core import sealed
from apps.payloads.token_envelope import TokenEnvelope
from apps.tokens.models import Delivery, Session
from apps.tokens.signing import VerifiedClaims

BYTES = 32
FIELD = "payload_key"


def seal_new(session: Session) -> bytes:
    """Give a new session its key, sealed in its row. Empty unless its tokens go into cookies."""
    if session.delivery != Delivery.COOKIE:
        return b""
    key = secrets.token_bytes(BYTES)
    sealed.write(session, FIELD, key)
    return key


def unsealed(session_id: UUID, sealed_key: str) -> bytes:
    """The session's key; empty if it has none. Raises DecryptionFailed."""
    return sealed.read(Session(id=session_id, payload_key=sealed_key), FIELD) if sealed_key else b""


def envelope(claims: VerifiedClaims, *, key: bytes) -> TokenEnvelope:
    """The envelope of a session with this key or, if that is empty, of the access token."""
    if key:
        return TokenEnvelope(kid=str(claims.session_id), prk=key)
    return TokenEnvelope(kid=str(claims.jti), prk=claims.prk)
