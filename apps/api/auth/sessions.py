"""The user's own sessions: listed, and ended."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication.principal import principal_of
from apps.api.base_views import SignedInView
from apps.api.pagination import page
from apps.api.serializers import MessageSerializer
from apps.core import actors
from apps.core.requests import context_of
from apps.core.times import rfc3339
from apps.tokens import devices, sessions
from apps.tokens.models import EndReason, Session


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    device = serializers.CharField()
    address = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_activity_at = serializers.DateTimeField()
    current = serializers.BooleanField()


class SessionPageSerializer(serializers.Serializer[Any]):
    results = SessionSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class EndedSessionsSerializer(MessageSerializer):
    ended = serializers.IntegerField()


class SessionsView(SignedInView):
    """The user's living sessions."""

    @extend_schema(
        operation_id="sessions",
        responses=SessionPageSerializer,
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
    )
    def get(self, request: Request) -> Response:
        who = principal_of(request)
        living = sessions.alive(customer_id=who.customer_id, user_id=who.user_id, now=timezone.now())
        found = page(living, request=request, represent=lambda row: _describe(row, current=who.session_id))
        return Response(found.document())

    @extend_schema(operation_id="end_other_sessions", responses={200: EndedSessionsSerializer})
    def delete(self, request: Request) -> Response:
        who = principal_of(request)
        ended = sessions.end_all(
            customer_id=who.customer_id,
            user_id=who.user_id,
            except_for=who.session_id,
            reason=EndReason.REVOKED,
            context=context_of(request).by(actors.user(who.user_id)),
        )
        return Response({"message": "Other sessions ended", "ended": ended})


class SessionView(SignedInView):
    """One session of the user."""

    @extend_schema(operation_id="end_session", responses={200: MessageSerializer})
    def delete(self, request: Request, session_id: UUID) -> Response:
        who = principal_of(request)
        sessions.end_one(
            customer_id=who.customer_id,
            user_id=who.user_id,
            session_id=session_id,
            reason=EndReason.REVOKED,
            context=context_of(request).by(actors.user(who.user_id)),
        )
        return Response({"message": "Session ended"})


def _describe(row: Session, *, current: UUID) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "device": devices.name_of(row.user_agent),
        "address": row.ip,
        "created_at": rfc3339(row.created_at),
        "last_activity_at": rfc3339(row.last_activity_at),
        "current": row.id == current,
    }
