"""Addresses with a fixed code until a date, for app-store review (contract 1.7). Off unless a customer lists some."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import actions, events
from apps.core import sealed, typed_codes
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.core.state.announcements import announce
from apps.customers import state
from apps.customers.models import Customer
from apps.customers.state import CustomerState
from apps.otp.models import FixedCode
from apps.users import directory, emails
from apps.users.emails import Address
from apps.users.models import BuiltInRole

SHORTEST, LONGEST = typed_codes.SHORTEST, 10


def code_for(customer: CustomerState, address: Address, *, now: datetime) -> str | None:
    """The fixed code of this address, if it has one today and is no administrator's. No query unless the customer lists any."""
    if not customer.has_fixed_codes:
        return None
    row = FixedCode.objects.of(customer.id).filter(email_identity=address.identity, valid_until__gt=now).first()
    if row is None:
        return None
    user = directory.find(customer.id, address.identity)
    if user is not None and user.role == BuiltInRole.ADMIN:
        return None
    return sealed.read(row, "code").decode()


def add(
    *,
    customer: Customer,
    email: str,
    code: str,
    valid_until: datetime,
    context: RequestContext,
) -> FixedCode:
    """List an address. Raises ValidationFailed."""
    address = emails.parse(email)
    meant = typed_codes.read(code)
    if not typed_codes.is_code(meant) or len(meant) > LONGEST:
        raise ValidationFailed(fields={"code": [_("Give 4 to 10 letters or digits.")]})
    row = FixedCode(
        customer=customer,
        email=address.typed,
        email_identity=address.identity,
        valid_until=valid_until,
        created_at=context.now,
    )
    sealed.write(row, "code", meant.encode())
    with transaction.atomic():
        _take_turns(customer.id)
        FixedCode.objects.of(customer.id).filter(email_identity=address.identity).delete()
        row.save(force_insert=True)
        _announce(customer, context, added=str(row.id))
    return row


def remove(row: FixedCode, *, context: RequestContext) -> None:
    """Take an address off the list."""
    with transaction.atomic():
        removed = str(row.id)  # not the address: events stay when a user is erased
        row.delete()
        _announce(row.customer, context, removed=removed)


def forget(customer_id: UUID, identity: str) -> None:
    """Take the address of a user who is being erased off the list. In the caller's transaction."""
    if FixedCode.objects.of(customer_id).filter(email_identity=identity).delete()[0]:
        _note_whether_listed(customer_id)


def _announce(customer: Customer, context: RequestContext, **details: str) -> None:
    _note_whether_listed(customer.id)
    events.record(
        action=actions.POLICY_CHANGED,
        customer_id=customer.id,
        context=context,
        details={"fixed_codes": details},
    )


def _take_turns(customer_id: UUID) -> None:
    """Lock the customer, so that of two changes of its list at once the second sees what the first has done."""
    Customer.objects.select_for_update(no_key=True).filter(id=customer_id).first()


def _note_whether_listed(customer_id: UUID) -> None:
    _take_turns(customer_id)
    listed = FixedCode.objects.of(customer_id).exists()
    Customer.objects.filter(id=customer_id).update(has_fixed_codes=listed)
    announce(state.subject(customer_id))
