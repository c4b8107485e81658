"""Minting tokens. The same facts give the same token, byte for byte, so that a successor can be given again (contract 3.6)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from rest_framework_simplejwt.tokens import Token

from apps.core.errors import NotFound, TemporarilyUnavailable
from apps.customers import keyring
from apps.customers import state as customers
from apps.customers.errors import CustomerSuspended
from apps.customers.keyring import SigningKeys
from apps.customers.state import CustomerState
from apps.tokens import signing
from apps.tokens.proof import Proof
from apps.tokens.signing import CustomerTokenBackend, TokenKind


class CustomerToken(Token):
    """A simplejwt token that is signed by its customer's backend."""

    lifetime = timedelta(0)  # the claims always give it

    def __init__(self, *, backend: CustomerTokenBackend, claims: dict[str, Any]) -> None:
        """All claims are given. simplejwt would first make an id and times of its own."""
        self._backend = backend
        self.token = None
        self.payload = claims

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.payload['jti']}>"

    def get_token_backend(self) -> CustomerTokenBackend:
        return self._backend


class AccessToken(CustomerToken):
    token_type = TokenKind.ACCESS.token_type


class RefreshingToken(CustomerToken):
    token_type = TokenKind.REFRESH.token_type


class ChallengeToken(CustomerToken):
    token_type = TokenKind.CHALLENGE.token_type


class Holder(Protocol):
    """What tokens say of their user."""

    @property
    def id(self) -> UUID: ...
    @property
    def email(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def permissions(self) -> tuple[str, ...]: ...


class Issued(Protocol):
    """Which pair of tokens: a row, or one that is about to be written."""

    @property
    def id(self) -> UUID: ...
    @property
    def session_id(self) -> UUID: ...
    @property
    def signing_secret_id(self) -> UUID: ...
    @property
    def access_jti(self) -> UUID: ...
    @property
    def issued_at(self) -> datetime: ...
    @property
    def access_expires_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...


@dataclass(frozen=True)
class TokenPair:
    """An access token and the refresh token issued with it. Neither shows in a repr."""

    session_id: UUID
    jti: UUID
    expires_in: int  # seconds
    refresh_expires_at: datetime
    delivery: str
    permissions: tuple[str, ...]  # the user's effective ones, as in the access token
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    payload_key: bytes = field(repr=False)  # of the session, for pages that cannot read the token; else empty


def signing_keys(customer: CustomerState, kid: UUID) -> SigningKeys:
    """The version of the customer's secrets to sign with. Raises CustomerSuspended if the customer is being deleted."""
    keys = keyring.signing_keys(customer.id, kid)
    if keys is None:
        _require_active_now(customer.id)
        raise TemporarilyUnavailable  # rotated away between two reads
    return keys


def _require_active_now(customer_id: UUID) -> None:
    """Its secrets go before its row does: to try again would be of no use."""
    try:
        customers.require_active(customers.read_anew(customer_id))
    except NotFound as gone:
        raise CustomerSuspended from gone


def pair(
    *,
    customer: CustomerState,
    user: Holder,
    refresh: Issued,
    proof: Proof,
    delivery: str,
    payload_key: bytes,
) -> TokenPair:
    """The two tokens that this row stands for.

    `proof` comes from the request and is not kept with the row: within the grace, an old refresh token gives the successor again,
    but not the fresh proof that another device has given meanwhile.
    """
    keys = signing_keys(customer, refresh.signing_secret_id)
    issued, expiry = _seconds(refresh.issued_at), _seconds(refresh.access_expires_at)
    proven = {"auth_time": proof.auth_time, "amr": list(proof.amr)}
    common = {**_common(customer, user_id=user.id, session_id=refresh.session_id, issued=issued), **proven}
    says = {"email": user.email, "role": user.role, "permissions": list(user.permissions)}
    access = {**common, **says, "jti": str(refresh.access_jti), "exp": expiry}
    renewal = {**common, "jti": str(refresh.id), "exp": _seconds(refresh.expires_at)}
    return TokenPair(
        session_id=refresh.session_id,
        jti=refresh.access_jti,
        expires_in=expiry - issued,
        refresh_expires_at=refresh.expires_at,
        delivery=delivery,
        permissions=user.permissions,
        access=_signed(AccessToken, TokenKind.ACCESS, keys, access),
        refresh=_signed(RefreshingToken, TokenKind.REFRESH, keys, renewal),
        payload_key=payload_key,
    )


def challenge(
    *, customer: CustomerState, user_id: UUID, challenge_id: UUID, issued_at: datetime, expires_at: datetime
) -> str:
    """The token of a sign-in that waits for a second factor. It names the challenge in the place of a session."""
    keys = signing_keys(customer, keyring.current_kid(customer))
    common = _common(customer, user_id=user_id, session_id=challenge_id, issued=_seconds(issued_at))
    claims = {**common, "jti": str(challenge_id), "exp": _seconds(expires_at)}
    return _signed(ChallengeToken, TokenKind.CHALLENGE, keys, claims)


def _common(customer: CustomerState, *, user_id: UUID, session_id: UUID, issued: int) -> dict[str, Any]:
    """The claims that tokens of every kind have (contract 3.2)."""
    return {
        "iss": signing.issuer_of(customer.slug),
        "aud": str(customer.id),
        "sub": str(user_id),
        "customer_id": str(customer.id),
        "sid": str(session_id),
        "iat": issued,
        "nbf": issued,
    }


def _signed(token: type[CustomerToken], kind: TokenKind, keys: SigningKeys, claims: dict[str, Any]) -> str:
    return str(token(backend=signing.backend(keys, kind), claims={**claims, "token_type": token.token_type}))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
