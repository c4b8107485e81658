"""Times as the API writes them."""

from datetime import UTC, datetime


def rfc3339(at: datetime) -> str:
    """RFC 3339 in UTC to the second: `2026-01-02T03:04:05Z`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def rfc3339_or_none(at: datetime | None) -> str | None:
    """The same for a time that may be missing."""
    return rfc3339(at) if at else None


def unix_time(text: str | None) -> float | None:
    """A moment as PostgreSQL writes it in JSON, in seconds since 1970; None for none."""
    return None if text is None else datetime.fromisoformat(text).timestamp()
