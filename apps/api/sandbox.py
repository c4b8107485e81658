"""Endpoints for servers that hold an API key: plain JSON over TLS."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication.api_key import ApiKeyAuthentication
from apps.api.pagination import page
from apps.api.sandbox_serializers import SandboxPageSerializer
from apps.api.scopes import HasKeyWithScope
from apps.api_keys.models import Environment, Scope
from apps.core.errors import PermissionDenied
from apps.core.times import rfc3339
from apps.mail import outbox
from apps.mail.content import Content
from apps.mail.models import Message


class KeyView(APIView):
    """The base of K endpoints: an API key with `required_scope`, bodies as they are."""

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasKeyWithScope,)
    parser_classes = (JSONParser, FormParser)
    renderer_classes = (JSONRenderer,)
    required_scope: ClassVar[str] = Scope.AUTH


class SandboxMessages(KeyView):
    """What a test key would have sent (contract 1.7)."""

    @extend_schema(
        operation_id="sandbox_messages",
        responses=SandboxPageSerializer,
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
    )
    def get(self, request: Request) -> Response:
        key = request.user.api_key  # type: ignore[union-attr]
        if key.environment != Environment.TEST:
            raise PermissionDenied
        messages = outbox.sandbox_messages(key.key_id)
        return Response(page(messages, request=request, represent=_represent).document())


def _represent(message: Message) -> dict[str, Any]:
    """A message as its recipient would have seen it; its content is gone a day after it expired."""
    said = outbox.content_of(message) if message.content else None
    return {
        "id": str(message.id),
        "channel": message.channel,
        "to": message.recipient,
        "kind": message.kind,
        "subject": said.subject if isinstance(said, Content) else None,
        "text": said.text if said else None,
        "created_at": rfc3339(message.created_at),
        "expires_at": rfc3339(message.expires_at),
    }
