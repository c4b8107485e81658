"""Streams of files as the contract has them (2.3; RFC 8188), written against the RFC and not with the service's code."""

import hmac
import secrets
from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RECORD, TAG, SALT = 65_536, 16, 16
HEADER = SALT + 4 + 1
MORE, LAST = b"\x01", b"\x02"


def encrypted(content: Iterable[bytes], *, material: bytes, key_id: str) -> Iterator[bytes]:
    """The stream that carries this content (pieces of any size)."""
    salt, name = secrets.token_bytes(SALT), key_id.encode()
    aead, nonce = _keys(material, salt)
    yield salt + RECORD.to_bytes(4) + len(name).to_bytes(1) + name
    number, waiting = 0, bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) > RECORD - TAG - 1:  # more is to come
            block = bytes(waiting[: RECORD - TAG - 1])
            del waiting[: len(block)]
            yield aead.encrypt((nonce ^ number).to_bytes(12), block + MORE, None)
            number += 1
    yield aead.encrypt((nonce ^ number).to_bytes(12), bytes(waiting) + LAST, None)


def encrypted_length(size: int, *, key_id: str) -> int:
    """Of the stream that `encrypted` makes of so many bytes."""
    records = max(1, -(-size // (RECORD - TAG - 1)))
    return HEADER + len(key_id) + size + records * (TAG + 1)


def decrypted(stream: Iterable[bytes], *, material: bytes, key_id: str) -> Iterator[bytes]:
    """The content. Raises cryptography's InvalidTag or ValueError; it counts only when the iterator has ended."""
    waiting, pieces = bytearray(), iter(stream)
    header = HEADER + len(key_id)
    while len(waiting) < header:
        waiting += next(pieces)
    if waiting[SALT:header] != RECORD.to_bytes(4) + len(key_id).to_bytes(1) + key_id.encode():
        raise ValueError("not a stream for this key")
    aead, nonce = _keys(material, bytes(waiting[:SALT]))
    del waiting[:header]
    for number, record in enumerate(_records(waiting, pieces)):
        content = aead.decrypt((nonce ^ number).to_bytes(12), record, None).rstrip(b"\0")
        yield content[:-1]
    if content[-1:] != LAST:
        raise ValueError("the stream was cut off")


def _records(waiting: bytearray, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        waiting += piece
        while len(waiting) > RECORD:
            yield bytes(waiting[:RECORD])
            del waiting[:RECORD]
    while waiting:
        yield bytes(waiting[:RECORD])
        del waiting[:RECORD]


def _keys(material: bytes, salt: bytes) -> tuple[AESGCM, int]:
    prk = hmac.digest(salt, material, "sha256")
    key = hmac.digest(prk, b"Content-Encoding: aes128gcm\0\x01", "sha256")[:16]
    nonce = hmac.digest(prk, b"Content-Encoding: nonce\0\x01", "sha256")[:12]
    return AESGCM(key), int.from_bytes(nonce)
