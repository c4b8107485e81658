"""What a test key would have sent."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication.api_key import required_key_of
from apps.api.base_views import ApiKeyView
from apps.api.pagination import page
from apps.api_keys.models import Environment
from apps.core.errors import PermissionDenied
from apps.core.times import rfc3339
from apps.mail import outbox
from apps.mail.content import Content
from apps.mail.models import Message


class SandboxMessageSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    channel = serializers.CharField(help_text="email or sms")
    to = serializers.CharField(help_text="of an SMS as much of the number as is shown")
    kind = serializers.CharField()
    subject = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class SandboxPageSerializer(serializers.Serializer[Any]):
    results = SandboxMessageSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class SandboxMessagesView(ApiKeyView):
    """What a test key would have sent (contract 1.7)."""

    @extend_schema(
        operation_id="sandbox_messages",
        responses=SandboxPageSerializer,
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
    )
    def get(self, request: Request) -> Response:
        key = required_key_of(request)
        if key.environment != Environment.TEST:
            raise PermissionDenied
        messages = outbox.sandbox_messages(key.key_id)
        return Response(page(messages, request=request, represent=_describe).document())


def _describe(message: Message) -> dict[str, Any]:
    """A message as its recipient would have seen it. A day after it expired its content is gone."""
    content = outbox.content_of(message) if message.content else None
    return {
        "id": str(message.id),
        "channel": message.channel,
        "to": message.recipient,
        "kind": message.kind,
        "subject": content.subject if isinstance(content, Content) else None,
        "text": content.text if content else None,
        "created_at": rfc3339(message.created_at),
        "expires_at": rfc3339(message.expires_at),
    }
