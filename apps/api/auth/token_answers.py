"""The token answer of contract 4, as body or as cookies."""

from typing import Any

from rest_framework.response import Response

from apps.api.authentication import cookies
from apps.core import base64url
from apps.tokens.minting import TokenPair
from apps.tokens.models import Delivery
from apps.users.models import User
from apps.users.state import UserState


def signed_in(pair: TokenPair, user: User, *, is_new: bool) -> Response:
    """The answer to a successful sign-in. Its permissions are those of the token."""
    return _deliver(pair, {"user": {**describe(user, pair.permissions), "is_new": is_new}})


def refreshed(pair: TokenPair) -> Response:
    """The answer to a refresh."""
    return _deliver(pair, {})


def describe(user: User | UserState, permissions: tuple[str, ...]) -> dict[str, Any]:
    """A user as clients see it, with its effective permissions."""
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "permissions": list(permissions),
        "status": user.status,
        "customer_id": str(user.customer_id),
    }


def _deliver(pair: TokenPair, more: dict[str, Any]) -> Response:
    body: dict[str, Any] = {"token_type": "Bearer", "expires_in": pair.expires_in, **more}
    if pair.delivery != Delivery.COOKIE:
        return Response({"access_token": pair.access, "refresh_token": pair.refresh, **body})
    key = base64url.encode(pair.payload_key)
    for_page = {"payload_key": key, "payload_kid": str(pair.jti), "csrf_token": cookies.csrf_token(pair.session_id)}
    response = Response({**body, **for_page})
    cookies.set_tokens(response, pair)
    return response
