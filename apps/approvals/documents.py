"""The identity documents of a user who waits for a decision: shown to operators, named by the decision, deleted a while after it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apps.approvals.models import CheckState, IdentityCheck
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.files import deletion, sending
from apps.files.models import IDENTITY_DOCUMENT, UserFile
from apps.files.sending import OpenContent

BATCH = 500


@dataclass(frozen=True)
class OpenDocument:
    """A document that an operator reads. Close its content."""

    file: UserFile
    content: OpenContent = field(repr=False)


def of(check: IdentityCheck) -> QuerySet[UserFile]:
    """Those whose content has come, and of this check's user alone."""
    files = UserFile.objects.of(check.customer_id).filter(user_id=check.user_id, purpose=IDENTITY_DOCUMENT)
    return files.exclude(content=None).order_by("id")


def named(check: IdentityCheck) -> list[dict[str, str]]:
    """The documents that are there, as the event of a decision names them."""
    return [{"file": str(file.id), "sha256": file.sha256} for file in of(check)[:BATCH]]


def open_for_operator(
    check: IdentityCheck, *, file_id: UUID, still_allowed: Callable[[], None], context: RequestContext
) -> OpenDocument:
    """Open one of the check's documents. From now on it cannot be replaced. Raises NotFound, and as `sending` does."""
    with transaction.atomic():
        locked = of(check).select_related("content").select_for_update(of=("self",), no_key=True)
        file = locked.filter(id=file_id).first()
        if file is None:
            raise NotFound
        UserFile.objects.filter(id=file.id, opened_at=None).update(opened_at=context.now)
    return OpenDocument(file, sending.open_content(file, still_allowed=still_allowed, context=context))


def delete_old(*, now: datetime) -> int:
    """Delete documents that served their purpose: of users decided upon so many days ago. Returns how many.

    One that was uploaded since counts its own days, so that it is there for another decision.
    """
    before = now - timedelta(days=settings.IDENTITY_DOCUMENTS_KEPT_DAYS)
    old = UserFile.objects.filter(
        purpose=IDENTITY_DOCUMENT, created_at__lt=before, user__identity_check__decided_at__lt=before
    ).exclude(user__identity_check__state=CheckState.WAITING)
    context = RequestContext.system(now=now)
    deleted = 0
    for file_id in list(old.order_by("created_at").values_list("id", flat=True)[:BATCH]):
        deleted += _delete(file_id, context)
    return deleted


def _delete(file_id: UUID, context: RequestContext) -> bool:
    """False if it is gone already, or is being deleted at this moment."""
    with transaction.atomic():
        file = UserFile.objects.select_for_update(skip_locked=True).filter(id=file_id).first()
        if file is not None:
            deletion.delete_locked(file, context=context)
    return file is not None
