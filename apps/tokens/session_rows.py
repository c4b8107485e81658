"""The rows of a new session, and all that is written with them, by one statement. (Django's models took 1,200 µs of CPU for the
session alone; one wait less for PostgreSQL saves some 200.)"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from apps.audit import events
from apps.audit.events import NewEvent
from apps.core import prepared
from apps.mail import ledger
from apps.payloads.errors import ReplayedRequest
from apps.tokens.minting import Issued
from apps.tokens.models import ONE_SESSION_A_REQUEST, Session
from apps.users import directory
from apps.users.models import UserStatus

# The user's row is locked first. So of many sign-ins of one user at once each sees the sessions of those before it, and the limit
# holds; and a user who was deactivated or erased a moment ago gets no session.
WHO = """
    SELECT id, customer_id FROM users_user
    WHERE id = %(user_id)s AND customer_id = %(customer_id)s AND status <> %(deactivated)s {as_read}
    FOR NO KEY UPDATE
"""
# A new version of the user's row even if no sign-in is noted there: `directory.RowVersion` tells of every session.
NOTED = "UPDATE users_user AS account SET {changes} FROM {allowed} WHERE account.id = who.id RETURNING account.id, account.customer_id"
BEGUN = """
    INSERT INTO tokens_session
        (id, customer_id, user_id, delivery, sandbox_key_id, oauth_client_id, payload_key, ip, user_agent, created_at,
         last_activity_at, expires_at, auth_time, amr, proofs_tried, ended_at, end_reason, request_mark)
    SELECT %(session_id)s, customer_id, id, %(delivery)s, %(sandbox_key_id)s, %(oauth_client_id)s, %(payload_key)s, %(ip)s,
           %(user_agent)s, %(begun_at)s, %(begun_at)s, %(session_expires_at)s, %(auth_time)s, %(amr)s, 0, NULL, '',
           %(request_mark)s
    FROM noted
    RETURNING id
"""
REFRESHABLE = """
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


@dataclass(frozen=True)
class CodeOfUser:
    """A code that signs in a user as it was read: with this version of its row (`directory.RowVersion`)."""

    message_id: UUID
    code_set: str
    row_version: str

    def parameters(self) -> dict[str, Any]:
        return {**ledger.of_use(self.message_id, self.code_set), "row_version": self.row_version}


def columns_of(refresh: Issued) -> dict[str, Any]:
    """What is told about a new row to the statements that insert it."""
    return {
        "signing_secret_id": refresh.signing_secret_id,
        "access_jti": refresh.access_jti,
        "issued_at": refresh.issued_at,
        "access_expires_at": refresh.access_expires_at,
        "expires_at": refresh.expires_at,
    }


def insert(
    session: Session,
    refresh: Issued,
    *,
    now: datetime,
    sign_in: NewEvent | None = None,
    code: CodeOfUser | None = None,
) -> bool:
    """False if there is no such user any more, or no longer as it was read, or the code is spent. Raises ReplayedRequest.

    `sign_in`: the event of a sign-in. It is written with the session, and the sign-in noted on the user. `code`: used up with it.
    """
    more = {**(sign_in.parameters() if sign_in else {}), **(code.parameters() if code else {})}
    statement = _statement(is_sign_in=sign_in is not None, with_code=code is not None)
    with prepared.cursor() as cursor:
        try:
            cursor.execute(statement, {**_facts(session, refresh), **more, "now": now})
        except IntegrityError as error:
            if ONE_SESSION_A_REQUEST not in str(error):
                raise
            raise ReplayedRequest from error
        return bool(cursor.rowcount == 1)


@cache
def _statement(*, is_sign_in: bool, with_code: bool) -> str:
    """The row that it inserts last says whether it has done everything; else it has done nothing."""
    as_read = f"AND {directory.ROW_VERSION} = %(row_version)s" if with_code else ""
    parts = {"who": WHO.format(as_read=as_read)}
    if with_code:  # the user is locked before what hangs on it
        parts |= {"spent": ledger.SPEND.format(among="FROM who"), "used": f"{ledger.NOTE_USE} RETURNING id"}
    changes = directory.SIGNED_IN if is_sign_in else directory.UNCHANGED
    parts["noted"] = NOTED.format(changes=changes, allowed="who, used" if with_code else "who")
    parts["begun"] = BEGUN
    if is_sign_in:
        parts["refreshable"] = REFRESHABLE
    last = f"{events.INSERT} FROM begun" if is_sign_in else REFRESHABLE
    return f"WITH {', '.join(f'{name} AS ({text})' for name, text in parts.items())} {last}"


def _facts(session: Session, refresh: Issued) -> dict[str, Any]:
    same = (
        "customer_id",
        "user_id",
        "delivery",
        "sandbox_key_id",
        "oauth_client_id",
        "payload_key",
        "ip",
        "user_agent",
    )
    return {
        **{name: getattr(session, name) for name in (*same, "auth_time", "amr", "request_mark")},
        **columns_of(refresh),
        "session_id": session.id,
        "refresh_id": refresh.id,
        "begun_at": session.created_at,
        "session_expires_at": session.expires_at,
        "deactivated": UserStatus.DEACTIVATED.value,
    }


def surplus(session: Session, *, room: int, now: datetime) -> list[UUID]:
    """The user's other sessions for which there is no room, latest first."""
    facts = {"user_id": session.user_id, "customer_id": session.customer_id, "session_id": session.id}
    with prepared.cursor() as cursor:
        cursor.execute(SURPLUS, {**facts, "now": now, "room": room})
        return [session_id for (session_id,) in cursor.fetchall()]
