"""DRF's part: the access token of a request, who it makes the caller, and what encrypts the answer."""

from dataclasses import dataclass, replace
from uuid import UUID

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.api import cors
from apps.api.authentication import cookies
from apps.api.authentication.api_key import key_of
from apps.api.refusals import Refusals
from apps.api_keys import clients, keys
from apps.api_keys.errors import InvalidApiKey
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError, AuthenticationRequired
from apps.core.requests import context_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed
from apps.customers.state import CustomerState
from apps.payloads import token_envelope
from apps.payloads.token_envelope import TokenEnvelope
from apps.tokens import sessions, verification
from apps.tokens.errors import (
    CrossSiteRequest,
    InsufficientUserAuthentication,
    InvalidToken,
    MalformedToken,
    SessionEnded,
    TokenExpired,
    TokenRevoked,
    UserInactive,
)
from apps.tokens.models import RefreshToken
from apps.tokens.proof import Proof
from apps.tokens.signing import TokenKind
from apps.tokens.verification import Verified
from apps.users import directory
from apps.users.models import User
from apps.users.state import UserState

SCHEME = "bearer"
OF_A_TOKEN: Refusals = (
    *(MalformedToken, InvalidToken, TokenExpired, TokenRevoked, SessionEnded, UserInactive, CrossSiteRequest),
    *(CustomerSuspended, IpNotAllowed, InvalidApiKey),
)


@dataclass(frozen=True)
class Principal:
    """Who is calling, as they are now. Made by TokenAuthentication alone."""

    user: UserState
    session_id: UUID
    jti: UUID
    token_expires_at: int  # unix time
    delivery: str
    proof: Proof

    @property
    def user_id(self) -> UUID:
        return self.user.id

    @property
    def customer_id(self) -> UUID:
        return self.user.customer_id

    @property
    def is_authenticated(self) -> bool:
        """For DRF."""
        return True


def customer_of(request: Request) -> CustomerState:
    """The customer of whoever is signed in."""
    customer: CustomerState = request.customer  # type: ignore[attr-defined]  # TokenAuthentication has put it there
    return customer


def principal_of(request: Request) -> Principal:
    """Who calls. Raises AuthenticationRequired unless it is a signed-in user."""
    if not isinstance(request.user, Principal):
        raise AuthenticationRequired
    return request.user


def user_of(request: Request) -> User:
    """The row of whoever is signed in, for what changes it. Raises NotFound: it was erased a moment ago."""
    who = principal_of(request)
    return directory.get(who.customer_id, who.user_id)


def require_fresh_proof(request: Request) -> None:
    """Raises InsufficientUserAuthentication unless whoever is signed in has proven it a short while ago (contract 3.10)."""
    max_age = customer_of(request).reauthenticate_after
    if not principal_of(request).proof.is_fresh(max_age=max_age, now=timezone.now()):
        raise InsufficientUserAuthentication(max_age=max_age)


class TokenAuthentication(BaseAuthentication):
    """What every view gets without a word. Header before cookie (contract 3.8)."""

    refusals = (*OF_A_TOKEN, AuthenticationRequired)

    def authenticate(self, request: Request) -> tuple[Principal, TokenEnvelope | None] | None:
        header = _header_token(request)
        text = header or cookies.access_token_in(request.COOKIES)
        if text is None:
            return None
        context = context_of(request)
        claims = verification.presented(text, kind=TokenKind.ACCESS, context=context)
        envelope = TokenEnvelope(jti=str(claims.jti), prk=token_envelope.derive(text))
        request.genuine_envelope = envelope  # type: ignore[attr-defined]  # a refusal from here on may be sealed
        verified = verification.standing_of(claims, context.now)
        if header is None:
            cookies.require_same_site(request, session_id=verified.session.id, customer=verified.customer)
        _check_key(request, verified, context)
        verification.require_address(verified.customer, context)
        sessions.note_activity(customer_id=verified.customer.id, session=verified.session, now=context.now)
        cors.concerns(request, verified.customer)
        request.customer = verified.customer  # type: ignore[attr-defined]  # as ApiKeyAuthentication does
        request.sandbox_key_id = verified.session.sandbox_key_id  # type: ignore[attr-defined]  # for `context_of`
        return _principal(verified), envelope

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class LeavingAuthentication(TokenAuthentication):
    """For logging out: where the access cookie has gone, or is worth nothing any more, the refresh cookie will do (contract 3.8).

    The answer is plain then: there is no access token to encrypt it to.
    """

    def authenticate(self, request: Request) -> tuple[Principal, TokenEnvelope | None] | None:
        refresh_token = cookies.refresh_token_in(request.COOKIES)
        if refresh_token is None or "Authorization" in request.headers:
            return super().authenticate(request)
        try:
            found = super().authenticate(request)
        except (MalformedToken, AuthenticationError):  # expired, or ended early
            found = None
        return found or (_by_refresh_cookie(request, refresh_token), None)


def _by_refresh_cookie(request: Request, text: str) -> Principal:
    """Who is signed in by this refresh token, used or not: whoever ends its session does not mean a successor to go on."""
    context = context_of(request)
    verified = verification.verify(text, kind=TokenKind.REFRESH, context=context)
    cors.concerns(request, verified.customer)
    cookies.refuse_other_pages(request, verified.customer)
    _check_key(request, verified, context)
    verification.require_address(verified.customer, context)
    row = RefreshToken.objects.filter(id=verified.claims.jti, session_id=verified.session.id).first()
    if row is None:  # the signature without the row is worth nothing (contract 3.6)
        raise InvalidToken
    request.customer = verified.customer  # type: ignore[attr-defined]
    request.sandbox_key_id = verified.session.sandbox_key_id  # type: ignore[attr-defined]
    expires_at = int(row.access_expires_at.timestamp())  # of the access token that was issued with it
    return replace(_principal(verified), jti=row.access_jti, token_expires_at=expires_at)


def _header_token(request: Request) -> str | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != SCHEME or not text.strip() or text.strip().startswith(keys.PREFIX):
        raise AuthenticationRequired
    return text.strip()


def _check_key(request: Request, verified: Verified, context: RequestContext) -> None:
    """An API key sent along must be of the same customer."""
    key = key_of(request, bearer=False)
    if key is not None:
        found = clients.identify_client(text=key, key_required=True, context=context)
        if found.customer.id != verified.customer.id:
            raise InvalidApiKey


def _principal(verified: Verified) -> Principal:
    return Principal(
        user=verified.user,
        session_id=verified.session.id,
        jti=verified.claims.jti,
        token_expires_at=verified.claims.expires_at,
        delivery=verified.session.delivery,
        proof=verified.proof,
    )
