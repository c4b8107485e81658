"""UserInfo (OpenID Connect Core section 5.3): what a client may know about its user, as it is now."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import cors
from apps.api.authentication.principal import principal_of
from apps.api.base_views import Endpoint
from apps.api.envelope import Envelope
from apps.api.parsers import StrictFormParser
from apps.api.refusals import refuses_with
from apps.api.schema import security_schemes
from apps.oauth import grants, user_claims
from apps.oauth.errors import InsufficientScope

CHALLENGE = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}  # RFC 6750 section 3


class UserInfoSerializer(serializers.Serializer[Any]):
    sub = serializers.UUIDField(help_text="the user's id")
    name = serializers.CharField(required=False, help_text="with `profile`")
    locale = serializers.CharField(required=False, help_text="with `profile`")
    email = serializers.CharField(required=False, help_text="with `email`")
    email_verified = serializers.BooleanField(required=False, help_text="with `email`")


class UserInfoView(Endpoint):
    """Plain, as client libraries expect it; so it is for tokens that were given to a registered client alone."""

    parser_classes = (StrictFormParser,)
    renderer_classes = (JSONRenderer,)
    envelope = Envelope.PLAIN

    @extend_schema(operation_id="userinfo", auth=security_schemes.BY_HEADER, responses=UserInfoSerializer)
    @refuses_with(InsufficientScope)
    def get(self, request: Request) -> Response:
        return self._answer(request)

    @extend_schema(
        operation_id="userinfo_post", auth=security_schemes.BY_HEADER, request=None, responses=UserInfoSerializer
    )
    @refuses_with(InsufficientScope)
    def post(self, request: Request) -> Response:
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        who = principal_of(request)
        grant = grants.of_session(who.customer_id, who.session_id)
        if grant is None:
            raise InsufficientScope(headers=CHALLENGE)
        cors.limit_to_pages_of(who.customer, request, and_of=grant.client)
        return Response(user_claims.of(who.user, grants.scopes_that_count(grant, who.customer)))
