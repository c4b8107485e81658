"""Sessions: started at sign-in, listed, ended. Every end is announced to all processes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.audit import actions, events
from apps.audit.events import NewEvent
from apps.core import actors, patience, prepared
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.core.state.announcements import TELL, Told, announce
from apps.core.state.subjects import whole_customer
from apps.customers.state import CustomerState
from apps.tokens import session_rows, state
from apps.tokens.errors import SessionEnded, UserInactive
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, Session
from apps.tokens.new_sessions import NewSession
from apps.tokens.session_rows import CodeOfUser
from apps.users.models import User

ACTIVITY_WRITTEN_AFTER_SECONDS = 60
# Of 240 bytes each. Where more sessions are used within a minute, some ask PostgreSQL twice, and one writes.
MOST_NOTED = 10_000

# Session → when this process last wrote that it was used (unix time): nobody announces it.
_noted: dict[UUID, float] = {}

# It commits by itself. Of a session that has ended already the token is blacklisted all the same. (It took six statements and a
# savepoint.)
LOG_OUT = f"""
WITH mine AS (
    SELECT id FROM tokens_session WHERE id = %(session_id)s AND customer_id = %(customer_id)s FOR NO KEY UPDATE
), ended AS (
    UPDATE tokens_session AS session SET ended_at = %(now)s, end_reason = %(reason)s
    FROM mine WHERE session.id = mine.id AND session.ended_at IS NULL
), revoked AS (
    INSERT INTO tokens_revokedtoken (jti, session_id, revoked_at, expires_at)
    SELECT %(jti)s, id, %(now)s, %(token_expires_at)s FROM mine ON CONFLICT DO NOTHING
), noted AS (
    {events.INSERT} FROM mine
)
{TELL} FROM mine
"""  # noqa: S608  (all parts are constants)


def start(
    *,
    customer: CustomerState,
    user: User,
    amr: tuple[str, ...],
    delivery: str,
    context: RequestContext,
    oauth_client_id: str = "",
    proven_at: datetime | None = None,
    sign_in: NewEvent | None = None,
) -> TokenPair:
    """A new session and its first tokens. In the caller's transaction: a sign-in commits as a whole.

    `amr`: what the user has proven who it is with, just now or at `proven_at`. `oauth_client_id`: the registered client that the
    session is for. `sign_in`: the event, if the session begins by a sign-in, which is noted on the user, too.
    If the user has too many sessions, those least lately used end (contract 4, sessions). Raises UserInactive if the user is
    no longer there, and ReplayedRequest if this request has begun a session before.
    """
    new = NewSession.of(
        customer, user, amr, delivery=delivery, context=context, oauth_client_id=oauth_client_id, proven_at=proven_at
    )
    with transaction.atomic(savepoint=False):
        if not session_rows.insert(new.row, new.refresh, now=context.now, sign_in=sign_in):
            raise UserInactive
        _make_room(new.row, customer, context)
    return new.tokens()


def start_by_code(
    *,
    customer: CustomerState,
    user: User,
    amr: tuple[str, ...],
    delivery: str,
    context: RequestContext,
    sign_in: NewEvent,
    code: CodeOfUser,
) -> TokenPair | None:
    """The same with nothing before it: one statement uses the code up, too, and commits by itself.

    For a user who has room for a further session. None, and nothing done, if the user's row is no longer the one that was read, or
    the code is spent. Raises ReplayedRequest.
    """
    new = NewSession.of(customer, user, amr, delivery=delivery, context=context)
    return (
        new.tokens() if session_rows.insert(new.row, new.refresh, now=context.now, sign_in=sign_in, code=code) else None
    )


def alive(*, customer_id: UUID, user_id: UUID, now: datetime) -> QuerySet[Session]:
    """The user's sessions that can still be used."""
    return Session.objects.of(customer_id).filter(user_id=user_id).alive(now)


def log_out(
    *,
    customer_id: UUID,
    user_id: UUID,
    session_id: UUID,
    jti: UUID,
    token_expires_at: datetime,
    context: RequestContext,
) -> None:
    """End the session and blacklist the token that asked for it. Raises SessionEnded if it was erased a moment ago."""
    event = events.NewEvent(
        action=actions.LOGOUT,
        customer_id=customer_id,
        user_id=user_id,
        context=context.by(actors.user(user_id)),
        details={"session": str(session_id)},
    )
    facts: dict[str, Any] = {"session_id": session_id, "customer_id": customer_id, "jti": jti}
    facts |= {"token_expires_at": token_expires_at, "now": context.now, "reason": EndReason.LOGOUT.value}
    told = Told.of(state.subject(customer_id, session_id))
    with prepared.cursor() as cursor:
        cursor.execute(LOG_OUT, {**facts, **event.parameters(), **told.parameters()})
        if cursor.rowcount != 1:
            raise SessionEnded
    told.done()


def end_one(
    *,
    customer_id: UUID,
    user_id: UUID,
    session_id: UUID,
    reason: EndReason,
    context: RequestContext,
) -> None:
    """End one session of this user. Raises NotFound when it has no such living session."""
    with transaction.atomic():
        ended = _end(
            alive(customer_id=customer_id, user_id=user_id, now=context.now).filter(id=session_id), reason, context.now
        )
        if not ended:
            raise NotFound
        _record(actions.SESSION_ENDED, customer_id, user_id, context, session=str(session_id), reason=reason)
        announce(state.subject(customer_id, session_id))


