"""Times and ids as the API writes them (C4)."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.core.ids import new_id, parse_id
from apps.core.times import rfc3339


def test_times_are_rfc_3339_in_utc_to_the_second() -> None:
    """C4: all times RFC 3339 UTC."""
    assert rfc3339(datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)) == "2026-01-02T03:04:05Z"


def test_times_of_other_zones_are_converted() -> None:
    assert rfc3339(datetime(2026, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T23:00:00Z"


def test_ids_are_uuid_7_and_rise() -> None:
    """C4: ids are UUIDv7."""
    ids = [new_id() for _ in range(1000)]
    assert {made.version for made in ids} == {7}
    assert ids == sorted(set(ids))


def test_an_id_is_read_in_its_canonical_form() -> None:
    made = new_id()
    assert parse_id(str(made)) == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 36,
        str(uuid.UUID(int=10**30)).upper(),
        "{" + "0" * 34 + "}",
        uuid.UUID(int=1).hex,
        None,
        7,
        uuid.UUID(int=1),
    ],
)
def test_nothing_else_is_an_id(text: object) -> None:
    assert parse_id(text) is None
