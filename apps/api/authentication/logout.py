"""Logging out by the refresh cookie alone."""

from dataclasses import replace

from rest_framework.request import Request

from apps.api import cors
from apps.api.authentication import cookies
from apps.api.authentication.access_token import TokenAuthentication
from apps.api.authentication.principal import Principal
from apps.api.authentication.token_check import require_same_customer
from apps.core.errors import AuthenticationError
from apps.core.requests import context_of, facts_of
from apps.payloads.token_envelope import TokenEnvelope
from apps.tokens import refresh_tokens, verification
from apps.tokens.errors import MalformedToken
from apps.tokens.signing import TokenKind


class LogoutAuthentication(TokenAuthentication):
    """Without an access cookie, or with one that is worth nothing any more, the refresh cookie will do (contract 3.8).

    The answer is plain then: there is no access token to encrypt it to.
    """

    def authenticate(self, request: Request) -> tuple[Principal, TokenEnvelope | None] | None:
        refresh_token = cookies.refresh_token_in(request.COOKIES)
        if refresh_token is None or "HTTP_AUTHORIZATION" in request.META:
            return super().authenticate(request)
        try:
            found = super().authenticate(request)
        except (MalformedToken, AuthenticationError):  # expired, or ended early
            found = None
        return found or (_by_refresh_cookie(request, refresh_token), None)


def _by_refresh_cookie(request: Request, text: str) -> Principal:
    """Who is signed in by this refresh token. A used one will do: nobody who ends a session wants its successor to go on."""
    context = context_of(request)
    verified = verification.verify(text, kind=TokenKind.REFRESH, context=context)
    cors.limit_to_pages_of(verified.customer, request)
    cookies.refuse_other_pages(request, verified.customer)
    require_same_customer(request, verified.customer, context)
    verification.require_address(verified.customer, context)
    row = refresh_tokens.row_of(verified)
    facts_of(request).sandbox_key_id = verified.session.sandbox_key_id
    expires_at = int(row.access_expires_at.timestamp())  # of the access token that was issued with it
    return replace(Principal.of(verified), jti=row.access_jti, token_expires_at=expires_at)
