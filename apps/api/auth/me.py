"""The user's own account: read, changed, erased."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import erasure
from apps.api.authentication import cookies
from apps.api.authentication.principal import principal_of, user_of
from apps.api.base_views import SignedInView
from apps.api.fields import NameInputField
from apps.api.permissions import needs_fresh_proof
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.api.user_document import UserSerializer, describe_user
from apps.core.errors import NotFound
from apps.core.requests import context_of
from apps.core.text_languages import is_known
from apps.core.times import rfc3339
from apps.tokens.models import Delivery
from apps.users import lifecycle
from apps.users.errors import LastAdmin
from apps.users.state import UserState


class ProfileSerializer(StrictSerializer):
    """`PATCH /api/auth/me`: only what is sent changes."""

    name = NameInputField(max_length=200, required=False, allow_blank=True)
    locale = serializers.CharField(max_length=16, required=False, allow_blank=True)
    phone = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="with its country code; kept as E.164"
    )

    def validate_locale(self, value: str) -> str:
        """A language we have texts for ("de-AT" is kept as it is, and served by "de")."""
        if value and not is_known(value):
            raise serializers.ValidationError("There are no texts in this language.")
        return value


class ProfileAnswerSerializer(UserSerializer):
    locale = serializers.CharField()
    phone = serializers.CharField()
    email_verified = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class MeView(SignedInView):
    """The user of the token, as it is now. The shortcut (`me_shortcut`) answers most who only ask."""

    @extend_schema(operation_id="me", responses=ProfileAnswerSerializer)
    def get(self, request: Request) -> Response:
        return Response(profile(principal_of(request).user))

    @extend_schema(operation_id="change_me", request=ProfileSerializer, responses=ProfileAnswerSerializer)
    @refuses_with(NotFound)
    def patch(self, request: Request) -> Response:
        changes, user = self.read(ProfileSerializer), user_of(request)
        lifecycle.change_profile(user, changes=changes, context=context_of(request))
        now = replace(principal_of(request).user, name=user.name, locale=user.locale, sealed_phone=user.phone)
        return Response({**profile(now)})

    @extend_schema(operation_id="erase_me", request=None, responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(LastAdmin, NotFound)
    def delete(self, request: Request) -> Response:
        """Erases the account and all that hangs on it; the audit trail stays, and bears no address.

        409 `last_admin` for the only administrator of a customer that has other users.
        """
        who = principal_of(request)
        erasure.erase_oneself(customer_id=who.customer_id, user_id=who.user_id, context=context_of(request))
        response = Response({"message": _("Your account has been erased.")})
        if who.delivery == Delivery.COOKIE:
            cookies.clear(response)
        return response


def profile(user: UserState) -> dict[str, Any]:
    """The answer of `GET /api/auth/me`, as ProfileAnswerSerializer lists it."""
    return {
        **describe_user(user, user.permissions),
        "locale": user.locale,
        "phone": user.phone(),
        "email_verified": user.email_verified,
        "created_at": rfc3339(user.created_at),
    }
