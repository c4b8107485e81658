"""The user's recovery codes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.second_factor.removal import removal_of, removed
from apps.api.authentication.principal import customer_of, user_of
from apps.api.base_views import SignedInView
from apps.api.permissions import needs_fresh_proof
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer
from apps.core.errors import NotFound
from apps.core.requests import context_of
from apps.factors import enrolment, removal
from apps.factors.errors import NoSecondFactor


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField(), help_text="shown this once")


class RecoveryCodesView(SignedInView):
    """Ten codes for when every other factor is lost."""

    @extend_schema(operation_id="make_recovery_codes", request=None, responses={201: RecoveryCodesSerializer})
    @needs_fresh_proof
    @refuses_with(NoSecondFactor, NotFound)
    def post(self, request: Request) -> Response:
        codes = enrolment.make_recovery_codes(
            user_of(request), customer=customer_of(request), context=context_of(request)
        )
        return Response({"recovery_codes": list(codes)}, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="remove_recovery_codes", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound)
    def delete(self, request: Request) -> Response:
        removal.remove_recovery_codes(removal_of(request))
        return removed()
