"""The base classes of endpoints: they say who may call, and how bodies travel (contract 2 and 4)."""

from functools import cache
from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.api.authentication.api_key import ApiKeyAuthentication
from apps.api.envelope import Envelope
from apps.api.parsers import EnvelopeParser, StrictFormParser
from apps.api.scopes import HasKeyWithScope, HasScope
from apps.api.serializers import checked
from apps.api_keys.models import Scope
from apps.payloads.errors import EncryptionRequired

WITH_BODY = ("POST", "PUT", "PATCH")


class Endpoint(APIView):
    """The base of them all. A view that says nothing more asks for an access token: the project's defaults."""

    envelope: ClassVar[Envelope] = Envelope.TOKEN

    # What DRF decides anew with each request, and is always the same here.

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:  # noqa: FBT001, FBT002
        """Every answer is JSON, by the view's one renderer, whatever the client says it accepts."""
        only: BaseRenderer = _made_once(tuple(self.renderer_classes))[0]
        return only, str(only.media_type)

    def get_permissions(self) -> list[Any]:
        """Permissions keep nothing of a request: one of each kind is enough."""
        return _made_once(tuple(self.permission_classes))

    def get_parsers(self) -> list[BaseParser]:
        return _made_once(tuple(self.parser_classes))

    def get_authenticators(self) -> list[BaseAuthentication]:
        return _made_once(tuple(self.authentication_classes))

    def get_content_negotiator(self) -> BaseContentNegotiation:
        found: BaseContentNegotiation = _made_once((self.content_negotiation_class,))[0]
        return found

    @property
    def default_response_headers(self) -> dict[str, str]:
        view: Any = type(self)
        return {"Allow": allowed_methods(view)}

    def check_throttles(self, request: Request) -> None:
        """The flows count, not DRF (contract 6)."""

    def determine_version(self, request: Request, *args: Any, **kwargs: Any) -> tuple[None, None]:
        return None, None

    def read(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """The document that the client sent, checked. Raises what becomes `validation_error`."""
        return checked(serializer, self.request.data)


@cache  # there are so many views
def allowed_methods(view: Any) -> str:
    return ", ".join(view().allowed_methods)


@cache
def _made_once(kinds: tuple[Any, ...]) -> list[Any]:
    return [kind() for kind in kinds]


class PublicView(Endpoint):
    """Anybody may call, with plain bodies. What such a view needs to trust, it checks by itself."""

    authentication_classes = ()
    permission_classes = ()
    envelope = Envelope.PLAIN


class EncryptedView(Endpoint):
    """A body is opened before anything is done, even if the view does not read it: a plain one is refused everywhere."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.takes_body(request):
            request.data  # noqa: B018  (reading it opens it)

    def takes_body(self, request: Request) -> bool:
        """Whether this call has a body to open. A method that the view does not have is a 405, whatever the body."""
        return request.method in WITH_BODY and hasattr(self, str(request.method).lower())


class SignedInView(EncryptedView):
    """T: a signed-in user calls, and bodies are encrypted both ways under the access token."""


class BeforeSignInView(EncryptedView):
    """S: nobody is signed in yet. An API key or none, and bodies encrypted to the service."""

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasScope,)
    envelope = Envelope.SERVICE
    required_scope: ClassVar[str] = Scope.AUTH

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a request without a body: DRF asks no parser then, and it would pass unencrypted."""
        super().initial(request, *args, **kwargs)
        if self.takes_body(request) and request.stream is None:
            raise EncryptionRequired


class ApiKeyView(Endpoint):
    """K: a server calls with an API key that has `required_scope`. JSON or a form, as it is."""

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasKeyWithScope,)
    parser_classes = (EnvelopeParser, StrictFormParser)
    renderer_classes = (JSONRenderer,)
    envelope = Envelope.PLAIN
    required_scope: ClassVar[str] = Scope.AUTH
