"""A session whose user proves once more who they are: its attempts, and the new tokens (contract 3.10).

Attempts are counted for the session alone. A thief of a token can guess a few times, then the session ends; the attempts that
the user needs to sign in are not used up.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.customers.state import CustomerState
from apps.tokens import minting, payload_keys, refreshing, sessions
from apps.tokens.errors import SessionEnded
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.tokens.proof import Proof, ordered
from apps.users.state import UserState

MOST_TRIES = 10  # in a row: codes asked for and proofs given, until one is right


def count_try(*, customer_id: UUID, user_id: UUID, session_id: UUID, context: RequestContext) -> None:
    """Count one attempt of the session, and commit that before the attempt is made.

    If none is left, ends the session and raises SessionEnded.
    """
    mine = Session.objects.of(customer_id).filter(user_id=user_id, id=session_id, ended_at=None)
    if mine.filter(proofs_tried__lt=MOST_TRIES).update(proofs_tried=F("proofs_tried") + 1):
        return
    with suppress(NotFound):  # another attempt has ended it meanwhile
        _end(customer_id, user_id, session_id, context)
    raise SessionEnded


def forget_tries(*, customer_id: UUID, session_id: UUID) -> None:
    """An attempt was right: the count starts again at 0. In the caller's transaction."""
    Session.objects.of(customer_id).filter(id=session_id).update(proofs_tried=0)


def renew(
    *,
    customer: CustomerState,
    user: UserState,
    session_id: UUID,
    amr: tuple[str, ...],
    now: datetime,
) -> TokenPair:
    """New tokens of the same session, whose user has just proven who they are by `amr`; the old refresh token is used up.

    In the caller's transaction, which has locked the user. Raises SessionEnded.
    """
    now = now.replace(microsecond=0)  # the tokens' times are whole seconds
    mine = Session.objects.of(customer.id).filter(id=session_id, user_id=user.id)
    session = mine.select_for_update(of=("self",)).first()
    if session is None or session.ended_at is not None:
        raise SessionEnded
    proof = Proof(int(now.timestamp()), ordered((*session.amr.split(), *amr)))
    refresh = _next_refresh_token(session, customer, now)
    newest = max(now, session.auth_time or now)  # of two proofs at once the later counts
    mine.update(auth_time=newest, amr=" ".join(proof.amr), proofs_tried=0)
    return minting.pair(
        customer=customer,
        user=user,
        refresh=refresh,
        proof=proof,
        delivery=session.delivery,
        payload_key=payload_keys.unsealed(session.id, session.payload_key),
    )


def _next_refresh_token(session: Session, customer: CustomerState, now: datetime) -> RefreshToken:
    """The successor of the session's refresh token, or the token itself if it was issued within the grace.

    So two tabs that do this at once do not use up each other's refresh token.
    """
    unused = RefreshToken.objects.filter(session=session, used_at=None)
    present = unused.order_by("issued_at", "id").last()
    if present is None:
        raise SessionEnded
    grace = timedelta(seconds=customer.refresh_grace)
    if now - present.issued_at < grace:
        return present
    return refreshing.rotate(present, session, customer, now)


def _end(customer_id: UUID, user_id: UUID, session_id: UUID, context: RequestContext) -> None:
    """Raises NotFound when it has ended already."""
    actor = actors.user(user_id)
    with transaction.atomic():
        sessions.end_one(
            customer_id=customer_id,
            user_id=user_id,
            session_id=session_id,
            reason=EndReason.WRONG_PROOFS,
            context=context.by(actor),
        )
        events.record(
            action=actions.REAUTHENTICATION_REJECTED,
            outcome=Outcome.DENIED,
            severity=Severity.HIGH,
            customer_id=customer_id,
            user_id=user_id,
            context=context.by(actor),
            details={"session": str(session_id), "tries": MOST_TRIES},
        )
