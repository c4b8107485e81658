"""Identifiers: UUIDv7, so that rows made later sort later and indexes stay compact (RFC 9562 section 5.7)."""

import uuid

import uuid_utils.compat


def new_id() -> uuid.UUID:
    """A fresh UUIDv7."""
    return uuid_utils.compat.uuid7()


def parse_id(text: object) -> uuid.UUID | None:
    """The UUID written canonically in `text`, or None for anything else (other types and spellings too)."""
    if not isinstance(text, str) or len(text) != 36:
        return None
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text else None
