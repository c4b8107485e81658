"""Identifiers: UUIDv7, so that rows made later sort later and indexes stay compact (RFC 9562 section 5.7)."""

import re
import uuid

import uuid_utils.compat

CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> uuid.UUID:
    """A fresh UUIDv7."""
    return uuid_utils.compat.uuid7()


def parse_id(text: object) -> uuid.UUID | None:
    """The UUID written canonically in `text`, or None for anything else (other types and spellings too)."""
    if not isinstance(text, str) or not CANONICAL.fullmatch(text):
        return None
    return uuid.UUID(int=int(text.replace("-", ""), 16))
