"""The API key of a request, and the client that it identifies."""

import re

from django.conf import settings
from django.http import HttpRequest
from django.http.request import HttpHeaders
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.api import cors
from apps.api_keys import clients, keys
from apps.api_keys.clients import ApiClient
from apps.api_keys.errors import ApiKeyRequired, ConflictingApiKeys, InvalidApiKey
from apps.api_keys.state import ApiKeyState
from apps.core.requests import context_of, facts_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed

HEADER = "X-OTP-API-Key"
IN_ENVIRONMENT = HttpHeaders.to_wsgi_name(HEADER)
SCHEME = "bearer"
BEARS_A_KEY = re.compile(rf"(?<![A-Za-z0-9_.-]){keys.PREFIX}")  # within a JWT it would be no key


class ApiKeyAuthentication(BaseAuthentication):
    """For endpoints that take no access token. `client_of(request)` says who calls."""

    refusals = (ApiKeyRequired, InvalidApiKey, ConflictingApiKeys, CustomerSuspended, IpNotAllowed)

    def authenticate(self, request: Request) -> tuple[ApiClient, None]:
        return identified(request), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def identified(request: HttpRequest) -> ApiClient:
    """Who calls; noted for those who handle the request later. Raises what `key_of` and `identify_client` raise."""
    found = clients.identify_client(
        text=key_of(request), key_required=settings.REQUIRE_API_KEY, context=context_of(request)
    )
    cors.limit_to_pages_of(found.customer, request)
    facts = facts_of(request)
    facts.sandbox_key_id, facts.key_id = found.sandbox_key_id, found.key_id
    return found


def client_of(request: Request) -> ApiClient:
    """Who calls, by an API key or by none. Raises ApiKeyRequired where ApiKeyAuthentication has let nobody in."""
    if not isinstance(request.user, ApiClient):
        raise ApiKeyRequired
    return request.user


def required_key_of(request: Request) -> ApiKeyState:
    """The API key that a server calls with. Raises ApiKeyRequired if there is none."""
    key = client_of(request).api_key
    if key is None:
        raise ApiKeyRequired
    return key


def key_of(request: HttpRequest, *, bearer: bool = True) -> str | None:
    """The key in X-OTP-API-Key or, where no access token is taken, in Authorization.

    Raises ConflictingApiKeys if they differ, and InvalidApiKey.
    """
    given = (request.META.get(IN_ENVIRONMENT), _bearer(request) if bearer else None)
    found = {text for text in given if text is not None}
    if len(found) > 1:
        raise ConflictingApiKeys
    return found.pop() if found else None


def _bearer(request: HttpRequest) -> str | None:
    """The key in Authorization. A header without one (an access token, a proxy's Basic) is left alone (contract 5).

    But what begins like a key is meant as one. Badly sent, it is refused, and must not count as no key (contract 1.4).
    """
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    if not BEARS_A_KEY.search(header):
        return None
    scheme, _space, text = header.strip().partition(" ")
    if scheme.lower() != SCHEME:
        raise InvalidApiKey
    return text.strip()
