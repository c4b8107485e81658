"""Signatures, with `algorithms` the one door to PyJWT: a simplejwt token backend per version of a customer's secrets.

Only `verify` makes VerifiedClaims, so whoever holds one knows that the signature was right.
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
from apps.tokens import algorithms
from apps.tokens.errors import InvalidToken, TokenExpired
from apps.tokens.parsing import UnverifiedToken

LEEWAY_SECONDS = 30
REQUIRED_CLAIMS = ["iss", "aud", "sub", "customer_id", "sid", "jti", "iat", "nbf", "exp", "token_type"]


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


@dataclass(frozen=True)
class VerifiedClaims:
    """Claims whose signature, times, audience and type are right. How things stand *now* is another question.

    The issuer is compared with the customer's present one by `standing.require`.
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


class CustomerTokenBackend(TokenBackend):
    """simplejwt's backend, with the version's secret, its one algorithm, and headers that say what the token is.

    What verifies access tokens may be published. So everything else is signed by the other key: a resource server that
    checks offline, and forgets to look at `typ`, must not take a refresh token or a challenge for an access token.
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
            claims: dict[str, Any] = jwt.decode(
                token,
                self.keys.verifying,
                algorithms=[self.algorithm],
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED_CLAIMS, "strict_aud": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise InvalidToken from error
        return claims


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
    claims = backend(keys, kind).decode(token.text)
    if claims["token_type"] != kind.token_type:
        raise InvalidToken
    return _verified(claims, keys, kind)


def public_jwk(keys: SigningKeys) -> dict[str, Any] | None:
    """The key that verifies this version's access tokens (RFC 7517). None for shared secrets."""
    published = backend(keys, TokenKind.ACCESS).keys.public_jwk
    return {**published, "use": "sig", "alg": keys.algorithm, "kid": keys.kid} if published else None


def _verified(claims: Mapping[str, Any], keys: SigningKeys, kind: TokenKind) -> VerifiedClaims:
    user_id, session_id, jti = (parse_id(claims[name]) for name in ("sub", "sid", "jti"))
    if user_id is None or session_id is None or jti is None or claims["customer_id"] != str(keys.customer_id):
        raise InvalidToken
    return VerifiedClaims(
        kind=kind,
        issuer=claims["iss"],
        customer_id=keys.customer_id,
        user_id=user_id,
        session_id=session_id,
        jti=jti,
        kid=keys.kid,
        issued_at=int(claims["iat"]),
        not_before=int(claims["nbf"]),
        expires_at=int(claims["exp"]),
    )
