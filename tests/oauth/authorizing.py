"""Authorization requests, as an app makes them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils import timezone

from apps.core import base64url, ciphers
from apps.customers.models import Customer
from apps.oauth import authorization
from apps.oauth.authorization import AuthorizationRequest
from apps.oauth.errors import AuthorizationRefused
from apps.oauth.models import RegisteredClient
from tests import factories

VERIFIER = "a-verifier-of-43-characters-or-more-is-good.~"
CHALLENGE = base64url.encode(ciphers.digest(VERIFIER.encode()))


def parameters(client: RegisteredClient, **changes: Any) -> dict[str, list[str]]:
    """Of a plain request. A change to None leaves a parameter out; a list gives it several times."""
    usual = {
        "client_id": client.client_id,
        "redirect_uri": factories.REDIRECT_URI,
        "response_type": "code",
        "scope": "openid email",
        "state": "a state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    wanted = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    return {name: value if isinstance(value, list) else [value] for name, value in wanted.items()}


def parsed(client: RegisteredClient, of: Customer, **changes: Any) -> AuthorizationRequest:
    return authorization.parse(parameters(client, **changes), factories.state_of(of), now=timezone.now())


def query_of(address: str) -> Mapping[str, str]:
    """The parameters of an address. None is there twice."""
    found = parse_qs(urlsplit(address).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def refusal(client: RegisteredClient, of: Customer, **changes: Any) -> Mapping[str, str]:
    """What the app is told by the redirect that refuses this request."""
    try:
        parsed(client, of, **changes)
    except AuthorizationRefused as refused:
        assert refused.address.startswith(f"{factories.REDIRECT_URI}?")
        return query_of(refused.address)
    raise AssertionError("not refused")
