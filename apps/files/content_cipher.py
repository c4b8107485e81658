"""Content at rest (contract 2.3.2): AES-256-GCM, chunk by chunk, under a key that is the file's alone.

Each chunk is bound to its object, to its number, and to being the last or not: none can be moved, repeated, left out or added.
A chunk is a nonce (12 bytes), the ciphertext and its tag (16 bytes), as `ciphers.encrypt` makes it.
"""

import secrets
from collections.abc import Iterable, Iterator
from uuid import UUID

from apps.core import ciphers
from apps.core.blocks import in_blocks, with_last

KEY_BYTES = 32
CHUNK_BYTES = 65_536
OVERHEAD_BYTES = 28
SCHEME = "gatehouse/file/v1"


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def seal(content: Iterable[bytes], *, key: bytes, object_id: UUID) -> Iterator[bytes]:
    """The chunks to keep of this content."""
    for number, (block, is_last) in enumerate(with_last(in_blocks(content, CHUNK_BYTES))):
        yield ciphers.encrypt(block, key=key, associated_data=_place(object_id, number, is_last=is_last))


def unseal(kept: Iterable[bytes], *, key: bytes, object_id: UUID) -> Iterator[bytes]:
    """The content. Raises DecryptionFailed as soon as something is wrong: when the first chunks have been handed out, perhaps."""
    for number, (chunk, is_last) in enumerate(with_last(in_blocks(kept, CHUNK_BYTES + OVERHEAD_BYTES))):
        yield ciphers.decrypt(chunk, key=key, associated_data=_place(object_id, number, is_last=is_last))


def _place(object_id: UUID, number: int, *, is_last: bool) -> bytes:
    return f"{SCHEME}\0{object_id}\0{number}\0{'last' if is_last else 'more'}".encode()
