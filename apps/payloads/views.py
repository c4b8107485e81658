"""The base of endpoints before sign-in, and the service's published keys."""

from typing import Any, ClassVar

from django.http import HttpRequest, JsonResponse
from rest_framework.views import APIView

from apps.api_keys.authentication import ApiKeyAuthentication
from apps.api_keys.models import Scope
from apps.api_keys.permissions import HasScope
from apps.payloads import service_keys
from apps.payloads.envelope import Envelope

KEYS_CACHED_SECONDS = 300


class ServiceView(APIView):
    """The base of S endpoints: an API key or none, bodies encrypted to the service."""

    authentication_classes: Any = (ApiKeyAuthentication,)
    permission_classes: Any = (HasScope,)
    envelope: ClassVar[Envelope] = Envelope.SERVICE
    required_scope: ClassVar[str] = Scope.AUTH


def published_keys(request: HttpRequest) -> JsonResponse:
    """`GET /.well-known/jwks.json`: the public keys to encrypt to, the current one first (RFC 7517)."""
    if request.method not in ("GET", "HEAD"):
        return JsonResponse({}, status=405, headers={"Allow": "GET, HEAD"})
    answer = JsonResponse({"keys": [pair.public_jwk for pair in service_keys.pairs()]})
    answer["Cache-Control"] = f"public, max-age={KEYS_CACHED_SECONDS}"
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
