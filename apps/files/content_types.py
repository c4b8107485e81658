"""What a content is, by its first bytes. Names and what clients say of a file count for nothing."""

from collections.abc import Iterator

HEAD_BYTES = 40_960  # no signature that puremagic knows lies deeper
NO_SIGNATURE = b"\xa5"
UNKNOWN = "application/octet-stream"
# One format, two names: phones write HEIF with HEVC in it, which is HEIC.
SAME = {"image/heif": "image/heic"}
HEIF_BRANDS = (b"ftypmif1", b"ftypmsf1", b"ftypheic", b"ftypheix", b"ftyphevc")  # ISO/IEC 23008-12


def of(head: bytes) -> str:
    """The media type of a content that begins so."""
    if head[4:12] in HEIF_BRANDS:
        return "image/heic"
    import puremagic  # 1.4 MiB, and few processes receive files

    # The library looks at the end of what it is given, too. Here that is not the content's end, and must not match anything.
    no_end = NO_SIGNATURE * puremagic.main.max_foot
    try:
        found = puremagic.from_string(head + no_end, mime=True)
    except puremagic.PureError:
        return UNKNOWN
    return SAME.get(found, found) or UNKNOWN


def split_head(content: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """As much of the beginning as `of` looks at, and the whole content again."""
    head = bytearray()
    while len(head) < HEAD_BYTES and (block := next(content, None)) is not None:
        head += block
    return bytes(head), _joined(bytes(head), content)


def _joined(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
