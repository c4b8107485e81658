"""Signed messages between servers: made as documented; altered, old, or signed by somebody else, they are none."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import signatures

KEY = b"0123456789abcdef" * 4
BODY = b'{"approved": true}'
NOW = datetime(2026, 11, 21, 8, 0, 0, 900_000, tzinfo=UTC)
SECOND = NOW.replace(microsecond=0)


def test_it_is_what_the_documentation_says() -> None:
    """C8: HMAC-SHA256 over timestamp and body."""
    seconds = int(SECOND.timestamp())
    expected = hmac.new(KEY, f"{seconds}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert signatures.sign(BODY, key=KEY, now=NOW) == f"t={seconds},v1={expected}"


def test_it_tells_when_it_was_made_to_the_second() -> None:
    header = signatures.sign(BODY, key=KEY, now=NOW)
    assert signatures.signed_at(header, BODY, key=KEY, now=NOW + timedelta(seconds=7)) == SECOND


@pytest.mark.parametrize(("seconds", "counts"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_it_counts_for_five_minutes_around_its_time(seconds: int, counts: bool) -> None:
    header = signatures.sign(BODY, key=KEY, now=SECOND)
    found = signatures.signed_at(header, BODY, key=KEY, now=SECOND + timedelta(seconds=seconds))
    assert found == (SECOND if counts else None)


@pytest.mark.parametrize(("body", "key"), [(BODY + b" ", KEY), (b"", KEY), (BODY, KEY[:-1]), (BODY, b"x")])
def test_it_counts_for_one_body_and_one_key(body: bytes, key: bytes) -> None:
    header = signatures.sign(BODY, key=KEY, now=NOW)
    assert signatures.signed_at(header, body, key=key, now=NOW) is None


def test_its_time_cannot_be_changed() -> None:
    """Else what was overheard would count for ever."""
    _, _, mac = signatures.sign(BODY, key=KEY, now=NOW - timedelta(hours=1)).partition(",")
    assert signatures.signed_at(f"t={int(NOW.timestamp())},{mac}", BODY, key=KEY, now=NOW) is None


def test_nothing_can_be_moved_between_time_and_body() -> None:
    header = signatures.sign(b"5." + BODY, key=KEY, now=NOW)
    seconds, mac = int(NOW.timestamp()), header.partition(",")[2]
    assert signatures.signed_at(f"t={seconds}.5,{mac}", BODY, key=KEY, now=NOW) is None


@pytest.mark.parametrize(
    "header",
    [
        *("", ",", "=", "t=,v1=", "t=1", "v1=0", "t=x,v1=0", "t=-1,v1=0", "t=1.5,v1=0", "t=1e9,v1=0"),
        *("t=٣,v1=0", "t=²,v1=0", f"t={'9' * 12},v1=0", f"t={'9' * 5000},v1=0", "t=1,v1=é", "t=1,v1=\x00"),
    ],
)
def test_what_is_malformed_is_none(header: str) -> None:
    assert signatures.signed_at(header, BODY, key=KEY, now=NOW) is None


def test_its_time_is_written_in_one_way_only() -> None:
    seconds, _, mac = signatures.sign(BODY, key=KEY, now=NOW).removeprefix("t=").partition(",")
    arabic = "".join(chr(0x660 + int(digit)) for digit in seconds)
    assert signatures.signed_at(f"t={arabic},{mac}", BODY, key=KEY, now=NOW) is None


@given(st.text(), st.text(alphabet="0123456789abcdef", max_size=64))
def test_no_text_is_a_signature_by_chance(text: str, digits: str) -> None:
    for header in (text, f"t={int(NOW.timestamp())},v1={digits}", f"t={text},v1={digits}"):
        assert signatures.signed_at(header, BODY, key=KEY, now=NOW) is None


def test_a_signature_far_in_the_future_is_none_even_with_the_right_key() -> None:
    """The largest number that is read makes no date: it must not be made one."""
    seconds = 10**12 - 1
    mac = hmac.new(KEY, f"{seconds}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert signatures.signed_at(f"t={seconds},v1={mac}", BODY, key=KEY, now=NOW) is None
