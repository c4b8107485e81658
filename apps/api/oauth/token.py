"""The token endpoint (OAuth 2.1 section 3.2): a code, or a refresh token, for tokens."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.token_answer import TokenAnswerSerializer
from apps.api.oauth.client_of_request import authenticated_client
from apps.api.oauth.form_view import FORM, ClientSerializer, OAuthFormView, Parameter
from apps.api.refusals import refuses_with
from apps.api.schema import security_schemes
from apps.api.user_document import describe_user
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed
from apps.oauth import client_refresh, code_redemption, scopes
from apps.oauth.client_authentication import AuthenticatedClient
from apps.oauth.client_refresh import ClientRefresh
from apps.oauth.client_tokens import ClientTokens
from apps.oauth.code_redemption import CodeRedemption
from apps.oauth.errors import InvalidClient, InvalidGrant, InvalidScope, OAuthError, UnsupportedGrantType


class TokenRequestSerializer(ClientSerializer):
    grant_type = Parameter(help_text="`authorization_code` or `refresh_token`")
    code = Parameter()
    code_verifier = Parameter(help_text="PKCE; with `code`")
    redirect_uri = Parameter(help_text="with `code`; may be left out")
    refresh_token = Parameter()
    scope = Parameter(help_text="with `refresh_token`: no more than was granted")


class ClientTokensSerializer(TokenAnswerSerializer):
    scope = serializers.CharField(
        required=False, help_text="what was granted, separated by spaces; absent if nothing was"
    )
    id_token = serializers.CharField(required=False, help_text="if `openid` was granted")


class TokenView(OAuthFormView):
    """Tokens for a registered client: for an authorization code, or for a refresh token that it was given."""

    @extend_schema(
        operation_id="oauth_token",
        request={FORM: TokenRequestSerializer},
        responses=ClientTokensSerializer,
        auth=security_schemes.BY_CLIENT,
    )
    @refuses_with(
        *(OAuthError, InvalidClient, InvalidGrant, InvalidScope, UnsupportedGrantType),
        *(CustomerSuspended, IpNotAllowed, RateLimited),
    )
    def post(self, request: Request) -> Response:
        given = self.read(TokenRequestSerializer)
        kind = _required(given, "grant_type")
        client = authenticated_client(request, given)
        if kind not in GRANT_TYPES:
            raise UnsupportedGrantType
        return Response(_document(GRANT_TYPES[kind](request, client, given)))


def _by_code(request: Request, client: AuthenticatedClient, given: Mapping[str, str]) -> ClientTokens:
    attempt = CodeRedemption(
        client=client,
        code=_required(given, "code"),
        verifier=_required(given, "code_verifier"),
        redirect_uri=given.get("redirect_uri") or None,
        context=context_of(request),
    )
    return code_redemption.redeem(attempt)


def _by_refresh_token(request: Request, client: AuthenticatedClient, given: Mapping[str, str]) -> ClientTokens:
    wanted = given.get("scope") or None
    attempt = ClientRefresh(
        client=client,
        refresh_token=_required(given, "refresh_token"),
        scopes=scopes.known(wanted.split()) if wanted else None,
        context=context_of(request),
    )
    return client_refresh.refresh(attempt)


GRANT_TYPES: Mapping[str, Callable[[Request, AuthenticatedClient, Mapping[str, str]], ClientTokens]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
}


def _required(given: Mapping[str, str], name: str) -> str:
    """Raises OAuthError."""
    text = given.get(name)
    if not text:
        raise OAuthError
    return text


def _document(tokens: ClientTokens) -> dict[str, Any]:
    pair = tokens.pair
    body: dict[str, Any] = {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
        "user": {**describe_user(tokens.user, pair.permissions), "is_new": tokens.is_new},
    }
    scope = {"scope": " ".join(tokens.scopes)} if tokens.scopes else {}
    id_token = {"id_token": tokens.id_token} if tokens.id_token else {}
    return {**body, **scope, **id_token}
