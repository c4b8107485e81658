"""What nobody waits for any more: files whose content never came, and objects in the storage that no file names.

It does not matter how an object came to be nobody's: its file was deleted, its user erased, its upload cut off by the end of its
process. What the storage refuses to delete now is deleted later.
"""

from datetime import datetime

from django.db.models import Exists, OuterRef

from apps.core import batches
from apps.core.errors import TemporarilyUnavailable
from apps.files import stored_objects
from apps.files.models import StoredObject, UserFile

BATCH = 500


def sweep(*, now: datetime) -> int:
    """Returns how many objects were removed."""
    batches.delete(UserFile.objects.filter(content=None, expires_at__lt=now), by="expires_at")
    doom(now=now)
    return remove_doomed()


def doom(*, now: datetime) -> None:
    """Find the objects that are nobody's; from here on no upload can make them count.

    Two statements. An upload that is being completed clears `uploading_until` and names the object in one transaction: the first
    statement waits for it, and then does not find it any more; the second did not see it at all.
    """
    StoredObject.objects.filter(doomed=False, uploading_until__lt=now).update(doomed=True)
    named = Exists(UserFile.objects.filter(content=OuterRef("pk")))
    StoredObject.objects.filter(~named, doomed=False, uploading_until=None).update(doomed=True)


def remove_doomed() -> int:
    """Returns how many. Ends early if the storage is away: the next run goes on."""
    removed = 0
    for stored in StoredObject.objects.filter(doomed=True).order_by("id")[:BATCH]:
        try:
            stored_objects.remove(stored)
        except TemporarilyUnavailable:
            break
        removed += 1
    return removed
