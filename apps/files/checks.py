"""What `check --deploy` says of the storage: it is tried, by keeping an object and removing it."""

from typing import Any
from uuid import uuid4

from django.core.checks import CheckMessage, Error, register

from apps.core.errors import TemporarilyUnavailable
from apps.files import object_store

PROBE = b"Gatehouse has tried whether files can be kept here."
HINT = "FILES_ROOT (a folder that the service's user may write to) or FILES_STORAGE_URL (a bucket) says where files are kept."


@register("files", deploy=True)
def storage_works(**_options: Any) -> list[CheckMessage]:
    """An error that says what the storage said."""
    name = f"probe/{uuid4()}"
    try:
        object_store.write(name, [PROBE])
        found = b"".join(object_store.read(name))
        object_store.remove(name)
    except TemporarilyUnavailable as error:
        said = error.__cause__
        return [Error(f"Files cannot be kept: {type(said).__name__}: {said}", hint=HINT, id="gatehouse.E002")]
    if found != PROBE:
        return [Error("Files cannot be kept: what was read is not what was written.", hint=HINT, id="gatehouse.E002")]
    return []
