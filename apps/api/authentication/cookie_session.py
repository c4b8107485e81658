"""Who is signed in by the cookies alone, for a page that was just loaded and knows nothing yet (contract 3.8)."""

from dataclasses import replace

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.api import cors
from apps.api.authentication import cookies
from apps.api.authentication.access_token import OF_A_TOKEN
from apps.api.authentication.principal import Principal
from apps.api.authentication.token_check import header_token, require_same_customer
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError, AuthenticationRequired
from apps.core.requests import context_of
from apps.tokens import refresh_tokens, verification
from apps.tokens.errors import InvalidToken, MalformedToken
from apps.tokens.models import Delivery
from apps.tokens.signing import TokenKind
from apps.tokens.verification import VerifiedToken


class CookieSessionAuthentication(BaseAuthentication):
    """By the access cookie or, where that is absent or counts no more, by the refresh cookie, which is not used up.

    The answer is plain: it tells the page the key that others are encrypted under.
    """

    refusals = (*OF_A_TOKEN, AuthenticationRequired)

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        context = context_of(request)
        verified = _verified(request, context)
        if verified is None:
            return None
        cors.limit_to_pages_of(verified.customer, request)
        cookies.require_own_page(request, verified.customer)
        require_same_customer(request, verified.customer, context)
        verification.require_address(verified.customer, context)
        if verified.session.delivery != Delivery.COOKIE:
            raise InvalidToken
        return _principal(verified), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _verified(request: Request, context: RequestContext) -> VerifiedToken | None:
    """A header decides, if there is one. None if there is no token at all."""
    header = header_token(request)
    if header is not None:
        return _by_access_token(header, context)
    access, refresh = cookies.access_token_in(request.COOKIES), cookies.refresh_token_in(request.COOKIES)
    if refresh is None:
        return _by_access_token(access, context)
    try:
        found = _by_access_token(access, context)
    except (MalformedToken, AuthenticationError):  # expired, or ended early
        found = None
    return found or refresh_tokens.examine(refresh, context=context)


def _by_access_token(text: str | None, context: RequestContext) -> VerifiedToken | None:
    return verification.verify(text, kind=TokenKind.ACCESS, context=context) if text is not None else None


def _principal(verified: VerifiedToken) -> Principal:
    """With a refresh token alone, there is no access token that could still expire."""
    found = Principal.of(verified)
    return found if verified.claims.kind is TokenKind.ACCESS else replace(found, token_expires_at=0)
