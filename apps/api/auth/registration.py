"""Register as a user of the key's customer, and prove the address."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import registration, verify_email
from apps.accounts.errors import RegistrationClosed
from apps.api.authentication.api_key import client_of
from apps.api.base_views import BeforeSignInView
from apps.api.fields import CodeField, EmailAddressField, NameInputField, PasswordField
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.mail.errors import QuotaExceeded
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.tokens.errors import UserInactive
from apps.users import emails


class RegisterSerializer(StrictSerializer):
    email = EmailAddressField()
    password = PasswordField()
    name = NameInputField(max_length=200, default="", allow_blank=True)
    phone = serializers.CharField(max_length=32, default="", allow_blank=True, help_text="with its country's code")
    locale = serializers.CharField(max_length=16, default="", allow_blank=True)


class VerifyEmailSerializer(StrictSerializer):
    email = EmailAddressField()
    otp = CodeField()
    password = PasswordField(
        default="",
        allow_blank=True,
        help_text="that was registered: confirms it also where others have registered this address meanwhile",
    )


class RegisteredUserSerializer(serializers.Serializer[Any]):
    email = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField()


class RegisteredSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    user = RegisteredUserSerializer()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")
    message = serializers.CharField()


class VerifiedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    user = RegisteredUserSerializer()
    password_set = serializers.BooleanField(
        help_text="whether the password that was registered counts from now on; else set one by `forgot-password`"
    )
    message = serializers.CharField()


class RegisterView(BeforeSignInView):
    """Become a user of the key's customer. The answer does not tell whether the address was taken."""

    @extend_schema(operation_id="register", request=RegisterSerializer, responses={202: RegisteredSerializer})
    @refuses_with(RegistrationClosed, ResendTooSoon, RateLimited, QuotaExceeded)
    def post(self, request: Request) -> Response:
        given = self.read(RegisterSerializer)
        client = client_of(request)
        address = emails.parse(given["email"])
        done = registration.register(
            registration.RegistrationRequest(
                customer=client.customer,
                address=address,
                password=given["password"],
                name=given["name"],
                phone=given["phone"],
                locale=given["locale"],
                context=context_of(request),
            )
        )
        body = {
            "success": True,
            "user": {"email": address.typed, "name": given["name"], "status": done.status},
            "expires_in": done.expires_in,
            "resend_in": done.resend_in,
            "message": _("A mail is on its way to this address. It says how to go on."),
        }
        return Response(body, status=status.HTTP_202_ACCEPTED)


class VerifyEmailView(BeforeSignInView):
    """Prove an address with the code that was sent there."""

    @extend_schema(operation_id="verify_email", request=VerifyEmailSerializer, responses=VerifiedSerializer)
    @refuses_with(InvalidOtp, RateLimited, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(VerifyEmailSerializer)
        client = client_of(request)
        verified = verify_email.verify(
            verify_email.AddressProof(
                customer=client.customer,
                address=emails.parse(given["email"]),
                code=given["otp"],
                password=given["password"],
                context=context_of(request),
            )
        )
        user = verified.user
        body = {
            "success": True,
            "user": {"email": user.email, "name": user.name, "status": user.status},
            "password_set": verified.password_set,
            "message": _("This address is verified."),
        }
        return Response(body)
