"""The second step of a sign-in: have a code sent, enrol a factor on the way, give the factor."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.passkey_options import CREATION_OPTIONS, REQUEST_OPTIONS
from apps.api.auth.second_factor.authenticator_app import AppAnswerSerializer
from apps.api.auth.second_factor.phone import PhoneAnswerSerializer
from apps.api.auth.sent_answer import SentSerializer, sent_answer
from apps.api.auth.sign_in_answer import ChallengeAnswerSerializer, sign_in_answer
from apps.api.auth.token_answer import CookieTokenAnswerSerializer, TokenAnswerSerializer
from apps.api.authentication.api_key import client_of
from apps.api.base_views import BeforeSignInView
from apps.api.fields import CodeField
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.factors import methods
from apps.factors.errors import InvalidPasskey, TooManyPasskeys
from apps.mail.errors import QuotaExceeded, SmsUnavailable
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.signin import requirements, second_factor
from apps.signin.errors import MethodNotOffered
from apps.signin.second_factor_attempts import SecondFactorAttempt, SecondFactorRequest
from apps.tokens.errors import InvalidToken, MalformedToken, TokenExpired, UserInactive

OF_A_CHALLENGE = (MalformedToken, InvalidToken, TokenExpired, UserInactive, MethodNotOffered)


LONGEST_TOKEN = 8192


class SecondFactorSendSerializer(StrictSerializer):
    session_token = serializers.CharField(max_length=LONGEST_TOKEN, trim_whitespace=False)
    method = serializers.ChoiceField(choices=(requirements.EMAIL, methods.SMS, methods.PASSKEY))


class SecondFactorEnrolSerializer(StrictSerializer):
    session_token = serializers.CharField(max_length=LONGEST_TOKEN, trim_whitespace=False)
    method = serializers.ChoiceField(choices=methods.ENROLLABLE)
    phone = serializers.CharField(
        max_length=32, default="", allow_blank=True, help_text="for `sms`: with its country's code"
    )


class SecondFactorVerifySerializer(StrictSerializer):
    session_token = serializers.CharField(max_length=LONGEST_TOKEN, trim_whitespace=False)
    method = serializers.ChoiceField(choices=requirements.METHODS)
    code = CodeField(default="", allow_blank=True)
    credential = serializers.DictField(default=None, help_text="for `passkey`")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = "credential" if attrs["method"] == methods.PASSKEY else "code"
        if not attrs[wanted]:
            raise serializers.ValidationError({wanted: [self.error_messages["required"]]})
        return attrs


class MadeCodesSerializer(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="with a factor enrolled on the way in; shown this once"
    )
    recovery_codes_left = serializers.IntegerField(
        required=False, help_text="after a recovery code was used: how many are left"
    )


class ShouldEnrolSerializer(MadeCodesSerializer):
    enrol = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="what the customer demands, and the user should enrol"
    )


class SecondFactorTokenAnswerSerializer(TokenAnswerSerializer, ShouldEnrolSerializer):
    pass


class SecondFactorCookieTokenAnswerSerializer(CookieTokenAnswerSerializer, ShouldEnrolSerializer):
    """With cookie delivery: the tokens are in the cookies that come with the answer."""


class NextChallengeAnswerSerializer(ChallengeAnswerSerializer, MadeCodesSerializer):
    """Where a customer demands two factors, after the first of them."""


SECOND_FACTOR_ANSWER = PolymorphicProxySerializer(
    component_name="SecondFactorAnswer",
    serializers=[
        SecondFactorTokenAnswerSerializer,
        SecondFactorCookieTokenAnswerSerializer,
        NextChallengeAnswerSerializer,
    ],
    resource_type_field_name=None,
)


SEND_ANSWER = PolymorphicProxySerializer(
    component_name="SecondFactorSendAnswer",
    serializers=[SentSerializer, REQUEST_OPTIONS],
    resource_type_field_name=None,
)


ENROL_ANSWER = PolymorphicProxySerializer(
    component_name="SecondFactorEnrolAnswer",
    serializers=[AppAnswerSerializer, PhoneAnswerSerializer, CREATION_OPTIONS],
    resource_type_field_name=None,
)


class SecondFactorSendView(BeforeSignInView):
    """Have a code sent, or get the options for a passkey."""

    @extend_schema(operation_id="second_factor_send", request=SecondFactorSendSerializer, responses=SEND_ANSWER)
    @refuses_with(*OF_A_CHALLENGE, ResendTooSoon, RateLimited, QuotaExceeded, SmsUnavailable)
    def post(self, request: Request) -> Response:
        given = self.read(SecondFactorSendSerializer)
        return sent_answer(second_factor.send(_asked(request, given)))


class SecondFactorEnrolView(BeforeSignInView):
    """Begin to enrol a second factor that the customer demands, on the way in. `verify` confirms it."""

    @extend_schema(operation_id="second_factor_enrol", request=SecondFactorEnrolSerializer, responses=ENROL_ANSWER)
    @refuses_with(*OF_A_CHALLENGE, TooManyPasskeys, ResendTooSoon, RateLimited, QuotaExceeded, SmsUnavailable)
    def post(self, request: Request) -> Response:
        given = self.read(SecondFactorEnrolSerializer)
        return Response(second_factor.enrol(_asked(request, given), phone=given["phone"]))


class SecondFactorVerifyView(BeforeSignInView):
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
        answer = sign_in_answer(passed.ended)
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
