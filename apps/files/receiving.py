"""Receiving a content: it is measured, looked at, encrypted and stored on its way, and counts only when all of it was right.

Whatever goes wrong before leaves nothing: neither here nor in the storage.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from apps.audit import actions
from apps.core import actors, sealed
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.customers.state import CustomerState
from apps.files import content_cipher, content_types, object_store, places, stored_objects, transfers
from apps.files.errors import FileFixed, FileTypeNotAllowed, UploadSuperseded
from apps.files.models import IDENTITY_DOCUMENT, StoredObject, UserFile
from apps.files.reservation import CONTENT_COMES_WITHIN
from apps.files.transfers import MeasuredContent
from apps.users import directory, user_events
from apps.users.models import User


@dataclass(frozen=True)
class Upload:
    """A content that comes in for a file. `still_allowed` raises when the user may no more, who is signed in no longer perhaps."""

    file: UserFile
    customer: CustomerState
    content: Iterator[bytes] = field(repr=False)
    still_allowed: Callable[[], None] = field(repr=False)
    context: RequestContext


@dataclass(frozen=True)
class Received:
    """A content that has come in whole and right, and the key that opens it."""

    stored: StoredObject
    key: bytes = field(repr=False)
    media_type: str
    sha256: str


def receive(upload: Upload) -> UserFile:
    """The file with its content. A repeated upload takes the place of the one before.

    Raises InvalidEnvelope, FileSizeMismatch, FileTypeNotAllowed, UploadTooSlow, UploadSuperseded, FileFixed, NotFound,
    TemporarilyUnavailable, and what `still_allowed` raises.
    """
    with places.place(customer_id=upload.customer.id, actor=actors.user(upload.file.user_id)):
        stored = stored_objects.begin(upload.customer.id)
        try:
            file = _complete(upload, _store(upload, stored))
        except BaseException:
            stored_objects.discard(stored)
            raise
    if file.content_id != stored.id:  # the same content was there already
        stored_objects.discard(stored)
    return file


def _store(upload: Upload, stored: StoredObject) -> Received:
    measured = MeasuredContent(upload.content, expected=upload.file.size)
    head, content = content_types.split_head(iter(measured))
    media_type = content_types.of(head)
    if media_type not in upload.customer.file_types:
        raise FileTypeNotAllowed
    key = content_cipher.new_key()
    content = transfers.calling(content, upload.still_allowed, every=transfers.ASKED_EVERY_SECONDS)
    content = transfers.calling(content, lambda: _show_life(upload.file, stored), every=60)
    object_store.write(stored.name, content_cipher.seal(content, key=key, object_id=stored.id))
    return Received(stored, key, media_type, measured.sha256)


def _show_life(file: UserFile, stored: StoredObject) -> None:
    stored_objects.show_life(stored)
    waiting = UserFile.objects.of(file.customer_id).filter(id=file.id, content=None)
    waiting.update(expires_at=timezone.now() + CONTENT_COMES_WITHIN)


def _complete(upload: Upload, received: Received) -> UserFile:
    """Let the content count: if the user still may, the file is still there, and no other upload was faster."""
    with transaction.atomic():
        user = directory.hold(upload.file.user_id)  # so an erasure or deactivation at this moment comes before or after
        upload.still_allowed()
        file = _lock(upload.file)
        if file.sha256 == received.sha256:
            return file
        _require_replaceable(file, upload.file)
        if not stored_objects.settle(received.stored):
            raise UploadSuperseded
        _fill(file, received, upload.context)
        _record(file, user, upload.context)
    return file


def _lock(file: UserFile) -> UserFile:
    """The file as it is now. Raises NotFound."""
    present = UserFile.objects.of(file.customer_id).select_for_update(no_key=True).filter(id=file.id).first()
    if present is None:
        raise NotFound
    return present


def _require_replaceable(present: UserFile, before: UserFile) -> None:
    """Raises UploadSuperseded if the file has got another content since this upload began; FileFixed."""
    if present.content_id != before.content_id:
        raise UploadSuperseded
    if present.purpose == IDENTITY_DOCUMENT and present.opened_at is not None:
        raise FileFixed


def _fill(file: UserFile, received: Received, context: RequestContext) -> None:
    file.content, file.media_type, file.sha256 = received.stored, received.media_type, received.sha256
    file.uploaded_at, file.expires_at = context.now, None
    sealed.write(file, "content_key", received.key)
    file.save(update_fields=["content", "media_type", "sha256", "uploaded_at", "expires_at", "content_key"])


def _record(file: UserFile, user: User, context: RequestContext) -> None:
    """Never its name, which is the user's data: events stay when the user goes."""
    user_events.record_own(
        actions.FILE_UPLOADED,
        user,
        context,
        file=str(file.id),
        purpose=file.purpose,
        size=file.size,
        sha256=file.sha256,
    )
