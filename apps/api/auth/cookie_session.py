"""Cookie mode: what a new tab needs to go on."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth import token_answer
from apps.api.auth.token_answer import PageSerializer
from apps.api.authentication.cookie_session import CookieSessionAuthentication
from apps.api.authentication.principal import principal_of
from apps.api.base_views import Endpoint
from apps.api.envelope import Envelope
from apps.api.schema import security_schemes
from apps.api.user_document import UserSerializer, describe_user


class CookieSessionSerializer(PageSerializer):
    user = UserSerializer()
    expires_in = serializers.IntegerField(
        help_text="seconds until the access cookie expires; 0 if the refresh cookie alone counts: refresh then"
    )


class CookieSessionView(Endpoint):
    """What a page needs that was just loaded, by its cookies alone. It must be the customer's page, or Gatehouse's own."""

    authentication_classes = (CookieSessionAuthentication,)
    envelope = Envelope.PLAIN

    @extend_schema(operation_id="cookie_session", responses=CookieSessionSerializer, auth=security_schemes.RESUMING)
    def get(self, request: Request) -> Response:
        who = principal_of(request)
        left = who.token_expires_at - int(timezone.now().timestamp())
        return Response(
            {
                **token_answer.for_page(who.session_id, who.session.payload_key),
                "user": describe_user(who.user, who.user.permissions),
                "expires_in": max(0, left),
            }
        )
