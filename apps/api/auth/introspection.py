"""Token introspection for the customers' servers (RFC 7662)."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.presented_token import TokenSerializer
from apps.api.authentication.api_key import client_of
from apps.api.base_views import ApiKeyView
from apps.api_keys.models import Scope
from apps.core.requests import context_of
from apps.tokens import introspection


class IntrospectionSerializer(serializers.Serializer[Any]):
    """Beside `active`, nothing unless it is true."""

    active = serializers.BooleanField()
    token_type = serializers.CharField(required=False, help_text="`Bearer`, of access tokens alone")
    token_use = serializers.ChoiceField(choices=["access", "refresh"], required=False)
    iss = serializers.CharField(required=False)
    aud = serializers.CharField(required=False)
    sub = serializers.UUIDField(required=False, help_text="the user's id")
    customer_id = serializers.UUIDField(required=False)
    sid = serializers.UUIDField(required=False, help_text="the session's id")
    jti = serializers.UUIDField(required=False)
    iat = serializers.IntegerField(required=False, help_text="unix time")
    nbf = serializers.IntegerField(required=False, help_text="unix time")
    exp = serializers.IntegerField(required=False, help_text="unix time")
    auth_time = serializers.IntegerField(
        required=False, help_text="unix time: when the user last proved who it is (RFC 9470)"
    )
    amr = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="how: `pwd`, `otp`, `sms`, `hwk`, `mfa` (RFC 8176)"
    )
    username = serializers.CharField(required=False, help_text="the user's email, as it is now")
    email = serializers.CharField(required=False)
    role = serializers.CharField(required=False, help_text="as it is now")
    permissions = serializers.ListField(child=serializers.CharField(), required=False, help_text="as they are now")
    scope = serializers.CharField(required=False, help_text="the permissions, separated by spaces")
    status = serializers.CharField(required=False, help_text="`active`, or `pending`: not all is done that is demanded")


class IntrospectView(ApiKeyView):
    """What a token is worth now. Anything but a token of the key's own customer is `{"active": false}`."""

    required_scope = Scope.TOKENS_INTROSPECT

    @extend_schema(operation_id="introspect", request=TokenSerializer, responses=IntrospectionSerializer)
    def post(self, request: Request) -> Response:
        token, customer = self.read(TokenSerializer)["token"], client_of(request).customer
        return Response(introspection.introspect(token, customer_id=customer.id, context=context_of(request)))
