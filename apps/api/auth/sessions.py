"""Tokens and sessions over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api import cors
from apps.api.auth import token_answers
from apps.api.auth.tokens_serializers import (
    REFRESH_ANSWER,
    EndedSessionsSerializer,
    MessageSerializer,
    RefreshSerializer,
    SessionPageSerializer,
)
from apps.api.authentication import cookies
from apps.api.authentication.access_token import OF_A_TOKEN, LeavingAuthentication, principal_of
from apps.api.authentication.api_key import key_of
from apps.api.envelope import Envelope
from apps.api.pagination import page
from apps.api.refusals import refuses_with
from apps.api.schema import access_tokens
from apps.api.views import EncryptedView
from apps.api_keys import clients
from apps.api_keys.errors import InvalidApiKey
from apps.core import actors
from apps.core.errors import RateLimited, ValidationFailed
from apps.core.requests import context_of
from apps.core.times import rfc3339
from apps.customers.state import CustomerState
from apps.tokens import devices, parsing, refreshing, sessions
from apps.tokens.errors import RefreshTokenReused
from apps.tokens.models import Delivery, EndReason, Session

UNAUTHORISED = 401


class Refresh(APIView):
    """New tokens for a refresh token; plain JSON, or the cookie."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    envelope = Envelope.PLAIN

    @extend_schema(
        operation_id="refresh", request=RefreshSerializer, responses=REFRESH_ANSWER, auth=access_tokens.REFRESHING
    )
    @refuses_with(*OF_A_TOKEN, RefreshTokenReused, RateLimited)
    def post(self, request: Request) -> Response:
        text = _refresh_token_of(request)
        context = context_of(request)
        key = key_of(request, bearer=False)
        if key is not None:
            found = clients.identify_client(text=key, key_required=True, context=context)
            if found.customer.id != parsing.parse(text).customer_id:
                raise InvalidApiKey
        fresh = refreshing.refresh(text, context=context, check=_check(request))
        return token_answers.refreshed(fresh.pair)


class Logout(EncryptedView):
    """Ends the session of the token. A browser's refresh cookie will do, and its cookies are cleared."""

    authentication_classes: Any = (LeavingAuthentication,)

    @extend_schema(operation_id="logout", request=None, responses=MessageSerializer, auth=access_tokens.LEAVING)
    def post(self, request: Request) -> Response:
        who = principal_of(request)
        sessions.log_out(
            customer_id=who.customer_id,
            user_id=who.user_id,
            session_id=who.session_id,
            jti=who.jti,
            token_expires_at=datetime.fromtimestamp(who.token_expires_at, UTC),
            context=context_of(request),
        )
        response = Response({"message": "Logged out successfully"})
        if who.delivery == Delivery.COOKIE:
            cookies.clear(response)
        return response

    def takes_body(self, request: Request) -> bool:
        """By a refresh cookie there is no key to open one with, and nothing in it that is needed."""
        return request.auth is not None and super().takes_body(request)

    def handle_exception(self, exc: Exception) -> Response:
        """Have a browser whose cookies are worth nothing any more forget them, too: it could not do so by itself."""
        response = super().handle_exception(exc)
        if response.status_code == UNAUTHORISED and cookies.are_in(self.request.COOKIES):
            cookies.clear(response)
        return response


class Sessions(EncryptedView):
    """The user's living sessions."""

    @extend_schema(
        operation_id="sessions",
        responses=SessionPageSerializer,
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
    )
    def get(self, request: Request) -> Response:
        who = principal_of(request)
        living = sessions.alive(customer_id=who.customer_id, user_id=who.user_id, now=timezone.now())
        return Response(
            page(living, request=request, represent=lambda row: _session(row, current=who.session_id)).document()
        )

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


class OneSession(EncryptedView):
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


def _refresh_token_of(request: Request) -> str:
    given = RefreshSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    text = given.validated_data.get("refresh_token") or cookies.refresh_token_in(request.COOKIES)
    if not text:
        raise ValidationFailed(fields={"refresh_token": ["This field is required."]})
    return str(text)


def _check(request: Request) -> refreshing.Check:
    """What must hold once it is known whose token it is: of one that came by cookie, that the page is the customer's."""

    def check(customer: CustomerState, session_id: UUID) -> None:
        cors.concerns(request, customer)
        if "refresh_token" not in request.data:
            cookies.require_same_site(request, session_id=session_id, customer=customer)

    return check


def _session(row: Session, *, current: UUID) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "device": devices.name_of(row.user_agent),
        "address": row.ip,
        "created_at": rfc3339(row.created_at),
        "last_activity_at": rfc3339(row.last_activity_at),
        "current": row.id == current,
    }
