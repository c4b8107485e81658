"""Streams of files: agree with http-ece both ways, keep little in memory, and give nothing when anything is wrong."""

import tracemalloc
from collections.abc import Iterable, Iterator

import http_ece
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.payloads import file_stream
from apps.payloads.errors import InvalidEnvelope
from apps.payloads.file_stream import RECORD_BYTES

PRK = bytes(range(32))
KEY_ID = "019b7c3e-7a4d-7c7e-8b0e-3f2a4d6c8e10"
PATH = "/api/files/019b7c3e-0000-7000-8000-00000000000f/content"
MATERIAL = file_stream.keying_material(PRK, method="PUT", path=PATH)
FULL = RECORD_BYTES - 17  # content bytes of a full record: less its tag and delimiter
HEADER = 21 + len(KEY_ID)
LENGTHS = [0, 1, 16, FULL - 1, FULL, FULL + 1, 2 * FULL - 1, 2 * FULL, 2 * FULL + 1, 3 * FULL + 5]


def content(length: int) -> bytes:
    return bytes(index % 251 for index in range(length))


def pieces(whole: bytes, size: int) -> Iterator[bytes]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


def encrypted(plain: bytes, size: int = 10_000) -> bytes:
    return b"".join(file_stream.encrypt(pieces(plain, size), material=MATERIAL, key_id=KEY_ID))


def decrypted(stream: bytes, size: int = 10_000, material: bytes = MATERIAL, key_id: str = KEY_ID) -> bytes:
    return b"".join(file_stream.decrypt(pieces(stream, size), material=material, key_id=key_id))


def records(stream: bytes) -> list[bytes]:
    return list(pieces(stream[HEADER:], RECORD_BYTES))


