"""Deleting a customer with everything of it but the audit trail: begun by an operator, carried out in the background.

Each batch is one transaction, which also notes how far the deletion is. A worker that is killed loses the batch that it was at, and
the next run goes on with what is left.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from apps.accounts import deletion_plan
from apps.accounts.errors import NotDeletable
from apps.audit import actions, events, refusals
from apps.core import valkey
from apps.core.context import RequestContext
from apps.core.errors import TemporarilyUnavailable
from apps.core.state.announcements import announce
from apps.core.state.subjects import whole_customer
from apps.core.valkey import ValkeyUnavailable
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer, CustomerDeletion, CustomerStatus
from apps.files import stored_objects
from apps.files.models import StoredObject

SUSPENDED_FOR = timedelta(
    days=1
)  # so that nobody deletes in anger, and somebody notices that it does not work any more
BATCH = 500  # rows; with a user's row go some thirty others
OBJECTS_AT_ONCE = 50  # in a bucket each takes a request, and the transaction waits
STORAGE, VALKEY = "storage", "valkey"  # what a deletion may wait for

log = structlog.get_logger(__name__)


def possible_from(customer: Customer) -> datetime | None:
    """When the customer can be deleted. None: not as it is now."""
    if customer.id == DEFAULT_CUSTOMER_ID or customer.status != CustomerStatus.SUSPENDED or not customer.suspended_at:
        return None
    return customer.suspended_at + SUSPENDED_FOR


def start(customer: Customer, *, context: RequestContext) -> CustomerDeletion:
    """From the next request on, nothing of this customer counts, and it cannot be reactivated. Raises NotDeletable."""
    with transaction.atomic():
        row = Customer.objects.select_for_update().filter(id=customer.id).first()
        possible = possible_from(row) if row else None
        if row is None or possible is None or context.now < possible:
            raise NotDeletable(_refusal(row))
        row.status = CustomerStatus.DELETING
        row.save(update_fields=["status", "updated_at"])
        facts = {"name": row.name, "slug": row.slug}
        deletion = CustomerDeletion.objects.create(
            id=row.id, asked_by=context.actor, started_at=context.now, progress={}, **facts
        )
        events.record(action=actions.CUSTOMER_DELETION_STARTED, customer_id=row.id, context=context, details=facts)
        announce(whole_customer(row.id))
    return deletion


def _refusal(customer: Customer | None) -> str | None:
    if customer is not None and customer.id == DEFAULT_CUSTOMER_ID:
        return _("The default customer cannot be deleted: requests without a key belong to it.")
    return None


def go_on(*, seconds: float, clock: Callable[[], datetime]) -> int:
    """Delete for so long what is left of the customers that are being deleted. Returns how many are gone now."""
    until, gone = time.monotonic() + seconds, 0
    for deletion in CustomerDeletion.objects.filter(finished_at=None).order_by("started_at"):
        gone += _go_on_if_possible(deletion, until, clock)
        if time.monotonic() >= until:
            break
    return gone


def _go_on_if_possible(deletion: CustomerDeletion, until: float, clock: Callable[[], datetime]) -> bool:
    """While the storage or Valkey is away the deletion waits, and others go on."""
    try:
        is_gone = _go_on(deletion, until, clock)
    except TemporarilyUnavailable as error:
        deletion.waits_for = VALKEY if isinstance(error, ValkeyUnavailable) else STORAGE
        log.warning("customer_deletion_waits", customer_id=str(deletion.id), what=deletion.waits_for)
        is_gone = False
    else:
        deletion.waits_for = ""
    deletion.save(update_fields=["waits_for"])
    return is_gone


def _go_on(deletion: CustomerDeletion, until: float, clock: Callable[[], datetime]) -> bool:
    """True: it is gone. The second look finds what requests that were under way have written meanwhile; the next one can find nothing."""
    if not deletion.progress:
        _count(deletion)
    if not _empty_tables(deletion, until):
        return False
    _delete_row(deletion.id)
    if not _empty_tables(deletion, until):
        return False
    if not refusals.forget_addresses_of_customer(deletion.id):
        return False
    valkey.forget(deletion.id)
    _finish(deletion, RequestContext.system(now=clock()))
    return True


def _count(deletion: CustomerDeletion) -> None:
    """How much there is to do."""
    numbers = {model: deletion_plan.rows_of(deletion.id, model).count() for model in deletion_plan.tables()}
    deletion.progress = {model._meta.label: [0, number] for model, number in numbers.items() if number}
    deletion.save(update_fields=["progress"])


def _empty_tables(deletion: CustomerDeletion, until: float) -> bool:
    """False: time is up. A batch is done in any case, so that each run gets further."""
    for model in deletion_plan.tables():
        while _delete_batch(deletion, model):
            if time.monotonic() >= until:
                return False
    return True


def _delete_batch(deletion: CustomerDeletion, model: type[Model]) -> int:
    """Returns how many rows of this table were deleted. Raises TemporarilyUnavailable without the storage."""
    with transaction.atomic():
        rows = deletion_plan.rows_of(deletion.id, model)
        ids = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True)[: _size(model)])
        if not ids:
            return 0
        _delete(model, ids)
        _note(deletion, model, len(ids))
    return len(ids)


def _size(model: type[Model]) -> int:
    return OBJECTS_AT_ONCE if model is StoredObject else BATCH


def _delete(model: type[Model], ids: list[UUID]) -> None:
    """An object in the storage goes before its row, which is all that remembers it."""
    if model is StoredObject:
        stored_objects.remove_with_customer(ids)
    else:
        model._default_manager.filter(pk__in=ids).delete()


def _note(deletion: CustomerDeletion, model: type[Model], deleted: int) -> None:
    gone, total = deletion.progress.get(model._meta.label, (0, 0))
    gone += deleted
    deletion.progress[model._meta.label] = [gone, max(gone, total)]
    deletion.save(update_fields=["progress"])


def _delete_row(customer_id: UUID) -> None:
    """The customer itself. Whoever is just writing something of it waits for this lock, and then finds no customer."""
    with transaction.atomic():
        row = Customer.objects.select_for_update().filter(id=customer_id).first()
        if row is not None:
            row.delete()  # and what was written since its tables were emptied
            announce(whole_customer(customer_id))


def _finish(deletion: CustomerDeletion, context: RequestContext) -> None:
    with transaction.atomic():
        deletion.finished_at = context.now
        deletion.save(update_fields=["finished_at"])
        events.record(
            action=actions.CUSTOMER_DELETED,
            customer_id=deletion.id,
            context=context.by(deletion.asked_by),
            details={"name": deletion.name, "slug": deletion.slug, "rows": _rows(deletion)},
        )


def _rows(deletion: CustomerDeletion) -> dict[str, int]:
    return {label: gone for label, (gone, _total) in sorted(deletion.progress.items())}
