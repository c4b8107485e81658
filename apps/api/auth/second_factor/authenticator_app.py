"""The user's authenticator app."""

from typing import Any

from django.utils import timezone
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
from apps.api.serializers import MessageSerializer
from apps.core.errors import NotFound, RateLimited
from apps.core.requests import context_of
from apps.factors import removal, totp
from apps.factors.errors import SecondFactorRequired
from apps.otp.errors import InvalidOtp


class AppAnswerSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="base32; shown this once")
    uri = serializers.CharField(help_text="otpauth://…")
    qr_svg = serializers.CharField(help_text="the URI as a QR code: an SVG element")


class AuthenticatorAppView(SignedInView):
    """An authenticator app."""

    @extend_schema(operation_id="begin_app", request=None, responses={201: AppAnswerSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound)
    def post(self, request: Request) -> Response:
        begun = totp.begin(user_of(request), customer=customer_of(request), now=timezone.now())
        return Response(begun.document(), status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="remove_app", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound, SecondFactorRequired)
    def delete(self, request: Request) -> Response:
        removal.remove_app(removal_of(request))
        return removed()


class ConfirmAuthenticatorAppView(SignedInView):
    """A first code shows that the app has the secret."""

    @extend_schema(operation_id="confirm_app", request=CodeSerializer, responses=ConfirmedSerializer)
    @needs_fresh_proof
    @refuses_with(InvalidOtp, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(CodeSerializer)
        user, customer, context = user_of(request), customer_of(request), context_of(request)
        codes = totp.confirm(user, given["code"], customer=customer, context=context)
        return confirmed(codes)
