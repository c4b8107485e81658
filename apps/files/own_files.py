"""A user's own files: nobody else finds them, no other user of the same customer either."""

from uuid import UUID

from django.db.models import QuerySet

from apps.core.errors import NotFound
from apps.files.models import UserFile


def of(customer_id: UUID, user_id: UUID) -> QuerySet[UserFile]:
    return UserFile.objects.of(customer_id).filter(user_id=user_id)


def get(customer_id: UUID, user_id: UUID, file_id: UUID) -> UserFile:
    """Raises NotFound."""
    file = of(customer_id, user_id).select_related("content").filter(id=file_id).first()
    if file is None:
        raise NotFound
    return file
