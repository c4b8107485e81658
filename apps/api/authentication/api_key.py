"""DRF's part: the API key of a request, and the customer it puts on the request."""

import re

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.api import cors
from apps.api_keys import clients, keys
from apps.api_keys.clients import ApiClient
from apps.api_keys.errors import ApiKeyRequired, ConflictingApiKeys, InvalidApiKey
from apps.core.requests import context_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed

HEADER = "X-OTP-API-Key"
SCHEME = "bearer"
BEARS_A_KEY = re.compile(rf"(?<![A-Za-z0-9_.-]){keys.PREFIX}")  # within a JWT it would be no key


class ApiKeyAuthentication(BaseAuthentication):
    """For endpoints that take no access token: `request.user` becomes an ApiClient, `request.customer` its customer."""

    refusals = (ApiKeyRequired, InvalidApiKey, ConflictingApiKeys, CustomerSuspended, IpNotAllowed)

    def authenticate(self, request: Request) -> tuple[ApiClient, None]:
        found = clients.identify_client(
            text=key_of(request),
            key_required=settings.REQUIRE_API_KEY,
            context=context_of(request),
        )
        cors.concerns(request, found.customer)
        request.customer = found.customer  # type: ignore[attr-defined]  # the parser decrypts for this customer
        request.sandbox_key_id = found.sandbox_key_id  # type: ignore[attr-defined]  # for `context_of`
        return found, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def client_of(request: Request) -> ApiClient:
    """Who asks, in a view whose requests `ApiKeyAuthentication` has let pass."""
    clients: ApiClient = request.user  # type: ignore[assignment]
    return clients


def key_of(request: Request, *, bearer: bool = True) -> str | None:
    """The key in X-OTP-API-Key or, where no access token is taken, in Authorization.

    Raises ConflictingApiKeys if they differ, and InvalidApiKey.
    """
    found = {text for text in (request.headers.get(HEADER), _bearer(request) if bearer else None) if text is not None}
    if len(found) > 1:
        raise ConflictingApiKeys
    return found.pop() if found else None


def _bearer(request: Request) -> str | None:
    """The key in Authorization. A header that bears none (an access token, Basic of a proxy) is none of ours (contract 5).

    But what begins like a key is meant as one: if it is not sent as it should be, it must not pass for none (contract 1.4).
    """
    header = request.headers.get("Authorization", "")
    if not BEARS_A_KEY.search(header):
        return None
    scheme, _space, text = header.strip().partition(" ")
    if scheme.lower() != SCHEME:
        raise InvalidApiKey
    return text.strip()
