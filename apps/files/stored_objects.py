"""Objects in the storage, and the rows that remember them: made before the object, and deleted after it."""

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.errors import TemporarilyUnavailable
from apps.files import object_store
from apps.files.models import StoredObject

# An upload that shows no life for so long is over, whatever has become of its process. It renews this as it goes.
UPLOAD_LEASE = timedelta(minutes=10)


def begin(customer_id: UUID) -> StoredObject:
    """The row of an object that is about to be written."""
    now = timezone.now()
    return StoredObject.objects.create(customer_id=customer_id, created_at=now, uploading_until=now + UPLOAD_LEASE)


def show_life(stored: StoredObject) -> None:
    """The upload goes on. If it was given up meanwhile it may as well: it cannot count any more."""
    _unsettled(stored).update(uploading_until=timezone.now() + UPLOAD_LEASE)


def settle(stored: StoredObject) -> bool:
    """The upload is complete, and a file is about to name the object, in the caller's transaction. False: it was given up."""
    return bool(_unsettled(stored).filter(doomed=False).update(uploading_until=None))


def discard(stored: StoredObject) -> None:
    """An upload has failed: nothing of it stays. What cannot be reached now, `sweeping` removes later.

    But if PostgreSQL has gone away during its commit, it may have succeeded after all: then the object stays.
    """
    with suppress(DatabaseError, TemporarilyUnavailable):
        if _unsettled(stored).update(doomed=True):
            remove(stored)


def remove(stored: StoredObject) -> None:
    """The object first, then its row: so it can be repeated. Raises TemporarilyUnavailable."""
    object_store.remove(stored.name)
    StoredObject.objects.filter(id=stored.id, doomed=True).delete()


def remove_with_customer(ids: Collection[UUID]) -> None:
    """Objects of a customer that is being deleted: no file names them any more. Raises TemporarilyUnavailable.

    In the caller's transaction, which has locked their rows: if the storage is away, the rows stay, and it is done once more.
    """
    for stored in StoredObject.objects.filter(id__in=ids):
        object_store.remove(stored.name)
    StoredObject.objects.filter(id__in=ids).delete()


def _unsettled(stored: StoredObject) -> QuerySet[StoredObject]:
    return StoredObject.objects.filter(id=stored.id, uploading_until__isnull=False)
