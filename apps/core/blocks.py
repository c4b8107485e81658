"""Streams of bytes, cut anew: ciphers work on blocks of one size, and networks deliver pieces of any size."""

from collections.abc import Iterable, Iterator


def in_blocks(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in blocks of `size`; the last may be shorter. Nothing for nothing."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)


def with_last(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each block, and whether it is the last. One empty block for nothing."""
    waiting = None
    for block in blocks:
        if waiting is not None:
            yield waiting, False
        waiting = block
    yield waiting or b"", True