def end_all(
    *,
    customer_id: UUID,
    user_id: UUID,
    except_for: UUID | None = None,
    reason: EndReason,
    context: RequestContext,
) -> int:
    """End every session of this user, except perhaps one. Returns how many."""
    with transaction.atomic():
        living = alive(customer_id=customer_id, user_id=user_id, now=context.now)
        if except_for is not None:
            living = living.exclude(id=except_for)
        ended = _end(living, reason, context.now)
        if ended:
            _record(actions.SESSION_ENDED, customer_id, user_id, context, count=len(ended), reason=reason)
        announce(*(state.subject(customer_id, session_id) for session_id in ended))
        return len(ended)


def end_these(
    *, customer_id: UUID, user_id: UUID, session_ids: Collection[UUID], reason: EndReason, context: RequestContext
) -> None:
    """End these sessions of the user: those that are alive, if any."""
    with transaction.atomic():
        living = alive(customer_id=customer_id, user_id=user_id, now=context.now).filter(id__in=session_ids)
        ended = _end(living, reason, context.now)
        if ended:
            _record(actions.SESSION_ENDED, customer_id, user_id, context, count=len(ended), reason=reason)
        announce(*(state.subject(customer_id, session_id) for session_id in ended))


def end_begun_by_test_keys(*, customer_id: UUID, user_id: UUID, context: RequestContext) -> None:
    """End the sessions of a new administrator that were begun with test keys: anybody who holds such a key may have begun them.

    In the caller's transaction.
    """
    sandboxed = alive(customer_id=customer_id, user_id=user_id, now=context.now).exclude(sandbox_key_id="")
    ended, reason = _end(sandboxed, EndReason.OPERATOR, context.now), EndReason.OPERATOR
    if ended:
        _record(actions.SESSION_ENDED, customer_id, user_id, context, count=len(ended), reason=reason)
    announce(*(state.subject(customer_id, session_id) for session_id in ended))


def end_all_of_customer(*, customer_id: UUID, now: datetime) -> int:
    """End every session of a customer, in the caller's transaction."""
    announce(whole_customer(customer_id))
    patience.take_time()  # a customer may have millions
    living = _locked(Session.objects.of(customer_id).filter(ended_at=None))
    return Session.objects.filter(id__in=living).update(ended_at=now, end_reason=EndReason.EMERGENCY_ROTATION)


def end_all_of_client(*, customer_id: UUID, oauth_client_id: str, now: datetime) -> int:
    """End every session of a registered client, in the caller's transaction."""
    announce(whole_customer(customer_id))
    patience.take_time()  # a client may have as many as its customer
    living = _locked(Session.objects.of(customer_id).filter(oauth_client_id=oauth_client_id, ended_at=None))
    return Session.objects.filter(id__in=living).update(ended_at=now, end_reason=EndReason.CLIENT_DISABLED)


def note_activity(*, customer_id: UUID, session: state.SessionState, now: datetime) -> None:
    """Write that the session was used, at most once a minute among all processes."""
    if now.timestamp() < activity_due_at(session):
        return
    if len(_noted) > MOST_NOTED:
        _noted.clear()
    _noted[session.id] = now.timestamp()
    a_minute_ago = now - timedelta(seconds=ACTIVITY_WRITTEN_AFTER_SECONDS)
    mine = Session.objects.of(customer_id).filter(id=session.id)
    mine.filter(last_activity_at__lt=a_minute_ago).update(last_activity_at=now)


def activity_due_at(session: state.SessionState) -> float:
    """From when on (unix time) it is to be written that the session is used."""
    return max(session.last_activity_at, _noted.get(session.id, 0.0)) + ACTIVITY_WRITTEN_AFTER_SECONDS


def _make_room(session: Session, customer: CustomerState, context: RequestContext) -> None:
    """End the sessions least lately used if there are too many beside this one. One statement if there are not."""
    too_many = session_rows.surplus(session, room=customer.sessions_per_user - 1, now=context.now)
    if not too_many:
        return
    ended = _end(Session.objects.filter(id__in=too_many), EndReason.TOO_MANY, context.now)
    own = context.by(actors.user(session.user_id))
    _record(actions.SESSION_ENDED, customer.id, session.user_id, own, count=len(ended), reason=EndReason.TOO_MANY)
    announce(*(state.subject(customer.id, session_id) for session_id in ended))


def _end(sessions: QuerySet[Session], reason: EndReason, now: datetime) -> list[UUID]:
    """End the living ones among these sessions; returns their ids. They are locked first, so that no refresh comes in between."""
    ids = list(_locked(sessions.filter(ended_at=None)))
    Session.objects.filter(id__in=ids).update(ended_at=now, end_reason=reason)
    return ids


def _locked(sessions: QuerySet[Session]) -> "QuerySet[Session, UUID]":
    """The sessions' ids, always locked in one order: else two calls that end the same ones would deadlock."""
    return sessions.order_by("id").select_for_update(of=("self",)).values_list("id", flat=True)


def _record(
    action: str,
    customer_id: UUID,
    user_id: UUID,
    context: RequestContext,
    **details: object,
) -> None:
    events.record(action=action, customer_id=customer_id, user_id=user_id, context=context, details=details)
