"""Signing in: by code, password or passkey, and the second factor."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from apps.api.auth.own_factors_serializers import AppAnswerSerializer, PhoneAnswerSerializer
from apps.api.auth.tokens_serializers import CookieTokenAnswerSerializer, TokenAnswerSerializer
from apps.api.auth.webauthn_serializers import CREATION_OPTIONS, REQUEST_OPTIONS
from apps.api.serializers import CodeField, StrictSerializer
from apps.factors import methods
from apps.signin import requirements
from apps.tokens.models import Delivery

LONGEST_EMAIL, LONGEST_PASSWORD, LONGEST_TOKEN = 320, 1024, 8192


class VerifyOtpSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)
    otp = CodeField()
    delivery = serializers.ChoiceField(choices=Delivery.choices, default=Delivery.BODY)


class LoginSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    delivery = serializers.ChoiceField(choices=Delivery.choices, default=Delivery.BODY)


class PasskeyVerifySerializer(StrictSerializer):
    credential = serializers.DictField(help_text="PublicKeyCredential.toJSON() of navigator.credentials.get()")
    delivery = serializers.ChoiceField(choices=Delivery.choices, default=Delivery.BODY)


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


class ChallengeAnswerSerializer(serializers.Serializer[Any]):
    requires_2fa = serializers.BooleanField()
    session_token = serializers.CharField()
    methods = serializers.ListField(child=serializers.CharField(), help_text="in the order in which to offer them")
    enrol = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="what may be enrolled on the way in, where a second factor is demanded that the user lacks",
    )
    expires_in = serializers.IntegerField(help_text="seconds")


SIGN_IN_ANSWER = PolymorphicProxySerializer(
    component_name="SignInAnswer",
    serializers=[TokenAnswerSerializer, CookieTokenAnswerSerializer, ChallengeAnswerSerializer],
    resource_type_field_name=None,
)


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


class SentSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")
    message = serializers.CharField()


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
