"""The second factor over HTTP."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth import sign_in_answers
from apps.api.auth.entering_serializers import (
    ENROL_ANSWER,
    SECOND_FACTOR_ANSWER,
    SEND_ANSWER,
    SecondFactorEnrolSerializer,
    SecondFactorSendSerializer,
    SecondFactorVerifySerializer,
)
from apps.api.authentication.api_key import client_of
from apps.api.refusals import refuses_with
from apps.api.views import ServiceView
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.factors.errors import InvalidPasskey, TooManyPasskeys
from apps.mail.errors import QuotaExceeded, TextsUnavailable
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.signin import second_factor
from apps.signin.errors import MethodNotOffered
from apps.signin.second_factor_attempts import SecondFactorAttempt, SecondFactorRequest
from apps.signin.second_factor_codes import SentCode
from apps.tokens.errors import InvalidToken, MalformedToken, TokenExpired, UserInactive

OF_A_CHALLENGE = (MalformedToken, InvalidToken, TokenExpired, UserInactive, MethodNotOffered)


class SendSecondFactor(ServiceView):
    """Have a code sent, or get the options for a passkey."""

    @extend_schema(operation_id="second_factor_send", request=SecondFactorSendSerializer, responses=SEND_ANSWER)
    @refuses_with(*OF_A_CHALLENGE, ResendTooSoon, RateLimited, QuotaExceeded, TextsUnavailable)
    def post(self, request: Request) -> Response:
        given = self.read(SecondFactorSendSerializer)
        sent = second_factor.send(_asked(request, given))
        return Response(sign_in_answers.on_its_way(sent) if isinstance(sent, SentCode) else sent)


class Enrol(ServiceView):
    """Begin to enrol a second factor that the customer demands, on the way in. `verify` confirms it."""

    @extend_schema(operation_id="second_factor_enrol", request=SecondFactorEnrolSerializer, responses=ENROL_ANSWER)
    @refuses_with(*OF_A_CHALLENGE, TooManyPasskeys, ResendTooSoon, RateLimited, QuotaExceeded, TextsUnavailable)
    def post(self, request: Request) -> Response:
        given = self.read(SecondFactorEnrolSerializer)
        return Response(second_factor.enrol(_asked(request, given), phone=given["phone"]))


class Verify(ServiceView):
    """Give the second factor and sign in."""

    @extend_schema(
        operation_id="second_factor_verify", request=SecondFactorVerifySerializer, responses=SECOND_FACTOR_ANSWER
    )
    @refuses_with(*OF_A_CHALLENGE, InvalidOtp, InvalidPasskey, RateLimited, TooManyPasskeys)
    def post(self, request: Request) -> Response:
        given = self.read(SecondFactorVerifySerializer)
        passed = second_factor.verify(
            SecondFactorAttempt(
                client=client_of(request),
                session_token=given["session_token"],
                method=given["method"],
                code=given["code"],
                credential=given["credential"],
                context=context_of(request),
            )
        )
        answer = sign_in_answers.entered(passed.ended)
        if passed.recovery_codes:
            answer.data["recovery_codes"] = list(passed.recovery_codes)
        if passed.recovery_codes_left is not None:
            answer.data["recovery_codes_left"] = passed.recovery_codes_left
        return answer


def _asked(request: Request, given: Mapping[str, Any]) -> SecondFactorRequest:
    return SecondFactorRequest(
        client=client_of(request),
        session_token=given["session_token"],
        method=given["method"],
        context=context_of(request),
    )
