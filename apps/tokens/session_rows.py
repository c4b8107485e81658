"""The rows of a new session, each written by one statement. (By Django's models they took 1,200 µs of CPU, so 300.)"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection

from apps.payloads.errors import ReplayedRequest
from apps.tokens.errors import UserInactive
from apps.tokens.models import ONE_SESSION_A_REQUEST, RefreshToken, Session
from apps.users.models import UserStatus

# The session and its first refresh token. Locks the user's row as it reads it. So of many sign-ins of one user at once each sees
# the sessions of those before it, and the limit holds; and a user who was deactivated or erased a moment ago gets no session.
INSERT = """
WITH who AS (
    SELECT id, customer_id FROM users_user
    WHERE id = %(user_id)s AND customer_id = %(customer_id)s AND status <> %(deactivated)s
    FOR NO KEY UPDATE
), begun AS (
    INSERT INTO tokens_session
        (id, customer_id, user_id, delivery, sandbox_key_id, oauth_client_id, payload_key, ip, user_agent, created_at,
         last_activity_at, expires_at, auth_time, amr, proofs_tried, ended_at, end_reason, request_mark)
    SELECT %(session_id)s, customer_id, id, %(delivery)s, %(sandbox_key_id)s, %(oauth_client_id)s, %(payload_key)s, %(ip)s,
           %(user_agent)s, %(now)s, %(now)s, %(session_expires_at)s, %(auth_time)s, %(amr)s, 0, NULL, '', %(request_mark)s
    FROM who
    RETURNING id
)
INSERT INTO tokens_refreshtoken (id, session_id, signing_secret_id, access_jti, issued_at, access_expires_at, expires_at)
SELECT %(refresh_id)s, id, %(signing_secret_id)s, %(access_jti)s, %(issued_at)s, %(access_expires_at)s, %(expires_at)s
FROM begun
"""

SURPLUS = """
SELECT id FROM tokens_session
WHERE user_id = %(user_id)s AND customer_id = %(customer_id)s AND ended_at IS NULL AND expires_at > %(now)s
  AND id <> %(session_id)s
ORDER BY last_activity_at DESC, id DESC OFFSET %(room)s
"""


def columns_of(refresh: RefreshToken) -> dict[str, Any]:
    """What is told about a new row to the statements that insert it."""
    names = ("signing_secret_id", "access_jti", "issued_at", "access_expires_at", "expires_at")
    return {name: getattr(refresh, name) for name in names}


def insert(session: Session, refresh: RefreshToken) -> None:
    """Raises UserInactive or ReplayedRequest."""
    names = (
        "customer_id",
        "user_id",
        "delivery",
        "sandbox_key_id",
        "oauth_client_id",
        "payload_key",
        "ip",
        "user_agent",
    )
    facts = {name: getattr(session, name) for name in (*names, "auth_time", "amr", "request_mark")}
    times = {"now": session.created_at, "session_expires_at": session.expires_at}
    ids: dict[str, Any] = {
        "session_id": session.id,
        "refresh_id": refresh.id,
        "deactivated": UserStatus.DEACTIVATED.value,
    }
    with connection.cursor() as cursor:
        try:
            cursor.execute(INSERT, {**facts, **times, **ids, **columns_of(refresh)})
        except IntegrityError as error:
            if ONE_SESSION_A_REQUEST not in str(error):
                raise
            raise ReplayedRequest from error
        if cursor.rowcount != 1:
            raise UserInactive


def surplus(session: Session, *, room: int, now: datetime) -> list[UUID]:
    """The user's other sessions for which there is no room, latest first."""
    facts = {"user_id": session.user_id, "customer_id": session.customer_id, "session_id": session.id}
    with connection.cursor() as cursor:
        cursor.execute(SURPLUS, {**facts, "now": now, "room": room})
        return [session_id for (session_id,) in cursor.fetchall()]
