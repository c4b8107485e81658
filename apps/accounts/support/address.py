"""An operator proves or changes a user's address: for a reason, which the audit trail keeps.

Whoever can do this can give an account away. So a proven old address is told, and can undo it unless the operator says that it is
in the wrong hands; and what was set before anybody had proven the old address is removed, as by the first proof (`first_proof`).
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts import email_change, new_address
from apps.accounts.errors import AlreadyProven, EmailTaken
from apps.accounts.models import EmailChange
from apps.audit import actions
from apps.audit.models import Severity
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.core.ids import new_id
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.otp import code_requests
from apps.signin import first_proof
from apps.users import credentials, directory, emails, notices, user_events
from apps.users.emails import Address
from apps.users.models import User

LONGEST_REASON = 200


@dataclass(frozen=True)
class AddressChange:
    """`old_is_lost`: nobody, or the wrong person, reads the old mailbox. It is told all the same, but cannot undo the change."""

    user: User
    address: Address
    reason: str
    old_is_lost: bool
    context: RequestContext


def prove(user: User, *, reason: str, context: RequestContext) -> None:
    """Mark the address as proven, without a code. Raises AlreadyProven, ValidationFailed or NotFound."""
    customer, reason = customers.read(user.customer_id), _clean(reason)
    with transaction.atomic():
        present = directory.hold(user.id)
        if present.email_verified_at is not None:
            raise AlreadyProven
        first_proof.by_operator(present, reason=reason, customer=customer, context=context)


def change(wanted: AddressChange) -> None:
    """Give the user the address, which is proven from now on. Codes and links that were sent to the old one are void.

    Sessions, password and factors of a user whose old address was proven stay. Raises EmailTaken, ValidationFailed or NotFound.
    """
    customer, reason = customers.read(wanted.user.customer_id), _clean(wanted.reason)
    try:
        with transaction.atomic():
            _change(wanted, directory.hold(wanted.user.id), reason, customer)
    except IntegrityError as error:
        raise EmailTaken from error


def _change(wanted: AddressChange, user: User, reason: str, customer: CustomerState) -> None:
    context, old, old_identity = wanted.context, user.email, user.email_identity
    if old == wanted.address.typed:
        raise ValidationFailed(fields={"email": [_("The user has this address already.")]})
    was_proven = user.email_verified_at is not None
    if not was_proven:
        first_proof.by_operator(user, reason=reason, customer=customer, context=context)
    new_address.give(user, wanted.address.typed, context)
    credentials.change(user, now=context.now)
    user_events.record(actions.EMAIL_CHANGED, user, context, severity=Severity.MEDIUM, reason=reason)
    code_requests.withdraw_on_commit(user.customer_id, old_identity)
    if was_proven and not wanted.old_is_lost:
        email_change.announce(_noted(user, old, context), user, customer=customer, context=context)
        return
    _void_links_to(old, user, context)
    new = {"new_email": email_change.masked(user.email)} if was_proven else {}
    notices.post(notices.EMAIL_CHANGED, customer=customer, user=user, context=context, recipient=old, **new)


def _noted(user: User, old: str, context: RequestContext) -> EmailChange:
    """The change, as if its code had been given at once: the link in the mail leads to it."""
    return EmailChange.objects.create(
        customer_id=user.customer_id,
        user=user,
        old_email=old,
        new_email=user.email,
        message_id=new_id(),
        credentials_version=user.credentials_version,
        created_at=context.now,
        expires_at=context.now,
        confirmed_at=context.now,
    )


def _void_links_to(old: str, user: User, context: RequestContext) -> None:
    """Links that lie in that mailbox, by which it could take the account back."""
    undoable = EmailChange.objects.of(user.customer_id).filter(user=user, undone_at=None, undo_until__gt=context.now)
    there = [row.id for row in undoable if emails.same_mailbox(row.old_email, old)]
    EmailChange.objects.filter(id__in=there).update(undo_until=context.now)


def _clean(reason: str) -> str:
    """Events outlive the user, so they hold no address (contract 8). Raises ValidationFailed."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON or "@" in reason:
        text = _("Give a reason of at most %d characters, without an address: it is kept for ever.") % LONGEST_REASON
        raise ValidationFailed(fields={"reason": [text]})
    return reason
