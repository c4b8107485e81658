"""Streams of files in transit (contract 2.3): RFC 8188 `aes128gcm`, record by record, so memory does not grow with the file."""

import secrets
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.core import ciphers
from apps.core.blocks import in_blocks, with_last
from apps.payloads.errors import InvalidEnvelope

RECORD_BYTES = 65_536
TAG_BYTES = 16
CONTENT_BYTES = RECORD_BYTES - TAG_BYTES - 1  # of a record: the last byte is the delimiter
SALT_BYTES = 16
FIXED_HEADER_BYTES = SALT_BYTES + 5  # salt, record size (4), length of the key id (1)
KEY_INFO, NONCE_INFO = b"Content-Encoding: aes128gcm\0", b"Content-Encoding: nonce\0"
MORE, LAST = b"\x01", b"\x02"  # the delimiter that ends a record's plaintext


def keying_material(prk: bytes, *, method: str, path: str) -> bytes:
    """The 32 bytes that encrypt one upload or download, bound to its call."""
    return ciphers.hkdf_expand(prk, info=f"file {method} {path}".encode())


@dataclass(frozen=True)
class _Keys:
    key: bytes = field(repr=False)
    nonce: int = field(repr=False)

    @classmethod
    def derive(cls, material: bytes, salt: bytes) -> "_Keys":
        prk = ciphers.hkdf_extract(salt=salt, input_key=material)
        nonce = ciphers.hkdf_expand(prk, info=NONCE_INFO, length=12)
        return cls(ciphers.hkdf_expand(prk, info=KEY_INFO, length=16), int.from_bytes(nonce))

    def nonce_of(self, record: int) -> bytes:
        return (self.nonce ^ record).to_bytes(12)


def encrypt(chunks: Iterable[bytes], *, material: bytes, key_id: str) -> Iterator[bytes]:
    """The encrypted stream of these chunks (of any size)."""
    salt = secrets.token_bytes(SALT_BYTES)
    keys, name = _Keys.derive(material, salt), key_id.encode()
    yield salt + struct.pack(">IB", RECORD_BYTES, len(name)) + name
    aead = AESGCM(keys.key)
    for number, (block, is_last) in enumerate(with_last(in_blocks(chunks, CONTENT_BYTES))):
        yield aead.encrypt(keys.nonce_of(number), block + (LAST if is_last else MORE), None)


def encrypted_length(size: int, *, key_id: str) -> int:
    """How many bytes `encrypt` makes of so many."""
    records = max(1, -(-size // CONTENT_BYTES))
    return FIXED_HEADER_BYTES + len(key_id.encode()) + size + records * (TAG_BYTES + len(LAST))


def decrypt(chunks: Iterable[bytes], *, material: bytes, key_id: str) -> Iterator[bytes]:
    """The plaintext of an encrypted stream, record by record.

    Raises InvalidEnvelope as soon as something is wrong, and at the end if the stream was cut off: so nothing that was
    yielded counts before the iterator has ended.
    """
    records = _blocks_after_header(iter(chunks))
    keys = _read_header(next(records), material, key_id)
    aead = AESGCM(keys.key)
    ended = False
    for number, record in enumerate(records):
        if ended:
            raise InvalidEnvelope
        plaintext, delimiter = _open(aead, keys.nonce_of(number), record)
        ended = delimiter == LAST
        yield plaintext
    if not ended:
        raise InvalidEnvelope


def _open(aead: AESGCM, nonce: bytes, record: bytes) -> tuple[bytes, bytes]:
    """A record's plaintext and its delimiter; padding (zeros after the delimiter) is dropped."""
    try:
        padded = aead.decrypt(nonce, record, None).rstrip(b"\0")
    except (InvalidTag, ValueError) as error:
        raise InvalidEnvelope from error
    if padded[-1:] not in (MORE, LAST):
        raise InvalidEnvelope
    if padded[-1:] == MORE and len(record) != RECORD_BYTES:
        raise InvalidEnvelope
    return padded[:-1], padded[-1:]


def _read_header(header: bytes, material: bytes, key_id: str) -> _Keys:
    size, length = struct.unpack(">IB", header[SALT_BYTES:FIXED_HEADER_BYTES])
    name = header[FIXED_HEADER_BYTES:]
    if size != RECORD_BYTES or len(name) != length or name != key_id.encode():
        raise InvalidEnvelope
    return _Keys.derive(material, header[:SALT_BYTES])


def _blocks_after_header(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The header, then whole records; the last may be shorter."""
    buffer = b""
    while len(buffer) < FIXED_HEADER_BYTES or len(buffer) < FIXED_HEADER_BYTES + buffer[FIXED_HEADER_BYTES - 1]:
        chunk = next(chunks, None)
        if chunk is None:
            raise InvalidEnvelope
        buffer += chunk
    end = FIXED_HEADER_BYTES + buffer[FIXED_HEADER_BYTES - 1]
    yield buffer[:end]
    yield from in_blocks(_prepended(buffer[end:], chunks), RECORD_BYTES)


def _prepended(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
