"""Id tokens (OpenID Connect Core section 2): signed as access tokens are, by the key that is published, but of another type.

`typ` is `JWT` and `aud` is the client, so none passes as an access token, and no access token passes as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256, sha512
from typing import Any
from uuid import UUID

from apps.core import base64url
from apps.core.ids import parse_id
from apps.customers import keyring
from apps.customers.keyring import SigningKeys
from apps.customers.policy import Algorithm
from apps.customers.state import CustomerState
from apps.tokens import algorithms, parsing, signing
from apps.tokens.errors import MalformedToken
from apps.tokens.parsing import UnverifiedToken
from apps.tokens.signing import TokenKind

TYP = "JWT"


@dataclass(frozen=True)
class IdTokenFacts:
    """What a genuine id token says, perhaps long ago: to which client, about whom, of which session."""

    audience: str
    user_id: UUID
    session_id: UUID


def mint(claims: Mapping[str, Any], *, keys: SigningKeys) -> str:
    """The id token with these claims."""
    signer = signing.backend(keys, TokenKind.ACCESS).keys.signing
    header = algorithms.header(keys.algorithm, typ=TYP, kid=keys.kid)
    return algorithms.signed(header, claims, algorithm=keys.algorithm, key=signer)


def half_hash(text: str, algorithm: str) -> str:
    """`at_hash`: the left half of the hash that the algorithm uses (section 3.1.3.6); for Ed25519 that is SHA-512."""
    digest = (sha512 if algorithm == Algorithm.EDDSA else sha256)(text.encode("ascii")).digest()
    return base64url.encode(digest[: len(digest) // 2])


def audience_of(text: str) -> str:
    """Whom the token says it is for, before its signature is checked; empty if it is no token."""
    try:
        said = parsing.parse(text).payload.get("aud")
    except MalformedToken:
        return ""
    return said if isinstance(said, str) else ""


def read(text: str, *, customer: CustomerState, now: datetime) -> IdTokenFacts | None:
    """What an id token of this customer says, even if it has expired. None if it is not genuine."""
    try:
        token = parsing.parse(text)
    except MalformedToken:
        return None
    keys = _verifying_keys(token, customer, now)
    if keys is None or not _is_signed(token, keys):
        return None
    return _facts(token.payload) if token.payload.get("iss") == signing.issuer_of(customer.slug) else None


def _verifying_keys(token: UnverifiedToken, customer: CustomerState, now: datetime) -> SigningKeys | None:
    """A key pair of the customer's that still verifies: anybody with a shared secret could have made the token."""
    if token.header["typ"] != TYP or token.kid is None or not customer.verifies(str(token.kid), now):
        return None
    keys = keyring.signing_keys(customer.id, token.kid)
    is_usable = keys is not None and keys.algorithm not in algorithms.SHARED_SECRETS
    return keys if is_usable and keys is not None and keys.algorithm == token.header["alg"] else None


def _is_signed(token: UnverifiedToken, keys: SigningKeys) -> bool:
    if not algorithms.is_canonical(keys.algorithm, token.signature):
        return False
    return algorithms.is_signed(keys.algorithm, token, signing.backend(keys, TokenKind.ACCESS).keys.verifying)


def _facts(payload: Mapping[str, Any]) -> IdTokenFacts | None:
    user_id, session_id, audience = parse_id(payload.get("sub")), parse_id(payload.get("sid")), payload.get("aud")
    if user_id is None or session_id is None or not isinstance(audience, str):
        return None
    return IdTokenFacts(audience, user_id, session_id)
