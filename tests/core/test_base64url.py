"""Base64url in one form only: of two texts for the same bytes, one is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import base64url
from apps.core.base64url import NotBase64url


@given(st.binary(max_size=200))
def test_bytes_come_back_as_they_went(raw: bytes) -> None:
    assert base64url.decode(base64url.encode(raw)) == raw


@given(st.text(alphabet="ABCDwxyz0189-_+/= \n", max_size=12))
def test_a_text_is_the_only_one_of_its_bytes_or_refused(text: str) -> None:
    try:
        raw = base64url.decode(text)
    except NotBase64url:
        return
    assert base64url.encode(raw) == text


def test_it_is_the_form_of_rfc_4648() -> None:
    assert base64url.encode(b"\xfb\xff\xfe") == "-__-"
    assert base64url.encode(b"f") == "Zg"
    assert base64url.decode("") == b""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Zg==", "padding"),
        ("Zg=", "padding of the wrong length"),
        ("Zh", "bits left over after 8"),
        ("Zm9", "bits left over after 16"),
        ("Z", "a length that no bytes have"),
        ("Zm9vZ", "a length that no bytes have"),
        ("+//+", "the other alphabet"),
        (" Zg", "white space"),
        ("Zg\n", "a newline at the end"),
        ("Z\0g", "a NUL"),
        ("\uff3a\uff47", "letters that only look the same"),
        ("Z.g", "a dot"),
    ],
)
def test_every_other_text_is_refused(text: str, fault: str) -> None:
    with pytest.raises(NotBase64url):
        base64url.decode(text)
