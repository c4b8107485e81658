"""Deleting a file. Its key goes with its row, so from then on the content is unreadable; `sweeping` removes what is in the storage."""

from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.files.models import UserFile


def delete(*, customer_id: UUID, user_id: UUID, file_id: UUID, context: RequestContext) -> None:
    """Raises NotFound."""
    with transaction.atomic():
        mine = UserFile.objects.of(customer_id).filter(user_id=user_id)
        file = mine.select_for_update().filter(id=file_id).first()
        if file is None:
            raise NotFound
        delete_locked(file, context=context)


def delete_locked(file: UserFile, *, context: RequestContext) -> None:
    """In the caller's transaction, which has locked the file."""
    facts = {"file": str(file.id), "purpose": file.purpose}
    file.delete()
    events.record(
        action=actions.FILE_DELETED, customer_id=file.customer_id, user_id=file.user_id, context=context, details=facts
    )
