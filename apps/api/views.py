"""The bases of endpoints whose bodies are encrypted, and the service's published keys."""

from typing import Any, ClassVar

from django.http import HttpRequest, JsonResponse
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.api.authentication.api_key import ApiKeyAuthentication
from apps.api.envelope import Envelope
from apps.api.scopes import HasScope
from apps.api_keys.models import Scope
from apps.core import error_answers
from apps.payloads import service_keys
from apps.payloads.errors import EncryptionRequired

KEYS_CACHED_SECONDS = 300
WITH_BODY = ("POST", "PUT", "PATCH")


class EncryptedView(APIView):
    """The base of T endpoints: who may use them, and the envelope, are the project's defaults.

    A body is opened before anything is done, also where the view does not read it: a plain one is refused everywhere.
    """

    envelope: ClassVar[Envelope] = Envelope.TOKEN

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.takes_body(request):
            request.data  # noqa: B018  (reading it opens it)

    def read(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """The document that the client sent, checked. Raises what becomes `validation_error`."""
        given = serializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        checked: dict[str, Any] = given.validated_data
        return checked

    def takes_body(self, request: Request) -> bool:
        """Whether this call has a body to open; else it is a 405, whatever the body."""
        return request.method in WITH_BODY and hasattr(self, str(request.method).lower())


class ServiceView(EncryptedView):
    """The base of S endpoints: an API key or none, bodies encrypted to the service."""

    authentication_classes: Any = (ApiKeyAuthentication,)
    permission_classes: Any = (HasScope,)
    envelope: ClassVar[Envelope] = Envelope.SERVICE
    required_scope: ClassVar[str] = Scope.AUTH

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a request without a body: DRF asks no parser then, and it would pass unencrypted."""
        super().initial(request, *args, **kwargs)
        if self.takes_body(request) and request.stream is None:
            raise EncryptionRequired


def published_keys(request: HttpRequest) -> JsonResponse:
    """`GET /.well-known/jwks.json`: the current public key to encrypt to (RFC 7517).

    The retiring one still decrypts, but is not published: whoever picks any key of the set gets one that lasts.
    """
    if request.method not in ("GET", "HEAD"):
        return error_answers.plain(error_answers.MethodNotAllowed(headers={"Allow": "GET, HEAD"}), request)
    answer = JsonResponse({"keys": [service_keys.pairs()[0].public_jwk]})
    answer["Cache-Control"] = f"public, max-age={KEYS_CACHED_SECONDS}"
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
