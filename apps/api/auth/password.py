"""A password that is forgotten, reset or changed."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import password_change, recovery
from apps.accounts.errors import InvalidResetToken
from apps.accounts.reset_links import LONGEST_TOKEN
from apps.api.authentication.api_key import client_of
from apps.api.authentication.principal import customer_of, principal_of, user_of
from apps.api.base_views import BeforeSignInView, SignedInView
from apps.api.fields import EmailAddressField, PasswordField
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.core.errors import NotFound, RateLimited
from apps.core.requests import context_of
from apps.mail.errors import QuotaExceeded
from apps.signin import owner_lookup
from apps.signin.errors import InvalidPassword
from apps.users import emails


class ForgotPasswordSerializer(StrictSerializer):
    email = EmailAddressField()


class ResetPasswordSerializer(StrictSerializer):
    token = serializers.CharField(max_length=LONGEST_TOKEN, help_text="from the link in the mail")
    password = PasswordField()


class ChangePasswordSerializer(StrictSerializer):
    current_password = PasswordField()
    password = PasswordField()


class ForgotPasswordView(BeforeSignInView):
    """Have a link sent that sets another password. The answer is the same whether or not the address is known."""

    @extend_schema(operation_id="forgot_password", request=ForgotPasswordSerializer, responses=MessageSerializer)
    @refuses_with(RateLimited, QuotaExceeded)
    def post(self, request: Request) -> Response:
        given = self.read(ForgotPasswordSerializer)
        address = emails.parse(given["email"])
        client = client_of(request)
        recovery.forgot(
            recovery.ResetRequest(
                client_customer=client.customer,
                customer=owner_lookup.customer_of(client, address),
                address=address,
                context=context_of(request),
            )
        )
        return Response({"message": _("If this address has an account, a link is on its way to it.")})


class ResetPasswordView(BeforeSignInView):
    """Set another password with the token from the mail. Ends every session."""

    @extend_schema(operation_id="reset_password", request=ResetPasswordSerializer, responses=MessageSerializer)
    @refuses_with(InvalidResetToken, RateLimited)
    def post(self, request: Request) -> Response:
        given = self.read(ResetPasswordSerializer)
        client = client_of(request)
        recovery.reset(
            recovery.PasswordReset(
                customer=client.customer,
                owners_too=client.api_key is None,
                token=given["token"],
                password=given["password"],
                context=context_of(request),
            )
        )
        return Response({"message": _("Your password has been changed. Please sign in.")})


class ChangePasswordView(SignedInView):
    """Set another password. Ends the other sessions."""

    @extend_schema(operation_id="change_password", request=ChangePasswordSerializer, responses=MessageSerializer)
    @refuses_with(InvalidPassword, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(ChangePasswordSerializer)
        who = principal_of(request)
        password_change.change(
            password_change.PasswordChange(
                customer=customer_of(request),
                user=user_of(request),
                session_id=who.session_id,
                current=given["current_password"],
                password=given["password"],
                context=context_of(request),
            )
        )
        return Response({"message": _("Your password has been changed.")})
