"""Handing out a content: decrypted piece by piece, for as long as its reader may have it."""

from collections.abc import Callable, Generator, Iterator

import structlog

from apps.audit import actions, events
from apps.core import sealed
from apps.core.ciphers import DecryptionFailed
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.files import content_cipher, object_store, places, transfers
from apps.files.models import UserFile

log = structlog.get_logger(__name__)


class OpenContent(Iterator[bytes]):
    """A content that is being read. Close it: it holds one of the places for transfers."""

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        """Reads the first piece, so that what cannot be read is refused while there is still an answer to refuse it with."""
        self._pieces = pieces
        self._first: bytes | None = next(pieces)

    def __next__(self) -> bytes:
        first, self._first = self._first, None
        return next(self._pieces) if first is None else first

    def close(self) -> None:
        self._pieces.close()


def open_content(file: UserFile, *, still_allowed: Callable[[], None], context: RequestContext) -> OpenContent:
    """The content of this file, and an event that says who has it.

    `still_allowed` is asked about once a second, and what it raises ends the transfer.
    Raises NotFound if no content has come yet; TemporarilyUnavailable; DecryptionFailed if it is not as it was stored.
    """
    content = OpenContent(_pieces(file, still_allowed, context.actor))
    facts = {"file": str(file.id), "purpose": file.purpose, "sha256": file.sha256}
    try:
        events.record(
            action=actions.FILE_OPENED,
            customer_id=file.customer_id,
            user_id=file.user_id,
            context=context,
            details=facts,
        )
    except BaseException:
        content.close()
        raise
    return content


def _pieces(file: UserFile, still_allowed: Callable[[], None], actor: str) -> Generator[bytes, None, None]:
    if file.content is None:
        raise NotFound
    key = sealed.read(file, "content_key")
    with places.place(customer_id=file.customer_id, actor=actor):
        kept = object_store.read(file.content.name)
        content = content_cipher.unseal(kept, key=key, object_id=file.content.id)
        try:
            yield from transfers.calling(content, still_allowed, every=transfers.ASKED_EVERY_SECONDS)
        except DecryptionFailed:
            log.exception("file_damaged", file=str(file.id), object=file.content.name)
            raise
