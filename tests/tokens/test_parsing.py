"""One way to write a token; everything else is refused as malformed, whatever it is (contract 3.9)."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.tokens import parsing
from apps.tokens.errors import MalformedToken

HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "k"}
NO_CLAIMS: dict[str, Any] = {}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CLAIMS = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT), max_size=5)
SIGNATURES = st.binary(min_size=1, max_size=64)


def part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(header: object = HEADER, payload: object = NO_CLAIMS, signature: bytes = b"sig") -> str:
    return ".".join((part(json.dumps(header).encode()), part(json.dumps(payload).encode()), part(signature)))


def raw_payload(raw: bytes) -> str:
    return f"{part(json.dumps(HEADER).encode())}.{part(raw)}.AAAA"


@given(CLAIMS, SIGNATURES)
def test_every_token_in_canonical_form_is_read_as_written(claims: dict[str, Any], signature: bytes) -> None:
    """C3.9: and so no real token is refused for its form."""
    found = parsing.parse(token(payload=claims, signature=signature))
    assert (found.header, found.payload) == (HEADER, claims)


@given(st.text(max_size=200) | st.text("abcAB-_=.{}\n ", max_size=60) | st.from_regex(r"\A[\w.=-]{0,80}\Z"))
def test_any_text_is_a_token_or_malformed(text: str) -> None:
    with suppress(MalformedToken):
        parsing.parse(text)


@given(CLAIMS, SIGNATURES, st.data())
def test_no_second_text_is_read_as_the_same_token(
    claims: dict[str, Any], signature: bytes, data: st.DataObject
) -> None:
    """C3.9: change any one character, and it is malformed or other bytes: a blacklisted text has no twin."""
    text = token(payload=claims, signature=signature)
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from(ALPHABET + "=+/. \n"))
    changed = text[:place] + character + text[place + 1 :]
    if changed == text:
        return
    with suppress(MalformedToken):
        parsing.parse(changed)
        decoded = [[urlsafe_b64decode(one + "=" * (-len(one) % 4)) for one in t.split(".")] for t in (text, changed)]
        assert decoded[0] != decoded[1]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 32])
def test_stray_bits_at_the_end_are_refused(length: int) -> None:
    """C3.9: every other last character that decodes to the same bytes."""
    text = token(signature=b"\xff" * length)
    twins = [text[:-1] + last for last in ALPHABET if last != text[-1] and length % 3 != 0]
    same = [twin for twin in twins if urlsafe_b64decode(twin.split(".")[2] + "==") == b"\xff" * length]
    assert len(same) == {0: 0, 1: 15, 2: 3}[length % 3]
    for twin in same:
        with pytest.raises(MalformedToken):
            parsing.parse(twin)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": [{"b": [{"c": 1, "c": 2}]}]}',
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b'{"exp": -Infinity}',
        b'{"exp": 1e999}',
        b'{"exp": ' + b"9" * 5000 + b"}",
        b'{"email": "\\ud800"}',
        b'{"a": ' + b"[" * 2500 + b"]" * 2500 + b"}",
        b"\xef\xbb\xbf{}",
        b'{"a": "\xff"}',
        b"{} {}",
        b"[]",
        b"null",
        b'"a"',
        b"",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(raw: bytes) -> None:
    """C3.9: duplicate members at any depth, and whatever else is not JSON to all."""
    with pytest.raises(MalformedToken):
        parsing.parse(raw_payload(raw))


@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
@pytest.mark.parametrize("value", [None, 7, True, ["HS256"], {"a": "b"}])
def test_algorithm_type_and_key_are_named_by_strings(name: str, value: object) -> None:
    with pytest.raises(MalformedToken):
        parsing.parse(token(header={**HEADER, name: value}))
    with pytest.raises(MalformedToken):
        parsing.parse(token(header={other: HEADER[other] for other in HEADER if other != name}))


def test_a_header_of_1_kib_is_the_longest() -> None:
    """C3.9: to the byte."""
    room = parsing.LONGEST_HEADER - len(json.dumps({**HEADER, "x": ""}))
    assert room > 0
    parsing.parse(token(header={**HEADER, "x": "a" * room}))
    with pytest.raises(MalformedToken):
        parsing.parse(token(header={**HEADER, "x": "a" * (room + 1)}))


def test_a_token_of_8_kib_is_the_longest() -> None:
    """C3.9: to the byte."""
    short = token()
    longest = short + "A" * (8192 - len(short))
    assert len(longest) == 8192
    parsing.parse(longest)
    with pytest.raises(MalformedToken):
        parsing.parse(longest + "AAAA")


def test_a_token_does_not_show_in_its_repr() -> None:
    """C2.4.3: no secret in a repr()."""
    text = token(payload={"email": "ada@example.com"})
    shown = repr(parsing.parse(text))
    assert all(one not in shown for one in (*text.split("."), "ada@example.com"))
