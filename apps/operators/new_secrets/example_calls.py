"""Shell commands that show, right after a key or secret was made, that it works."""

import shlex

from django.conf import settings

from apps.api_keys.models import ApiKey, Environment, Scope
from apps.oauth.models import RegisteredClient


def with_key(key: ApiKey, text: str) -> str:
    """A call that this key may make. What it asks for need not be there: a wrong key would be answered 401."""
    return _curl("-H", f"X-OTP-API-Key: {text}", *_call_of(key))


def with_client(client: RegisteredClient, secret: str) -> str:
    """The exchange of an authorization code, which a wrong secret gets no part of."""
    redirect = client.redirect_uris[0]
    form = ("grant_type=authorization_code", "code=CODE", "code_verifier=VERIFIER", f"redirect_uri={redirect}")
    fields = [part for text in form for part in ("--data-urlencode", text)]
    return _curl("-u", f"{client.client_id}:{secret}", *fields, _address("oauth/token"))


def _call_of(key: ApiKey) -> list[str]:
    if Scope.TOKENS_INTROSPECT in key.scopes:
        return ["-d", "token=ACCESS_TOKEN", _address("auth/introspect")]
    if Scope.INTERNAL in key.scopes:
        return ["-d", "email=ada@example.com", _address("internal/verify-user")]
    if key.environment == Environment.TEST and Scope.AUTH in key.scopes:
        return [_address("sandbox/messages")]
    if Scope.TOKENS_REVOKE in key.scopes:
        return ["-d", "token=REFRESH_TOKEN", _address("auth/revoke")]
    return ["-X", "POST", _address("auth/request-otp")]  # refused for its missing encryption, once the key was right


def _address(path: str) -> str:
    return f"{settings.PUBLIC_URL}/api/{path}"


def _curl(*arguments: str) -> str:
    return shlex.join(["curl", "-i", *arguments])
