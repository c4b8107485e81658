"""Have a one-time code sent by mail, and sign in with it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.sign_in_answer import SIGN_IN_ANSWER, sign_in_answer
from apps.api.before_sign_in_shortcut import BehindShortcutView
from apps.api.fields import CodeField, DeliveryField, EmailAddressField
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer, checked
from apps.api_keys.clients import ApiClient
from apps.core.errors import GatehouseError, RateLimited
from apps.core.rate_limits import Limit
from apps.core.requests import context_of
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.mail import quotas
from apps.mail.errors import QuotaExceeded
from apps.otp import code_requests, code_store
from apps.otp.code_requests import CodeRequest
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.otp.purposes import LOGIN, MAILS
from apps.signin import by_code
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.tokens.errors import UserInactive
from apps.users import emails

RATE_LIMIT_HEADERS = ("RateLimit-Policy", "RateLimit")


class RequestOtpSerializer(StrictSerializer):
    email = EmailAddressField()
    purpose = serializers.ChoiceField(choices=list(MAILS), default=LOGIN)
    locale = serializers.CharField(max_length=35, default="", allow_blank=True)


class RequestedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")
    message = serializers.CharField()


class VerifyOtpSerializer(StrictSerializer):
    email = EmailAddressField()
    otp = CodeField()
    delivery = DeliveryField()


@dataclass(frozen=True)
class CodeRequested:
    """What is answered when a code was asked for."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


class RequestOtpView(BehindShortcutView[CodeRequested]):
    """Have a code sent by email. The answer is the same whether or not the address is known."""

    @extend_schema(
        operation_id="request_otp",
        request=RequestOtpSerializer,
        responses=RequestedSerializer,
        parameters=[OpenApiParameter(name, str, OpenApiParameter.HEADER, response=True) for name in RATE_LIMIT_HEADERS],
    )
    @refuses_with(ResendTooSoon, RateLimited, QuotaExceeded)
    def post(self, request: Request) -> Response:
        requested = self.result(request)
        return Response(requested.body, headers=requested.headers)

    @classmethod
    def act(cls, document: Mapping[str, Any], client: ApiClient, request: HttpRequest) -> CodeRequested:
        given = checked(RequestOtpSerializer, document)
        limit = client.customer.limit(limits.CODES_PER_EMAIL)
        try:
            requested = code_requests.request_code(
                CodeRequest(
                    customer=client.customer,
                    address=emails.parse(given["email"]),
                    purpose=given["purpose"],
                    locale=given["locale"],
                    context=context_of(request),
                )
            )
        except (RateLimited, QuotaExceeded) as error:
            error.headers.update(_headers_of_refusal(error, client.customer))
            raise
        body = {
            "success": True,
            "expires_in": requested.expires_in,
            "resend_in": requested.resend_in,
            "message": _("If this address can sign in, a code is on its way to it."),
        }
        left = requested.remaining[limit.name]
        return CodeRequested(body, _rate_limit_headers(limit, remaining=left, reset=limit.window))


class VerifyOtpView(BehindShortcutView[SignedIn | Challenged]):
    """Sign in with a code."""

    @extend_schema(operation_id="verify_otp", request=VerifyOtpSerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidOtp, RateLimited, UserInactive)
    def post(self, request: Request) -> Response:
        return sign_in_answer(self.result(request))

    @classmethod
    def act(cls, document: Mapping[str, Any], client: ApiClient, request: HttpRequest) -> SignedIn | Challenged:
        given = checked(VerifyOtpSerializer, document)
        return by_code.sign_in(
            by_code.CodeSignIn(
                customer=client.customer,
                address=emails.parse(given["email"]),
                code=given["otp"],
                delivery=given["delivery"],
                context=context_of(request),
            )
        )


def _headers_of_refusal(error: GatehouseError, customer: CustomerState) -> dict[str, str]:
    """The headers of a 429: of the limit that refuses, which has nothing left until then."""
    limit = _refusing_limit(error.limit, customer)
    return _rate_limit_headers(limit, remaining=0, reset=error.retry_after or limit.window)


def _refusing_limit(name: str | None, customer: CustomerState) -> Limit:
    if name is not None and name in limits.DEFAULTS:
        return customer.limit(name)
    if name == quotas.CODES_PER_DAY:
        return Limit(name, customer.daily_code_quota, limits.DAY)
    if name == quotas.CODES_PER_MONTH:
        return Limit(name, customer.monthly_code_quota, 30 * limits.DAY)
    return Limit(code_store.RESEND, 1, customer.code_resend_after)


def _rate_limit_headers(limit: Limit, *, remaining: int, reset: float) -> dict[str, str]:
    """What is left, and seconds until there is more (draft-ietf-httpapi-ratelimit-headers)."""
    policy = f'"{limit.name}";q={limit.count};w={limit.window}'
    left = f'"{limit.name}";r={remaining};t={max(1, math.ceil(reset))}'
    return dict(zip(RATE_LIMIT_HEADERS, (policy, left), strict=True))
