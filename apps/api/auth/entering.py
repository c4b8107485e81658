"""Signing in over HTTP: by code, by password, by passkey."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth import sign_in_answers
from apps.api.auth.entering_serializers import (
    SIGN_IN_ANSWER,
    LoginSerializer,
    PasskeyVerifySerializer,
    VerifyOtpSerializer,
)
from apps.api.auth.webauthn_serializers import REQUEST_OPTIONS
from apps.api.authentication.api_key import client_of
from apps.api.refusals import refuses_with
from apps.api.views import ServiceView
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.factors.errors import InvalidPasskey
from apps.otp.errors import InvalidOtp
from apps.signin import by_code, by_passkey, by_password, owner_lookup
from apps.signin.errors import InvalidCredentials
from apps.tokens.errors import UserInactive
from apps.users import emails


class VerifyOtp(ServiceView):
    """Sign in with a code."""

    @extend_schema(operation_id="verify_otp", request=VerifyOtpSerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidOtp, RateLimited, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(VerifyOtpSerializer)
        client = client_of(request)
        ended = by_code.sign_in(
            by_code.CodeSignIn(
                customer=client.customer,
                address=emails.parse(given["email"]),
                code=given["otp"],
                delivery=given["delivery"],
                context=context_of(request),
            )
        )
        return sign_in_answers.entered(ended)


class Login(ServiceView):
    """Sign in with a password. Without an API key an owner signs in at the customer that is theirs."""

    @extend_schema(operation_id="login", request=LoginSerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidCredentials, RateLimited, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(LoginSerializer)
        address = emails.parse(given["email"])
        client = client_of(request)
        ended = by_password.sign_in(
            by_password.PasswordSignIn(
                client_customer=client.customer,
                customer=owner_lookup.customer_of(client, address),
                address=address,
                password=given["password"],
                delivery=given["delivery"],
                context=context_of(request),
            )
        )
        return sign_in_answers.entered(ended)


class PasskeyOptions(ServiceView):
    """What `navigator.credentials.get()` needs to sign in by a passkey alone. The same for everybody."""

    @extend_schema(operation_id="passkey_options", request=None, responses=REQUEST_OPTIONS)
    def post(self, request: Request) -> Response:
        client = client_of(request)
        return Response(by_passkey.options(client.customer, now=timezone.now()))


class PasskeyVerify(ServiceView):
    """Sign in by a passkey alone."""

    @extend_schema(operation_id="passkey_verify", request=PasskeyVerifySerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidPasskey, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(PasskeyVerifySerializer)
        client = client_of(request)
        ended = by_passkey.sign_in(
            by_passkey.PasskeySignIn(
                customer=client.customer,
                credential=given["credential"],
                delivery=given["delivery"],
                context=context_of(request),
            )
        )
        return sign_in_answers.entered(ended)
