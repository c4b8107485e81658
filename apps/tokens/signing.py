"""Signatures, with `algorithms` the one door to PyJWT: a simplejwt token backend per version of a customer's secrets.

Only `verify` makes VerifiedClaims, so code that has one knows that the signature was right.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend

from apps.core.ids import parse_id
from apps.customers.keyring import SigningKeys
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


@dataclass(frozen=True)
class VerifiedClaims:
    """Claims whose signature, times, audience and type are right. The token may still have been revoked.

    The issuer is compared with the customer's present one by `state.require`.
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


class CustomerTokenBackend(TokenBackend):
    """simplejwt's backend, with the version's secret, its one algorithm, and headers that say what the token is.

    The key that verifies access tokens may be published, so all other tokens are signed with another key. A resource server that
    checks offline and forgets to look at `typ` must not take a refresh token or a challenge for an access token.
    """

    def __init__(self, *, keys: SigningKeys, kind: TokenKind) -> None:
        super().__init__(algorithm=keys.algorithm, audience=str(keys.customer_id), leeway=LEEWAY_SECONDS)
        self.keys = algorithms.read(keys.algorithm, keys.access if kind is TokenKind.ACCESS else keys.refresh)
        self.headers = {"typ": kind.typ, "kid": keys.kid}

    def __repr__(self) -> str:
        return f"<CustomerTokenBackend {self.headers['kid']}>"

    def encode(self, payload: dict[str, Any]) -> str:
        """Sign the claims."""
        text = json.dumps(payload, separators=(",", ":")).encode()
        return algorithms.SIGNER.encode(text, self.keys.signing, algorithm=self.algorithm, headers=self.headers)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  (simplejwt's signature)
        """The claims, after every check. Raises TokenExpired or InvalidToken."""
        try:
            decoded: dict[str, Any] = jwt.decode(
                token,
                self.keys.verifying,
                algorithms=[self.algorithm],
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": list(claims.OF_ANY), "strict_aud": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise InvalidToken from error
        return decoded


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
    decoded = backend(keys, kind).decode(token.text)
    if decoded["token_type"] != kind.token_type:
        raise InvalidToken
    return _verified(decoded, keys, kind)


def public_jwk(keys: SigningKeys) -> dict[str, Any] | None:
    """The key that verifies this version's access tokens (RFC 7517). None for shared secrets."""
    published = backend(keys, TokenKind.ACCESS).keys.public_jwk
    return {**published, "use": "sig", "alg": keys.algorithm, "kid": keys.kid} if published else None


def _verified(decoded: Mapping[str, Any], keys: SigningKeys, kind: TokenKind) -> VerifiedClaims:
    user_id, session_id, jti = (parse_id(decoded[name]) for name in ("sub", "sid", "jti"))
    if user_id is None or session_id is None or jti is None or decoded["customer_id"] != str(keys.customer_id):
        raise InvalidToken
    is_challenge = kind is TokenKind.CHALLENGE
    return VerifiedClaims(
        kind=kind,
        issuer=decoded["iss"],
        customer_id=keys.customer_id,
        user_id=user_id,
        session_id=session_id,
        jti=jti,
        kid=keys.kid,
        issued_at=int(decoded["iat"]),
        not_before=int(decoded["nbf"]),
        expires_at=int(decoded["exp"]),
        proof=NOT_YET if is_challenge else Proof(int(decoded["auth_time"]), tuple(decoded["amr"])),
    )
