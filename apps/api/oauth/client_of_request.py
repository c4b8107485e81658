"""Which registered client calls: by HTTP Basic, or by what it says in its form (RFC 6749 section 2.3.1)."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus

from rest_framework.request import Request

from apps.api import cors
from apps.core.requests import context_of
from apps.oauth import client_authentication
from apps.oauth.client_authentication import AuthenticatedClient, ClientCredentials
from apps.oauth.errors import InvalidClient, OAuthError

SCHEME = "basic"


def authenticated_client(request: Request, given: Mapping[str, str]) -> AuthenticatedClient:
    """Raises InvalidClient, OAuthError, CustomerSuspended or IpNotAllowed."""
    client = client_authentication.authenticate(_credentials(request, given), context_of(request))
    cors.limit_to_pages_of(client.customer, request, and_of=client.row)
    return client


def _credentials(request: Request, given: Mapping[str, str]) -> ClientCredentials:
    """Raises OAuthError for a client that authenticates twice (section 2.3)."""
    client_id, secret = given.get("client_id", ""), given.get("client_secret") or None
    header = request.headers.get("Authorization")
    if header is None:
        return ClientCredentials(client_id, secret)
    found = _basic(header)
    if secret is not None or client_id not in ("", found.client_id):
        raise OAuthError
    return found


def _basic(header: str) -> ClientCredentials:
    """Both parts are percent-encoded before they are joined. Raises InvalidClient."""
    scheme, _space, encoded = header.strip().partition(" ")
    if scheme.lower() != SCHEME:
        raise InvalidClient
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        client_id, colon, secret = text.partition(":")
        found = ClientCredentials(_decoded(client_id), _decoded(secret) or None)
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidClient from error
    if not colon:
        raise InvalidClient
    return found


def _decoded(text: str) -> str:
    return unquote_plus(text, errors="strict")
