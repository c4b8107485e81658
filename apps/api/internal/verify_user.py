"""For the customers' servers: how one of their users stands now."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication.api_key import client_of
from apps.api.base_views import ApiKeyView
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer
from apps.api.user_document import UserSerializer, describe_user
from apps.api_keys.models import Scope
from apps.core.errors import NotFound
from apps.tokens import user_lookup
from apps.users.state import UserState


class WhichUserSerializer(StrictSerializer):
    """One of the two."""

    user_id = serializers.UUIDField(required=False)
    email = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Give either user_id or email."))
        return attrs


class UserStateSerializer(UserSerializer):
    active = serializers.BooleanField(help_text="whether the status is `active`")
    email_verified = serializers.BooleanField()
    locale = serializers.CharField()


class VerifyUserView(ApiKeyView):
    """How one of the customer's users stands now, by id or by email. 404 when it has no such user."""

    required_scope = Scope.INTERNAL

    @extend_schema(operation_id="verify_user", request=WhichUserSerializer, responses=UserStateSerializer)
    @refuses_with(NotFound)
    def post(self, request: Request) -> Response:
        given, customer_id = self.read(WhichUserSerializer), client_of(request).customer.id
        if "user_id" in given:
            return Response(_state(user_lookup.by_id(customer_id, given["user_id"])))
        return Response(_state(user_lookup.by_email(customer_id, given["email"])))


def _state(user: UserState) -> dict[str, Any]:
    return {
        **describe_user(user, user.permissions),
        "active": user.is_active,
        "email_verified": user.email_verified,
        "locale": user.locale,
    }
