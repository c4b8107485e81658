"""Undoing a change of address from the old mailbox, for a user who did not want it (contract 4, change-email/undo).

Somebody who could change the address knew the password, and may have done more. So sessions and password end too, and
what was issued before is void. The link itself survives changes of credentials: a thief would make one to get rid of it.
"""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.accounts import new_address, reset_links
from apps.accounts.errors import EmailTaken, InvalidUndoToken
from apps.accounts.models import EmailChange
from apps.audit import actions, refusals, steps
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.core import actors, ciphers, rate_limits
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.factors import removal
from apps.otp import attempt_limits
from apps.signin import owner_lookup
from apps.signin.models import Password
from apps.tokens import sessions
from apps.tokens.models import EndReason
from apps.users import credentials, directory, user_events
from apps.users.models import User, UserStatus


@dataclass(frozen=True)
class UndoRequest:
    """The token that was sent to the old address. `customer`: the one that it is presented at.

    `owners_too`: neither a key nor a page has named that customer, so an owner may mean the customer that they made.
    """

    customer: CustomerState
    owners_too: bool
    token: str = field(repr=False)
    context: RequestContext


def undo(request: UndoRequest) -> None:
    """Give the account its old address back, and end every session. Raises InvalidUndoToken, EmailTaken, RateLimited."""
    hit = attempt_limits.hit_network(request.customer, request.context)
    change = _find(request)
    customer = customers.read(change.customer_id)
    customers.require_active(customer)
    try:
        with rate_limits.uncounted_if_it_fails(hit), transaction.atomic():
            _move_back(change, customer, request)
    except IntegrityError as error:
        raise EmailTaken from error


def _find(request: UndoRequest) -> EmailChange:
    """The change that can be undone with this token."""
    undoable = EmailChange.objects.filter(undone_at=None, undo_until__gt=request.context.now)
    presented = owner_lookup.presented_at(request.customer, owners_too=request.owners_too)
    change = undoable.filter(presented, undo_digest=ciphers.digest(request.token.encode())).first()
    if change is None:
        refusals.record(
            NewRefusal(
                rule=reset_links.USELESS_LINK,
                step=steps.UNDO_EMAIL_CHANGE,
                action=actions.EMAIL_CHANGE_UNDO_REJECTED,
                outcome=Outcome.FAILURE,
                severity=Severity.LOW,
                customer_id=request.customer.id,
                context=request.context,
            )
        )
        raise InvalidUndoToken
    return change


def _move_back(change: EmailChange, customer: CustomerState, request: UndoRequest) -> None:
    """Undo the change and every later one."""
    user = directory.lock(change.user_id)
    changes = EmailChange.objects.filter(user=user, undone_at=None)
    if user is None or user.status == UserStatus.DEACTIVATED:
        raise InvalidUndoToken  # the link stays good for when the account is open again
    if not changes.filter(id=change.id).update(undone_at=request.context.now):
        raise InvalidUndoToken
    changes.filter(confirmed_at__gte=change.confirmed_at).update(undone_at=request.context.now)
    new_address.give(user, change.old_email, request.context)
    _drop_what_came_with_it(user, change, request.context.now)
    sessions.end_all(
        customer_id=user.customer_id,
        user_id=user.id,
        reason=EndReason.EMAIL_CHANGE_UNDONE,
        context=request.context.by(actors.user(user.id)),
    )
    user_events.record_own(actions.EMAIL_CHANGE_UNDONE, user, request.context, severity=Severity.HIGH)
    reset_links.send(user, customer=customer, context=request.context)


def _drop_what_came_with_it(user: User, change: EmailChange, now: datetime) -> None:
    """Remove the password, which was known to the one who changed the address, and the factors enrolled since."""
    Password.objects.filter(user=user).delete()
    credentials.change(user, now=now)
    if change.confirmed_at is not None:
        removal.remove_since(user, change.confirmed_at)
