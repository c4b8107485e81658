"""Signing in over HTTP: by code, by password, by passkey."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api_keys.authentication import asking_of
from apps.core.errors import RateLimited
from apps.core.refusals import refuses_with
from apps.core.requests import caller_of
from apps.factors.errors import InvalidPasskey
from apps.factors.webauthn_serializers import REQUEST_OPTIONS
from apps.otp.errors import InvalidOtp
from apps.payloads.views import ServiceView
from apps.signin import by_code, by_passkey, by_password, whose
from apps.signin.errors import InvalidCredentials
from apps.signin.serializers.entering import (
    SIGN_IN_ANSWER,
    LoginSerializer,
    PasskeyVerifySerializer,
    VerifyOtpSerializer,
)
from apps.signin.views import answers
from apps.tokens.errors import UserInactive
from apps.users import emails


class VerifyOtp(ServiceView):
    """Sign in with a code."""

    @extend_schema(operation_id="verify_otp", request=VerifyOtpSerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidOtp, RateLimited, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(VerifyOtpSerializer)
        asking = asking_of(request)
        ended = by_code.sign_in(
            by_code.Attempt(
                customer=asking.customer,
                address=emails.parse(given["email"]),
                code=given["otp"],
                delivery=given["delivery"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        )
        return answers.entered(ended)


class Login(ServiceView):
    """Sign in with a password. Without an API key an owner signs in at the customer that is theirs."""

    @extend_schema(operation_id="login", request=LoginSerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidCredentials, RateLimited, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(LoginSerializer)
        address = emails.parse(given["email"])
        asking = asking_of(request)
        ended = by_password.sign_in(
            by_password.Attempt(
                asked=asking.customer,
                customer=whose.customer_of(asking, address),
                address=address,
                password=given["password"],
                delivery=given["delivery"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        )
        return answers.entered(ended)


class PasskeyOptions(ServiceView):
    """What `navigator.credentials.get()` needs to sign in by a passkey alone. The same for everybody."""

    @extend_schema(operation_id="passkey_options", request=None, responses=REQUEST_OPTIONS)
    def post(self, request: Request) -> Response:
        asking = asking_of(request)
        return Response(by_passkey.options(asking.customer, now=timezone.now()))


class PasskeyVerify(ServiceView):
    """Sign in by a passkey alone."""

    @extend_schema(operation_id="passkey_verify", request=PasskeyVerifySerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidPasskey, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(PasskeyVerifySerializer)
        asking = asking_of(request)
        ended = by_passkey.sign_in(
            by_passkey.Attempt(
                customer=asking.customer,
                credential=given["credential"],
                delivery=given["delivery"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        )
        return answers.entered(ended)
