"""Content on its way: how slow a transfer may be, and that it ends when the user may no more."""

import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from apps.files.errors import FileSizeMismatch, UploadTooSlow

ASKED_EVERY_SECONDS = 1.0  # whether the transfer may go on
# An upload may take ten minutes, and longer if at least so much comes in a second.
UNHURRIED_SECONDS, SLOWEST_BYTES_PER_SECOND = 600.0, 32 * 1024


class MeasuredContent:
    """A content as it comes in: refused when it is longer or shorter than announced, or comes too slowly."""

    def __init__(self, content: Iterable[bytes], *, expected: int) -> None:
        self._content, self._expected = content, expected
        self._started, self._length, self._digest = time.monotonic(), 0, sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Raises FileSizeMismatch or UploadTooSlow."""
        for block in self._content:
            self._length += len(block)
            if self._length > self._expected:
                raise FileSizeMismatch
            self._require_speed()
            self._digest.update(block)
            yield block
        if self._length != self._expected:
            raise FileSizeMismatch

    @property
    def sha256(self) -> str:
        """Of what has come so far."""
        return self._digest.hexdigest()

    def _require_speed(self) -> None:
        if time.monotonic() - self._started > UNHURRIED_SECONDS + self._length / SLOWEST_BYTES_PER_SECOND:
            raise UploadTooSlow


def calling(content: Iterable[bytes], do: Callable[[], None], *, every: float) -> Iterator[bytes]:
    """The same content. While it moves, `do` is called about every so many seconds; what it raises ends the transfer."""
    last = time.monotonic()
    for block in content:
        if time.monotonic() - last >= every:
            do()
            last = time.monotonic()
        yield block
