"""What the user has enrolled, and what the customer demands."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.second_factor.passkeys import PasskeySerializer, describe_passkey
from apps.api.authentication.principal import customer_of, user_of
from apps.api.base_views import SignedInView
from apps.api.refusals import refuses_with
from apps.core.errors import NotFound
from apps.core.times import rfc3339
from apps.factors import overview


class FactorSerializer(serializers.Serializer[Any]):
    confirmed_at = serializers.DateTimeField()


class PhoneFactorSerializer(FactorSerializer):
    number = serializers.CharField(help_text="as much of it as is shown")


class OverviewSerializer(serializers.Serializer[Any]):
    policy = serializers.CharField(help_text="optional, required, or both (an SMS code and a passkey)")
    methods = serializers.ListField(child=serializers.CharField(), help_text="in the order in which they are offered")
    totp = FactorSerializer(allow_null=True)
    sms = PhoneFactorSerializer(allow_null=True)
    passkeys = PasskeySerializer(many=True)
    recovery_codes_left = serializers.IntegerField()


class SecondFactorOverviewView(SignedInView):
    """What is enrolled, and what the customer demands."""

    @extend_schema(operation_id="second_factors", responses=OverviewSerializer)
    @refuses_with(NotFound)
    def get(self, request: Request) -> Response:
        found = overview.of(user_of(request))
        body = {
            "policy": customer_of(request).second_factor,
            "methods": list(found.enrolled.methods),
            "totp": {"confirmed_at": rfc3339(found.app_since)} if found.app_since else None,
            "sms": {"number": found.phone.hint, "confirmed_at": rfc3339(found.phone.confirmed_at)}
            if found.phone and found.phone.confirmed_at
            else None,
            "passkeys": [describe_passkey(row) for row in found.passkeys],
            "recovery_codes_left": found.recovery_codes_left,
        }
        return Response(body)
