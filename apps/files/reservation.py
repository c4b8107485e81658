"""Announcing a file: what it is called, what it is for, how large it is. Its bytes count from then on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.core.context import RequestContext
from apps.core.errors import refused_by_field
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.files.errors import FileQuotaExceeded, FileTooLarge
from apps.files.models import FileUse, UserFile
from apps.users import directory

CONTENT_COMES_WITHIN = timedelta(hours=1)  # of the announcement, or of the last sign of life of an upload
TOTAL_BYTES = "total_file_bytes"  # the limit's stable name

TAKE = f"""
INSERT INTO {FileUse._meta.db_table} AS taken (customer_id, bytes) SELECT %(customer_id)s, %(size)s WHERE %(size)s <= %(total)s
ON CONFLICT (customer_id) DO UPDATE SET bytes = taken.bytes + excluded.bytes WHERE taken.bytes + excluded.bytes <= %(total)s
"""


@dataclass(frozen=True)
class NewFile:
    """What a client says of a file before it sends the content. `size` in bytes."""

    name: str
    purpose: str
    size: int


def reserve(new: NewFile, *, customer: CustomerState, user_id: UUID, context: RequestContext) -> UserFile:
    """The file, without its content yet. Raises FileTooLarge, FileQuotaExceeded, ValidationFailed, NotFound."""
    if new.size > customer.largest_file_bytes:
        raise FileTooLarge
    with transaction.atomic():
        user = directory.hold(user_id)  # so the user's files are counted one after the other
        _require_fewer(customer, user_id)
        _take_bytes(customer, new.size)
        file = _row(new, customer.id, user.id, context.now)
        file.save(force_insert=True)
    return file


def _require_fewer(customer: CustomerState, user_id: UUID) -> None:
    """A tiny file costs us a row and an object, too."""
    limit = customer.limit(limits.FILES_PER_USER)
    if UserFile.objects.of(customer.id).filter(user_id=user_id).count() >= limit.count:
        raise _quota_exceeded(limit.name)


def _take_bytes(customer: CustomerState, size: int) -> None:
    """One statement: of any number at once, only so many take bytes as there is room for. Raises FileQuotaExceeded."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"customer_id": customer.id, "size": size, "total": customer.total_file_bytes})
        if cursor.rowcount != 1:
            raise _quota_exceeded(TOTAL_BYTES)


def _quota_exceeded(limit: str) -> FileQuotaExceeded:
    """Room comes when files are deleted; at the latest then, those whose content never came are."""
    return FileQuotaExceeded(limit=limit, retry_after=CONTENT_COMES_WITHIN.total_seconds())


def _row(new: NewFile, customer_id: UUID, user_id: UUID, now: datetime) -> UserFile:
    file = UserFile(
        customer_id=customer_id,
        user_id=user_id,
        name=new.name,
        purpose=new.purpose,
        size=new.size,
        created_at=now,
        expires_at=now + CONTENT_COMES_WITHIN,
    )
    with refused_by_field():
        file.full_clean(exclude=["customer", "user", "content"], validate_unique=False)
    return file
