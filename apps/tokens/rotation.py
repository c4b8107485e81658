"""The whole refresh of a token that was not used before, with its event: one statement that commits by itself.

It looks at session, user and limit as they stand, and remembers nothing: most sessions that refresh are unknown to the process, and
to read them first took as much CPU again. (Six statements in a transaction took three times as much.)
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.audit import actions, events
from apps.core import actors, prepared
from apps.core.context import RequestContext
from apps.core.rate_limits import Limit
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.tokens import new_sessions, payload_keys, session_rows
from apps.tokens.models import Delivery, RefreshToken, Session
from apps.tokens.new_sessions import NewTokens
from apps.tokens.signing import VerifiedClaims
from apps.users import roles
from apps.users import state as users
from apps.users.models import UserStatus
from apps.users.roles import RoleTable

# The session is locked first, as by all who change its tokens; of many requests at once one finds the token unused, since PostgreSQL
# looks at the row again when it has waited for it. What counts against the limit are the tokens that the session was given, but for
# its first: `issued_at` is in whole seconds, so a token counts until the last moment at which it may have been issued has passed.
ROTATE = f"""
WITH mine AS (
    SELECT session.id, session.delivery, session.payload_key, session.auth_time, who.email, who.role, who.permissions, who.status
    FROM tokens_session AS session
    JOIN users_user AS who ON who.id = session.user_id AND who.customer_id = session.customer_id
    WHERE session.id = %(session_id)s AND session.customer_id = %(customer_id)s AND session.user_id = %(user_id)s
      AND session.oauth_client_id = %(oauth_client_id)s AND session.delivery <> '{Delivery.HOSTED.value}'
      AND (session.delivery <> '{Delivery.COOKIE.value}' OR session.payload_key <> '')
      AND session.ended_at IS NULL AND session.expires_at > %(now)s AND who.status <> '{UserStatus.DEACTIVATED.value}'
      AND (SELECT count(*) FROM tokens_refreshtoken WHERE session_id = %(session_id)s AND issued_at >= %(since)s)
          - (session.created_at >= %(since)s)::int < %(most)s
    FOR NO KEY UPDATE OF session
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
), noted AS (
    {events.INSERT} FROM used
)
SELECT delivery, payload_key, auth_time, email, role, permissions, status FROM mine, used
"""  # noqa: S608  (all parts are constants)


@dataclass(frozen=True)
class Presented:
    """A genuine refresh token, and who presents it. `oauth_client_id`: the registered client, if it is one."""

    claims: VerifiedClaims
    customer: CustomerState
    oauth_client_id: str
    context: RequestContext


@dataclass(frozen=True)
class TokenUser:
    """What tokens say of their user."""

    id: UUID
    email: str
    role: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class Rotated:
    """The successor, its user, and its session's facts. `auth_time`: of the session's last proof, in unix seconds."""

    successor: NewTokens
    user: TokenUser
    delivery: str
    auth_time: int
    payload_key: bytes = field(repr=False)


def rotate(token: Presented) -> Rotated | None:
    """None if the token was used before, if its session has reached its limit, or if anything else is wrong: nothing is written then."""
    context, customer, claims = token.context, token.customer, token.claims
    successor, table = next_token(customer, claims.session_id, context.now), roles.read(customer.id)
    with prepared.cursor() as cursor:
        cursor.execute(ROTATE, {**_facts(token), **_of_successor(successor), **_event(token).parameters()})
        row = cursor.fetchone()
    return _read(row, token, successor, table) if row else None


def next_token(customer: CustomerState, session_id: UUID, now: datetime) -> NewTokens:
    """The session's next tokens, not written yet."""
    return new_sessions.issue(customer=customer, session_id=session_id, now=now.replace(microsecond=0))


def counting_since(limit: Limit, now: datetime) -> datetime:
    """Tokens issued from here on count against the limit."""
    return now.replace(microsecond=0) - timedelta(seconds=limit.window)


def wait(session: Session, limit: Limit, now: datetime) -> float | None:
    """For how many seconds the limit refuses this session another token; None if it does not."""
    since = counting_since(limit, now)
    mine = RefreshToken.objects.filter(session=session, issued_at__gte=since).order_by("-issued_at", "-id")
    times = list(mine.values_list("issued_at", flat=True)[: limit.count + 1])
    first = session.created_at >= since  # the token with which it began does not count
    if len(times) - first < limit.count:
        return None
    leaving = times[limit.count - 1] + timedelta(seconds=limit.window + 1)
    return (leaving - now).total_seconds()


def _facts(token: Presented) -> dict[str, Any]:
    claims, now = token.claims, token.context.now
    limit = token.customer.limit(limits.REFRESHES_PER_SESSION)
    return {
        "session_id": claims.session_id,
        "customer_id": token.customer.id,
        "user_id": claims.user_id,
        "jti": claims.jti,
        "oauth_client_id": token.oauth_client_id,
        "now": now,
        "since": counting_since(limit, now),
        "most": limit.count,
    }


def _of_successor(successor: NewTokens) -> dict[str, Any]:
    columns = session_rows.columns_of(successor)
    return {"successor_id": successor.id, "session_expires_at": successor.both_expire_at, **columns}


def _event(token: Presented) -> events.NewEvent:
    claims = token.claims
    return events.NewEvent(
        action=actions.TOKEN_REFRESHED,
        customer_id=token.customer.id,
        user_id=claims.user_id,
        context=token.context.by(actors.user(claims.user_id)),
        details={"session": str(claims.session_id)},
    )


def _read(row: Sequence[Any], token: Presented, successor: NewTokens, table: RoleTable) -> Rotated:
    delivery, sealed_key, auth_time, email, role, own, status = row
    given = users.permissions_now(status=status, role=role, own=json.loads(own), table=table)
    return Rotated(
        successor=successor,
        user=TokenUser(token.claims.user_id, email, role, given),
        delivery=delivery,
        auth_time=int(auth_time.timestamp()) if auth_time else 0,
        payload_key=payload_keys.unsealed(token.claims.session_id, sealed_key),
    )
