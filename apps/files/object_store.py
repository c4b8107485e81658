"""Where content lies: STORAGES["files"], a folder or a bucket. Whatever fails there is one error, and is logged."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

import structlog
from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import DatabaseError

from apps.core.errors import GatehouseError, TemporarilyUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    BytesFile = File[bytes]  # generic in the stubs alone
else:
    BytesFile = File

ALIAS = "files"
PIECE_BYTES = 65_536

log = structlog.get_logger(__name__)


class Incoming(BytesFile):
    """What is to be stored, as Django's storages read it: once, from its beginning to its end."""

    def __init__(self, pieces: Iterable[bytes], name: str) -> None:
        super().__init__(BufferedReader(_Pieces(pieces), PIECE_BYTES), name)

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while piece := self.read(chunk_size or PIECE_BYTES):
            yield piece


class _Pieces(RawIOBase):
    """An iterator as a file that is read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces, self._waiting = iter(pieces), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """As much as fits. 0 at the end alone: empty pieces are passed over."""
        while not self._waiting and (piece := next(self._pieces, None)) is not None:
            self._waiting = piece
        into = memoryview(buffer)
        taken = self._waiting[: len(into)]
        into[: len(taken)] = taken
        self._waiting = self._waiting[len(taken) :]
        return len(taken)


def write(name: str, pieces: Iterable[bytes]) -> None:
    """Store the object. Raises TemporarilyUnavailable; and what `pieces` raises: then a part of the object may be there."""
    with _one_error("write", name):
        _storage().save(name, Incoming(pieces, name))


def read(name: str) -> Iterator[bytes]:
    """The object, piece by piece. Raises TemporarilyUnavailable, also when it is not there."""
    with _one_error("read", name), _storage().open(name, "rb") as stored:
        while piece := stored.read(PIECE_BYTES):
            yield piece


def remove(name: str) -> None:
    """Delete the object, or what there is of it; nothing happens if it is not there. Raises TemporarilyUnavailable."""
    with _one_error("remove", name):
        _storage().delete(name)


def _storage() -> Storage:
    return storages[ALIAS]


@contextmanager
def _one_error(doing: str, name: str) -> Iterator[None]:
    try:
        yield
    except (GatehouseError, DatabaseError):  # of those who send the pieces
        raise
    except Exception as error:
        log.exception("file_storage_failed", doing=doing, object=name, error=type(error).__name__)
        raise TemporarilyUnavailable from error
