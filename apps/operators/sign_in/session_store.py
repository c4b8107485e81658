"""Operators' sessions: in PostgreSQL, under a digest of the cookie's key, with what the operator sees of them.

A stolen copy of the table opens no session. A session ends when its operator has done nothing for OPERATOR_IDLE_MINUTES, and in any
case OPERATOR_SESSION_HOURS after the sign-in. Its row alone decides: when that is deleted, the next request finds no session.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.core import ciphers
from apps.core.context import RequestContext
from apps.core.lookups import RowLookup
from apps.operators.models import OperatorSession

INFO = "gatehouse/operators/session/v1"
BEGUN = "gatehouse_begun"  # in the session: when it was signed in to. A new key of the same session does not change it
NOTED_EVERY = timedelta(minutes=1)  # a use is written at most once in so long
LIMITED = ("expire_date", "begun_at", "last_seen_at")
KEY_LENGTH = 40  # hexadecimal digits, 160 bits
_BY_KEY: RowLookup[str, OperatorSession] = RowLookup(lambda key: OperatorSession.objects.filter(session_key=key))


class SessionStore(db.SessionStore):
    """What Django calls `request.session`."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._ip: str | None = None
        self._user_agent = ""
        self._seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[OperatorSession]:
        return OperatorSession

    def used(self, context: RequestContext) -> None:
        """The operator has done something. Written at once for a session that has a row."""
        is_due = self._seen_at is None or context.now - self._seen_at >= NOTED_EVERY
        if not is_due or self.session_key is None:
            return
        self._ip, self._user_agent, self._seen_at = context.ip, context.user_agent, context.now
        OperatorSession.objects.filter(session_key=row_key(self.session_key)).update(
            ip=context.ip, user_agent=context.user_agent, last_seen_at=context.now
        )

    def begin(self, context: RequestContext) -> None:
        """Somebody has signed in: both time limits begin now."""
        self[BEGUN] = context.now.isoformat()
        self._seen_at = None
        self.used(context)

    def create_model_instance(self, data: Any) -> OperatorSession:
        row = cast("OperatorSession", super().create_model_instance(data))
        row.session_key = row_key(row.session_key)
        row.operator_id = data.get(SESSION_KEY)
        row.begun_at = datetime.fromisoformat(data[BEGUN]) if BEGUN in data else timezone.now()
        row.ip, row.user_agent = self._ip, self._user_agent
        row.last_seen_at = self._seen_at or timezone.now()
        return row

    def exists(self, session_key: str) -> bool:
        return super().exists(row_key(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        OperatorSession.objects.filter(session_key=row_key(key)).delete() if key else None

    def _get_session_from_db(self) -> OperatorSession | None:
        row = _BY_KEY.first(row_key(self.session_key or ""))
        if row is None or not _is_alive(row):
            self._session_key = None
            return None
        self._ip, self._user_agent, self._seen_at = row.ip, row.user_agent, row.last_seen_at
        return row


def of(request: HttpRequest) -> SessionStore:
    """The request's session as what it is."""
    return cast("SessionStore", request.session)


def own_row_key(request: HttpRequest) -> str:
    """The key of the row of the request's session; of no row without one."""
    return row_key(request.session.session_key or "")


def alive() -> "QuerySet[OperatorSession]":
    """Sessions that neither limit has ended."""
    return OperatorSession.objects.filter(
        **{f"{column}__gt": time for column, time in zip(LIMITED, _since(), strict=True)}
    )


def _since() -> tuple[datetime, datetime, datetime]:
    """After these times lie those of a session that is alive: LIMITED."""
    now = timezone.now()
    begun, seen = timedelta(hours=settings.OPERATOR_SESSION_HOURS), timedelta(minutes=settings.OPERATOR_IDLE_MINUTES)
    return now, now - begun, now - seen


def _is_alive(row: OperatorSession) -> bool:
    return all(getattr(row, column) > time for column, time in zip(LIMITED, _since(), strict=True))


def row_key(session_key: str) -> str:
    """The key of the row that belongs to the key in a cookie."""
    key = str(settings.SECRET_KEY).encode()
    return ciphers.mac(f"{INFO}\0{session_key}".encode(), key=key).hex()[:KEY_LENGTH]
