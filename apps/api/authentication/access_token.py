"""The access token of a request: who is signed in by it, and the envelope under its own keys."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.api import cors
from apps.api.authentication import cookies
from apps.api.authentication.api_key import key_of
from apps.api.authentication.principal import Principal
from apps.api.refusals import Refusals
from apps.api_keys import clients, keys
from apps.api_keys.errors import InvalidApiKey
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationRequired
from apps.core.requests import context_of, facts_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed
from apps.customers.state import CustomerState
from apps.payloads.token_envelope import TokenEnvelope
from apps.tokens import payload_keys, sessions, verification
from apps.tokens.errors import (
    CrossSiteRequest,
    InvalidToken,
    MalformedToken,
    SessionEnded,
    TokenExpired,
    TokenRevoked,
    UserInactive,
)
from apps.tokens.signing import TokenKind, VerifiedClaims
from apps.tokens.state import TokenState

SCHEME = "bearer"
OF_A_TOKEN: Refusals = (
    *(MalformedToken, InvalidToken, TokenExpired, TokenRevoked, SessionEnded, UserInactive, CrossSiteRequest),
    *(CustomerSuspended, IpNotAllowed, InvalidApiKey),
)


class TokenAuthentication(BaseAuthentication):
    """What every view has unless it says otherwise. A token in the header goes before one in a cookie (contract 3.8).

    DRF makes one for each request. `genuine_envelope`: of a token whose signature is right, even if it is refused later.
    """

    refusals = (*OF_A_TOKEN, AuthenticationRequired)
    genuine_envelope: TokenEnvelope | None = None

    def authenticate(self, request: Request) -> tuple[Principal, TokenEnvelope | None] | None:
        header = header_token(request)
        text = header or cookies.access_token_in(request.COOKIES)
        if text is None:
            return None
        context = context_of(request)
        claims = verification.presented(text, kind=TokenKind.ACCESS, context=context)
        present = verification.state_of(claims, context.now)
        self.genuine_envelope = _envelope(text, claims, present)
        verified = verification.counting(present, claims, context.now)
        if header is None:
            cookies.require_same_site(request, session_id=verified.session.id, customer=verified.customer)
        require_same_customer(request, verified.customer, context)
        verification.require_address(verified.customer, context)
        sessions.note_activity(customer_id=verified.customer.id, session=verified.session, now=context.now)
        cors.limit_to_pages_of(verified.customer, request)
        facts_of(request).sandbox_key_id = verified.session.sandbox_key_id
        return Principal.of(verified), self.genuine_envelope

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _envelope(text: str, claims: VerifiedClaims, present: TokenState) -> TokenEnvelope:
    key = present.session.payload_key if present.session else b""
    return payload_keys.envelope(text, jti=claims.jti, session_id=claims.session_id, key=key)


def require_same_customer(request: Request, customer: CustomerState, context: RequestContext) -> None:
    """An API key may come along with a token. Raises InvalidApiKey if it is another customer's."""
    key = key_of(request, bearer=False)
    if key is not None:
        found = clients.identify_client(text=key, key_required=True, context=context)
        if found.customer.id != customer.id:
            raise InvalidApiKey


def header_token(request: Request) -> str | None:
    """The access token in Authorization. Raises AuthenticationRequired if something else stands there."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != SCHEME or not text.strip() or text.strip().startswith(keys.PREFIX):
        raise AuthenticationRequired
    return text.strip()
