"""JSON, and nothing that two parsers could read differently."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.payloads import strict_json
from apps.payloads.strict_json import NotStrictJson

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, VALUES, max_size=6), st.booleans())
def test_every_document_comes_back(document: dict[str, Any], ascii_only: bool) -> None:
    assert strict_json.parse_object(json.dumps(document, ensure_ascii=ascii_only).encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_refused(text: bytes) -> None:
    with suppress(NotStrictJson):
        assert isinstance(strict_json.parse_object(text), dict)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":["\\udc00\\ud800"]}',
        b'{"\\udfff":1}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\n"}',
        b'{"a":1}{"b":2}',
        b"[]",
        b"1",
        b'"a"',
        b"null",
        b"",
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    ],
)
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(NotStrictJson):
        strict_json.parse_object(text)


def test_what_is_merely_unusual_is_taken() -> None:
    assert strict_json.parse_object(b'{"a":"\\ud83d\\ude00\\u0000"}') == {"a": "\N{GRINNING FACE}\0"}
    assert strict_json.parse_object(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}")
    assert strict_json.parse_object(b' {"a" : 1.5e3}\n') == {"a": 1500.0}
