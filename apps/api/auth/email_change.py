"""Change the address, confirm the new one, undo the change."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import email_change, email_undo
from apps.accounts.errors import EmailTaken, InvalidUndoToken
from apps.accounts.reset_links import LONGEST_TOKEN
from apps.api.authentication.api_key import client_of
from apps.api.authentication.principal import customer_of, principal_of, require_fresh_proof, user_of
from apps.api.base_views import BeforeSignInView, SignedInView
from apps.api.fields import CodeField, EmailAddressField, PasswordField
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.core.errors import NotFound, RateLimited
from apps.core.requests import context_of
from apps.mail.errors import QuotaExceeded
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.signin.errors import InvalidPassword
from apps.tokens.errors import InsufficientUserAuthentication, SessionEnded
from apps.users import emails


class ChangeEmailSerializer(StrictSerializer):
    email = EmailAddressField()
    password = PasswordField(
        default="",
        allow_blank=True,
        help_text="the present one; may be left out where the session's proof is fresh",
    )


class ChangingEmailSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")


class ConfirmEmailSerializer(StrictSerializer):
    email = EmailAddressField()
    otp = CodeField()


class EmailChangedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    email = serializers.CharField()


class UndoEmailChangeSerializer(StrictSerializer):
    token = serializers.CharField(max_length=LONGEST_TOKEN, help_text="from the link in the mail")


class ChangeEmailView(SignedInView):
    """Have a code sent to the address that is to be the user's."""

    @extend_schema(operation_id="change_email", request=ChangeEmailSerializer, responses={202: ChangingEmailSerializer})
    @refuses_with(InsufficientUserAuthentication, InvalidPassword, ResendTooSoon, RateLimited, QuotaExceeded, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(ChangeEmailSerializer)
        if not given["password"]:
            require_fresh_proof(request)
        customer = customer_of(request)
        email_change.request(
            email_change.EmailChangeRequest(
                customer=customer,
                user=user_of(request),
                session_id=principal_of(request).session_id,
                address=emails.parse(given["email"]),
                password=given["password"],
                context=context_of(request),
            )
        )
        body = {
            "message": _("A code is on its way to this address."),
            "expires_in": customer.code_lifetime,
            "resend_in": customer.code_resend_after,
        }
        return Response(body, status=status.HTTP_202_ACCEPTED)


class ConfirmEmailChangeView(SignedInView):
    """Prove the new address with the code that was sent there."""

    @extend_schema(
        operation_id="confirm_email_change", request=ConfirmEmailSerializer, responses=EmailChangedSerializer
    )
    @refuses_with(InvalidOtp, EmailTaken, SessionEnded, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(ConfirmEmailSerializer)
        user = email_change.confirm(
            email_change.EmailChangeProof(
                customer=customer_of(request),
                user=user_of(request),
                session_id=principal_of(request).session_id,
                address=emails.parse(given["email"]),
                code=given["otp"],
                context=context_of(request),
            )
        )
        return Response({"message": _("Your address has been changed."), "email": user.email})


class UndoEmailChangeView(BeforeSignInView):
    """Give the account its old address back, with the token from the mail that announced the change."""

    @extend_schema(operation_id="undo_email_change", request=UndoEmailChangeSerializer, responses=MessageSerializer)
    @refuses_with(InvalidUndoToken, EmailTaken, RateLimited)
    def post(self, request: Request) -> Response:
        given = self.read(UndoEmailChangeSerializer)
        client = client_of(request)
        email_undo.undo(
            email_undo.UndoRequest(
                customer=client.customer,
                owners_too=client.api_key is None,
                token=given["token"],
                context=context_of(request),
            )
        )
        return Response({"message": _("The address is what it was. A link to set a new password is on its way.")})