def refused(stream: bytes, **options: object) -> None:
    with pytest.raises(InvalidEnvelope):
        decrypted(stream, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", LENGTHS)
def test_http_ece_opens_what_we_encrypt(length: int) -> None:
    """C2.3.1: RFC 8188 aes128gcm, records of 65,536 bytes, keyid = the token's jti."""
    stream = encrypted(content(length))
    assert http_ece.decrypt(stream, key=MATERIAL) == content(length)
    assert int.from_bytes(stream[16:20]) == 65_536
    assert stream[21:HEADER] == KEY_ID.encode()


@pytest.mark.parametrize("length", [length for length in LENGTHS if length])  # http-ece writes no record for no bytes
def test_we_open_what_http_ece_encrypts(length: int) -> None:
    """C2.3.1"""
    assert decrypted(http_ece.encrypt(content(length), key=MATERIAL, keyid=KEY_ID, rs=RECORD_BYTES)) == content(length)


@settings(max_examples=50)
@given(
    st.integers(0, 3 * FULL),
    st.sampled_from([1 << 10, 65_519, 65_536, 100_000]),
    st.sampled_from([999, 65_536, 1 << 20]),
)
def test_every_content_comes_back_however_it_is_cut(length: int, written: int, read: int) -> None:
    assert decrypted(encrypted(content(length), written), read) == content(length)


@settings(max_examples=100)
@given(st.data())
def test_a_change_of_any_byte_is_refused(data: st.DataObject) -> None:
    """C2.3.1: a tampered stream."""
    stream = bytearray(encrypted(content(FULL + 100)))
    place = data.draw(st.integers(0, len(stream) - 1))
    stream[place] ^= data.draw(st.integers(1, 255))
    refused(bytes(stream))


@settings(max_examples=50)
@given(st.data())
def test_a_truncated_stream_is_refused_wherever_it_ends(data: st.DataObject) -> None:
    """C2.3.1: a truncated stream."""
    stream = encrypted(content(2 * FULL))
    borders = [0, 16, 20, 21, HEADER, HEADER + RECORD_BYTES]
    refused(stream[: data.draw(st.sampled_from(borders) | st.integers(0, len(stream) - 1))])


def test_an_extended_stream_is_refused() -> None:
    """C2.3.1: an extended stream."""
    for length in (100, FULL, 2 * FULL):
        stream = encrypted(content(length))
        for more in (b"\0", bytes(17), bytes(RECORD_BYTES), records(stream)[-1]):
            refused(stream + more)


def test_a_reordered_stream_is_refused() -> None:
    """C2.3.1: a reordered stream; so are records left out or repeated."""
    stream = encrypted(content(4 * FULL))
    head, (first, second, third, last) = stream[:HEADER], records(stream)
    for order in (
        (second, first, third, last),
        (first, third, last),
        (first, second, second, third, last),
        (last,),
        (first, second, last, third),
    ):
        refused(head + b"".join(order))


def test_records_of_another_stream_do_not_fit() -> None:
    one, two = encrypted(content(2 * FULL)), encrypted(content(2 * FULL))
    refused(one[:HEADER] + records(one)[0] + records(two)[1])


def test_a_stream_is_bound_to_its_call_and_its_token() -> None:
    """C2.3.1: keying material of method and path, so that an upload is bound to its id and can be repeated."""
    stream = encrypted(b"secret")
    assert decrypted(stream) == decrypted(stream) == b"secret"
    for prk, method, path in (
        (PRK, "GET", PATH),
        (PRK, "PUT", PATH.replace("f/content", "e/content")),
        (bytes(32), "PUT", PATH),
    ):
        refused(stream, material=file_stream.keying_material(prk, method=method, path=path))
    refused(stream, key_id="019b7c3e-7a4d-7c7e-8b0e-3f2a4d6c8e11")
    refused(stream, key_id="")


@pytest.mark.parametrize("size", [18, 4096, 65_535, 65_537, 1 << 20])
def test_another_record_size_is_refused(size: int) -> None:
    refused(http_ece.encrypt(b"content", key=MATERIAL, keyid=KEY_ID, rs=size))


def test_padding_is_dropped_and_a_record_of_nothing_but_zeros_refused() -> None:
    """RFC 8188 section 2: a delimiter, then any number of zeros."""
    head = encrypted(b"")[:HEADER]
    keys = file_stream._Keys.derive(MATERIAL, head[:16])
    seal = file_stream.AESGCM(keys.key).encrypt
    assert decrypted(head + seal(keys.nonce_of(0), b"abc\0\x02\0\0\0", None)) == b"abc\0"
    for plaintext in (b"", b"\0\0\0", b"abc", b"abc\x03", b"abc\x01"):
        refused(head + seal(keys.nonce_of(0), plaintext, None))


def test_nothing_follows_the_last_record() -> None:
    """C2.3.1: not even a record that the holder of the key appended."""
    head = encrypted(b"")[:HEADER]
    keys = file_stream._Keys.derive(MATERIAL, head[:16])
    seal = file_stream.AESGCM(keys.key).encrypt
    last = seal(keys.nonce_of(0), content(FULL) + b"\x02", None)
    assert decrypted(head + last) == content(FULL)
    refused(head + last + seal(keys.nonce_of(1), b"more\x02", None))


def test_the_keys_have_no_place_in_a_repr() -> None:
    keys = file_stream._Keys.derive(MATERIAL, bytes(16))
    assert repr(keys.key) not in repr(keys)
    assert str(keys.nonce) not in repr(keys)


def test_memory_does_not_grow_with_the_file() -> None:
    """C2.3.1: both stream."""

    def peak(megabytes: int) -> int:
        plain = (bytes(65_536) for _ in range(16 * megabytes))
        stream: Iterable[bytes] = file_stream.encrypt(plain, material=MATERIAL, key_id=KEY_ID)
        tracemalloc.start()
        total = sum(map(len, file_stream.decrypt(stream, material=MATERIAL, key_id=KEY_ID)))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == megabytes << 20
        return found

    assert peak(32) < 1.2 * peak(4) < 2 << 20
