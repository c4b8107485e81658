"""Signatures, with `algorithms` the one door to PyJWT: a simplejwt token backend per version of a customer's secrets.

Only `verify` makes VerifiedClaims, so code that has one knows that the signature was right.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from sys import intern
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend

from apps.core.ids import parse_id
from apps.customers.keyring import SigningKeys
from apps.payloads import token_envelope
from apps.tokens import algorithms, claims
from apps.tokens.claims import Check
from apps.tokens.errors import InvalidToken, TokenExpired
from apps.tokens.parsing import UnverifiedToken
from apps.tokens.proof import NOT_YET, Proof

LEEWAY_SECONDS = 30


class TokenKind(Enum):
    """What a token is for: its `token_type` claim, and its `typ` header (RFC 9068 section 2.1)."""

    ACCESS = ("access", "at+jwt")
    REFRESH = ("refresh", "rt+jwt")
    CHALLENGE = ("2fa", "2fa+jwt")

    @property
    def token_type(self) -> str:
        return self.value[0]

    @property
    def typ(self) -> str:
        return self.value[1]

    @property
    def claims(self) -> Mapping[str, Check]:
        """The claims that it must have, with their types."""
        return CLAIMS[self]


CLAIMS: Mapping[TokenKind, Mapping[str, Check]] = {
    TokenKind.ACCESS: claims.OF_ACCESS,
    TokenKind.REFRESH: claims.OF_A_SESSION,
    TokenKind.CHALLENGE: claims.OF_ANY,
}


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """Claims whose signature, times, audience and type are right. The token may still have been revoked.

    The issuer is compared with the customer's present one by `state.require`. `prk`: of an access token, what the keys of bodies are
    derived from (contract 2.2.2); empty for other kinds.
    """

    kind: TokenKind
    issuer: str
    customer_id: UUID
    user_id: UUID
    session_id: UUID
    jti: UUID
    kid: str
    issued_at: int  # unix time, as the others
    not_before: int
    expires_at: int
    proof: Proof
    prk: bytes = field(repr=False)


class CustomerTokenBackend(TokenBackend):
    """simplejwt's backend, with the version's secret, its one algorithm, and headers that say what the token is.

    The key that verifies access tokens may be published, so all other tokens are signed with another key. A resource server that
    checks offline and forgets to look at `typ` must not take a refresh token or a challenge for an access token.
    """

    def __init__(self, *, keys: SigningKeys, kind: TokenKind) -> None:
        super().__init__(algorithm=keys.algorithm, audience=str(keys.customer_id), leeway=LEEWAY_SECONDS)
        self.keys = algorithms.read(keys.algorithm, keys.access if kind is TokenKind.ACCESS else keys.refresh)
        self._kid = keys.kid
        self._header = algorithms.header(keys.algorithm, typ=kind.typ, kid=keys.kid)

    def __repr__(self) -> str:
        return f"<CustomerTokenBackend {self._kid}>"

    def encode(self, payload: dict[str, Any]) -> str:
        """Sign the claims."""
        return algorithms.signed(self._header, payload, algorithm=self.algorithm, key=self.keys.signing)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  (simplejwt's signature)
        """Not simplejwt's way: it would parse the token a second time, and leniently. `verify` is the one way."""
        raise InvalidToken


def issuer_of(slug: str) -> str:
    """`iss`: where a customer's discovery document lives."""
    return f"{settings.PUBLIC_URL}/customers/{slug}"


@lru_cache(maxsize=4096)
def backend(keys: SigningKeys, kind: TokenKind) -> CustomerTokenBackend:
    """The backend for one version of a customer's secrets; made once, since versions never change."""
    return CustomerTokenBackend(keys=keys, kind=kind)


def verify(token: UnverifiedToken, *, keys: SigningKeys, kind: TokenKind) -> VerifiedClaims:
    """Check signature and claims. Raises InvalidToken or TokenExpired."""
    if token.header["typ"] != kind.typ or token.header["alg"] != keys.algorithm:
        raise InvalidToken
    if not algorithms.is_canonical(keys.algorithm, token.signature):
        raise InvalidToken
    if not claims.are_well_typed(token.payload, kind.claims):
        raise InvalidToken
    if not algorithms.is_signed(keys.algorithm, token, backend(keys, kind).keys.verifying):
        raise InvalidToken
    found = _verified(token, keys, kind)
    require_timely(found)
    return found


def require_timely(found: VerifiedClaims) -> None:
    """The times of a token, as PyJWT compares them. Raises TokenExpired, or InvalidToken before it begins."""
    now = time.time()
    if max(found.issued_at, found.not_before) > now + LEEWAY_SECONDS:
        raise InvalidToken
    if found.expires_at <= now - LEEWAY_SECONDS:
        raise TokenExpired


def public_jwk(keys: SigningKeys) -> dict[str, Any] | None:
    """The key that verifies this version's access tokens (RFC 7517). None for shared secrets."""
    published = backend(keys, TokenKind.ACCESS).keys.public_jwk
    return {**published, "use": "sig", "alg": keys.algorithm, "kid": keys.kid} if published else None


def _verified(token: UnverifiedToken, keys: SigningKeys, kind: TokenKind) -> VerifiedClaims:
    said = token.payload
    user_id, session_id, jti = (parse_id(said[name]) for name in ("sub", "sid", "jti"))
    if user_id is None or session_id is None or jti is None or said["token_type"] != kind.token_type:
        raise InvalidToken
    if not said["customer_id"] == said["aud"] == str(keys.customer_id):
        raise InvalidToken
    is_challenge = kind is TokenKind.CHALLENGE
    return VerifiedClaims(
        kind=kind,
        issuer=intern(said["iss"]),  # the same in all of a customer's tokens, as `amr` is in most: kept once
        customer_id=keys.customer_id,
        user_id=user_id,
        session_id=session_id,
        jti=jti,
        kid=keys.kid,
        issued_at=int(said["iat"]),
        not_before=int(said["nbf"]),
        expires_at=int(said["exp"]),
        proof=NOT_YET if is_challenge else Proof(int(said["auth_time"]), tuple(map(intern, said["amr"]))),
        prk=token_envelope.derive(token.text) if kind is TokenKind.ACCESS else b"",
    )
