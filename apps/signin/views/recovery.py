"""Forgetting, resetting and changing a password, over HTTP."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api_keys.asking import Asking
from apps.core.errors import NotFound, RateLimited
from apps.core.refusals import refuses_with
from apps.core.requests import caller_of
from apps.mail.errors import QuotaExceeded
from apps.payloads.views import EncryptedView, ServiceView
from apps.signin import password_change, recovery, whose
from apps.signin.errors import InvalidPassword, InvalidResetToken
from apps.signin.serializers.recovery import (
    ChangePasswordSerializer,
    ForgotPasswordSerializer,
    ResetPasswordSerializer,
)
from apps.tokens import answers
from apps.tokens.permissions import principal_of
from apps.tokens.serializers import MessageSerializer
from apps.users import directory, emails


class ForgotPassword(ServiceView):
    """Have a link sent that sets another password. The answer is the same whether or not the address is known."""

    @extend_schema(operation_id="forgot_password", request=ForgotPasswordSerializer, responses=MessageSerializer)
    @refuses_with(RateLimited, QuotaExceeded)
    def post(self, request: Request) -> Response:
        given = ForgotPasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        address = emails.parse(given.validated_data["email"])
        asking: Asking = request.user  # type: ignore[assignment]
        recovery.forgot(
            recovery.Forgotten(
                asked=asking.customer,
                customer=whose.customer_of(asking, address),
                address=address,
                caller=caller_of(request),
                now=timezone.now(),
            )
        )
        return Response({"message": _("If this address has an account, a link is on its way to it.")})


class ResetPassword(ServiceView):
    """Set another password with the token from the mail. Ends every session."""

    @extend_schema(operation_id="reset_password", request=ResetPasswordSerializer, responses=MessageSerializer)
    @refuses_with(InvalidResetToken, RateLimited)
    def post(self, request: Request) -> Response:
        given = ResetPasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asking: Asking = request.user  # type: ignore[assignment]
        recovery.reset(
            recovery.Reset(
                customer=asking.customer,
                owners_too=asking.api_key is None,
                token=given.validated_data["token"],
                password=given.validated_data["password"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        )
        return Response({"message": _("Your password has been changed. Please sign in.")})


class ChangePassword(EncryptedView):
    """Set another password. Ends the other sessions."""

    @extend_schema(operation_id="change_password", request=ChangePasswordSerializer, responses=MessageSerializer)
    @refuses_with(InvalidPassword, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        given = ChangePasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        who = principal_of(request)
        told = password_change.change(
            password_change.Change(
                customer=request.customer,  # type: ignore[attr-defined]  # put there by TokenAuthentication
                user=directory.get(who.customer_id, who.user_id),
                session_id=who.session_id,
                current=given.validated_data["current_password"],
                password=given.validated_data["password"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        )
        return Response({"message": _("Your password has been changed."), **answers.honestly(told)})
