"""The user's phone number for codes by SMS."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.second_factor.confirmation import CodeSerializer, ConfirmedSerializer, confirmed
from apps.api.auth.second_factor.removal import removal_of, removed
from apps.api.authentication.principal import customer_of, user_of
from apps.api.base_views import SignedInView
from apps.api.permissions import needs_fresh_proof
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.core.errors import NotFound, RateLimited
from apps.core.requests import context_of
from apps.factors import phones, removal
from apps.factors.errors import SecondFactorRequired
from apps.mail.errors import QuotaExceeded, SmsUnavailable
from apps.otp.errors import InvalidOtp, ResendTooSoon


class PhoneSerializer(StrictSerializer):
    phone = serializers.CharField(max_length=32, help_text="with its country's code")


class PhoneAnswerSerializer(serializers.Serializer[Any]):
    number = serializers.CharField(help_text="as much of it as is shown")
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")


class PhoneView(SignedInView):
    """A number for codes by SMS."""

    @extend_schema(operation_id="begin_phone", request=PhoneSerializer, responses={202: PhoneAnswerSerializer})
    @needs_fresh_proof
    @refuses_with(ResendTooSoon, RateLimited, QuotaExceeded, SmsUnavailable, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(PhoneSerializer)
        begun = phones.begin(
            user_of(request),
            customer=customer_of(request),
            number=given["phone"],
            context=context_of(request),
        )
        return Response(begun.document(), status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="remove_phone", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound, SecondFactorRequired)
    def delete(self, request: Request) -> Response:
        removal.remove_phone(removal_of(request))
        return removed()


class ConfirmPhoneView(SignedInView):
    """A first code shows whose number it is."""

    @extend_schema(operation_id="confirm_phone", request=CodeSerializer, responses=ConfirmedSerializer)
    @needs_fresh_proof
    @refuses_with(InvalidOtp, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(CodeSerializer)
        user, customer, context = user_of(request), customer_of(request), context_of(request)
        codes = phones.confirm(user, given["code"], customer=customer, context=context)
        return confirmed(codes)
