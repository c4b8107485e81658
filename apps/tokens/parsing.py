"""Parsing tokens strictly (contract 3.9): there is one way to write a token, and every other is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from apps.core import base64url
from apps.core.base64url import NotBase64url
from apps.core.ids import parse_id
from apps.core.short_texts import remembers_short_texts
from apps.payloads.strict_json import NotStrictJson, parse_object
from apps.tokens.errors import MalformedToken

LONGEST_TOKEN, LONGEST_HEADER = 8 * 1024, 1024  # bytes; the header's as decoded
FORBIDDEN_HEADERS = {"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"}


@dataclass(frozen=True)
class UnverifiedToken:
    """What a token says before its signature is checked. Good for nothing but finding the key."""

    text: str = field(repr=False)
    header: Mapping[str, Any]
    payload: Mapping[str, Any] = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def signing_input(self) -> bytes:
        """What is signed: all that stands before the signature (RFC 7515 section 5.2)."""
        return self.text.rpartition(".")[0].encode()

    @property
    def customer_id(self) -> UUID | None:
        return parse_id(self.payload.get("customer_id"))

    @property
    def kid(self) -> UUID | None:
        return parse_id(self.header.get("kid"))


def parse(text: str) -> UnverifiedToken:
    """The parts of a compact JWS. Raises MalformedToken."""
    if len(text) > LONGEST_TOKEN or text.count(".") != 2:
        raise MalformedToken
    header_text, payload_text, signature = text.split(".")
    return UnverifiedToken(
        text=text, header=_header(header_text), payload=_object(_decode(payload_text)), signature=_decode(signature)
    )


@remembers_short_texts(longest=256)
def _header(text: str) -> Mapping[str, Any]:
    """The same for all tokens of one kind that one secret signs, so it is read once. It says nothing of the token's worth."""
    raw = _decode(text)
    if len(raw) > LONGEST_HEADER:
        raise MalformedToken
    header = _object(raw)
    if FORBIDDEN_HEADERS & header.keys() or not all(
        isinstance(header.get(name), str) for name in ("alg", "typ", "kid")
    ):
        raise MalformedToken
    return MappingProxyType(header)


def _decode(text: str) -> bytes:
    """No part of a token is empty. Raises MalformedToken."""
    if not text:
        raise MalformedToken
    try:
        return base64url.decode(text)
    except NotBase64url as error:
        raise MalformedToken from error


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return parse_object(raw)
    except NotStrictJson as error:
        raise MalformedToken from error
